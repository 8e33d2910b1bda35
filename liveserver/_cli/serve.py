"""Serve an app, or the fixture of a test, until a signal comes or the server ends."""

import unittest
import webbrowser
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from liveserver._cli.console import Console
from liveserver._cli.django import django_fixture
from liveserver._cli.signals import SignalWait
from liveserver._cli.target import Target
from liveserver._errors import ConfigurationError, LiveServerError
from liveserver._options.server_options import ServerOptions
from liveserver._server.live_server import LiveServer
from liveserver._sync.threads import run_in_thread
from liveserver._testcase.class_config import is_async

__all__ = ["INTERRUPTED", "Host"]

# Exit statuses; that of Ctrl-C is what a shell makes of the signal.
_DONE, _FAILED, _WRONG, INTERRUPTED = 0, 1, 2, 130

# What unittest calls the method of a case that is made without one.
_NO_METHOD = "runTest"


class Host:
    """Serves one app or fixture, once, and prints what happens.

    Args:
        signals: Waits for the signal that ends it.
        options: The server's options, in place of those of a test class.
        opens: Whether to open a browser.
    """

    def __init__(self, signals: SignalWait, options: ServerOptions, opens: bool) -> None:
        self._signals = signals
        self._console = Console(over=signals.server_ended)
        self._options = options
        self._opens = opens
        self._statuses = {_DONE}
        self._of_session: LiveServer | None = None

    def run(self, serve: Callable[["Host"], None]) -> int:
        """Serve, and return the exit status."""
        try:
            serve(self)
        except LiveServerError as error:
            self.fail(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        return max(self._statuses)

    def serve_app(self, app: str) -> None:
        """Serve an app, given as `module:attribute`."""
        server = LiveServer(app, **self._options)
        with server:
            self._show(server, app)

    def serve_test(self, target: Target) -> None:
        """Serve the fixture of a test class, or of one test, without the body of any test."""
        test_class, method = target
        if self._options and isinstance(test_class.server_options, Mapping):
            # On the class itself: its hooks may name it, and not what would be derived from it.
            test_class.server_options = {**test_class.server_options, **self._options}
        case = test_class() if method is None else test_class(method)
        asynchronous = is_async(case)
        body = partial(self._stand_in, case)
        setattr(case, case._testMethodName, _as_coroutine(body) if asynchronous else body)
        if method is None and case.server_scope != "test":
            _leave_out_hooks(case, asynchronous)
        with django_fixture(test_class):
            unittest.TestSuite([case]).run(_Report(self))
        if self._of_session is not None:
            self._of_session.stop()

    def _stand_in(self, case: Any) -> None:
        """Serve, in the place of the test's body."""
        named = case._testMethodName != _NO_METHOD
        what = case.id() if named else f"{type(case).__module__}.{type(case).__qualname__}"
        server = case.server
        if server._control.of_session:
            self._of_session = server
        self._show(server, what)
        # Requests by hand are not waited for as those of a test.
        case._live_server_monitor.detach()

    def _show(self, server: LiveServer, what: str) -> None:
        """Print what a running server does, until the end."""
        self._signals.on_second = server._control.abort
        with self._console:
            server._control.observe(self._console)  # before its URL is known
            self._console.greet(what, server)
            if self._opens and not webbrowser.open(server.base_url):
                self._console.say("No browser could be opened.")
            by_itself = self._signals.wait()
        if by_itself:
            self._console.explain(LiveServerError("The server ended by itself."))
            self._statuses.add(_FAILED)

    def fail(self, error: BaseException, text: str = "") -> None:
        """Show what is wrong, and let the exit status say so."""
        self._statuses.add(_WRONG if isinstance(error, ConfigurationError) else _FAILED)
        self._console.explain(error, text)


def _as_coroutine(function: Callable[[], None]) -> Callable[[], Any]:
    async def awaited() -> None:
        # The fixture's tasks on the test's loop go on meanwhile.
        await run_in_thread(function)

    return awaited


def _leave_out_hooks(case: Any, asynchronous: bool) -> None:
    """Keep the fixture of the class, without that of a test."""

    async def nothing() -> None: ...

    case.setUp = case.tearDown = lambda: None
    if asynchronous:
        case.asyncSetUp = case.asyncTearDown = nothing


class _Report(unittest.TestResult):
    """Prints at once what is wrong with a fixture."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._host.fail(err[1], self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._host.fail(err[1], self.failures[-1][1])

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._host.fail(LiveServerError(f"{test} is skipped: {reason}"))
