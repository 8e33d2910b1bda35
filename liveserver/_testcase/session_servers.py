"""Servers of scope "session": one for each app with equal options.

Each runs from its first use until `process_hooks` stops it at the end of the process.
"""

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from liveserver._monitor.app_errors import raise_app_errors
from liveserver._monitor.span import RequestSpan
from liveserver._options.server_options import Options
from liveserver._server import process_hooks
from liveserver._server.live_server import LiveServer

__unittest = __tracebackhide__ = True

__all__ = ["shared_server"]


class _Shared(NamedTuple):
    source: object  # the app, or the function that builds it
    options: Options
    server: LiveServer


# _lock guards _all, and is held during a start, which is bounded.
_lock = threading.Lock()
_all: list[_Shared] = []


def shared_server(source: object, options: Options, make: Callable[[], LiveServer]) -> LiveServer:
    """Return the running server of an app; start it at its first use.

    Args:
        source: The app, or the function that builds it, compared by identity.
        options: The server's options, compared by value.
        make: Makes the server.

    Raises:
        StartupError: It did not start; the next caller tries again.
    """
    with _lock:
        for each in _all:
            if each.source is source and each.options == options:
                if not each.server.running:  # a test stopped it, or it ended on its own
                    each.server.start()
                return each.server
        server = make()
        server._control.of_session = True
        server.start()
        _all.append(_Shared(source, options, server))
        process_hooks.after_runs(partial(_report, server))
        return server


def _forget_all() -> None:
    """Forget all in a forked child: the servers, and maybe the lock's holder, are its parent's."""
    global _lock
    _lock = threading.Lock()
    _all.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_all)


def _report(server: LiveServer) -> None:
    """Raise what the app raised while no test ran."""
    raise_app_errors(RequestSpan(server, whole=True).requests())
