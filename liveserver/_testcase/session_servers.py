"""Servers of scope "session": one for each app with equal options.

Each runs from its first use to the end of the test run: unittest tells it to the result by
`stopTestRun()`, pytest to the plugin. Where neither does, the end of the process stops it.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from liveserver._monitor.app_errors import raise_app_errors
from liveserver._options.server_options import Options
from liveserver._server import process_hooks
from liveserver._server.live_server import LiveServer
from liveserver._sync.forks import in_forked_child

__unittest = __tracebackhide__ = True

__all__ = ["shared_server", "stop_session_servers", "stop_with_run"]


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


def stop_session_servers() -> Iterator[tuple[str, BaseException]]:
    """Stop all servers of the session.

    Yields:
        For each failure: what failed, and the error: of the stop, or of the app outside of tests.
    """
    with _lock:
        servers = [each.server for each in _all]
        _all.clear()
    for server in servers:
        for act in (server.stop, partial(_report, server)):
            try:
                act()
            except Exception as error:
                yield f"session server of {server._control.name}", error


def stop_with_run(result: Any) -> None:
    """Stop the servers of the session when a result is told of the end of its run."""
    usual = result.stopTestRun
    if isinstance(usual, partial) and usual.func is _stop_test_run:
        return
    result.stopTestRun = partial(_stop_test_run, result, usual)


def _stop_test_run(result: Any, usual: Callable[[], None]) -> None:
    try:
        for name, error in stop_session_servers():
            # The app's frames are in its cause.
            result.addError(_SessionServers(name), (type(error), error.with_traceback(None), None))
    finally:
        usual()


class _SessionServers:
    """What fails in the place of a test, for a result; as unittest's own for class fixtures."""

    failureException = None

    def __init__(self, name: str) -> None:
        self._name = name

    def id(self) -> str:
        return self._name

    __str__ = id

    def shortDescription(self) -> None:
        return None


def _forget_all() -> None:
    """Forget all in a forked child: the servers, and maybe the lock's holder, are its parent's."""
    global _lock
    _lock = threading.Lock()
    _all.clear()


in_forked_child(_forget_all)


def _report(server: LiveServer) -> None:
    """Raise what the app raised while no test ran."""
    raise_app_errors(server._control.log.failures_since())
