"""Servers of the session: one for each app and equal options, from its first use to the end of the
process, which `_process.py` looks after.
"""

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from liveserver import _process
from liveserver._options import Options
from liveserver._server import LiveServer
from liveserver._verdict import Span, raise_app_errors

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["shared_server"]


class _Shared(NamedTuple):
    source: object  # the app, or the function that builds it
    options: Options
    server: LiveServer


# Both are changed under _lock; it is held through a start, which is bounded.
_lock = threading.Lock()
_all: list[_Shared] = []


def shared_server(source: object, options: Options, make: Callable[[], LiveServer]) -> LiveServer:
    """Return the running server of an app, started now if it is the first time.

    Args:
        source: What the app comes from; the same object means the same server.
        options: The server's options; equal ones mean the same server.
        make: Makes the server.

    Raises:
        StartupError: It did not start; the next one who asks will try again.
    """
    with _lock:
        for each in _all:
            if each.source is source and each.options == options:
                if not each.server.running:  # a test stopped it, or it ended by itself
                    each.server.start()
                return each.server
        server = make()
        server._of_session = True
        server.start()
        _all.append(_Shared(source, options, server))
        _process.after_end(partial(_report, server))
        return server


def _forget_all() -> None:
    """In a forked child: the servers stayed in the parent, and so may who held the lock."""
    global _lock
    _lock = threading.Lock()
    _all.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_all)


def _report(server: LiveServer) -> None:
    """Raise what the app raised when no test ran."""
    raise_app_errors(Span(server, whole=True).requests())
