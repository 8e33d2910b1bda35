"""Serve an app, or the fixture of a test, until a signal comes or the server ends."""

import unittest
import webbrowser
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from liveserver._aside import aside
from liveserver._console import Console
from liveserver._django import django_fixture
from liveserver._ending import Ending
from liveserver._errors import ConfigurationError, LiveServerError
from liveserver._observe import observe
from liveserver._options import ServerOptions
from liveserver._server import LiveServer
from liveserver._target import Target

__all__ = ["INTERRUPTED", "Host"]

# Exit statuses; that of Ctrl-C is what a shell makes of the signal.
_DONE, _FAILED, _WRONG, INTERRUPTED = 0, 1, 2, 130

# What unittest calls the method of a case that is made without one.
_NO_METHOD = "runTest"


class Host:
    """Serves one thing, once, and shows it to somebody.

    Args:
        ending: What ends it.
        options: The server's options, in place of those of a test class.
        opens: Whether to open a browser.
    """

    def __init__(self, ending: Ending, options: ServerOptions, opens: bool) -> None:
        self._ending = ending
        self._console = Console(over=ending.server_ended)
        self._options = options
        self._opens = opens
        self._statuses = {_DONE}
        self._of_session: LiveServer | None = None

    def run(self, serve: Callable[["Host"], None]) -> int:
        """Serve, and return the exit status."""
        try:
            with self._console.showing_cuts():
                serve(self)
        except LiveServerError as error:
            self._fail(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        return max(self._statuses)

    def serve_app(self, app: str) -> None:
        """Serve an app, given as `module:attribute`."""
        server = LiveServer(app, **self._options)
        with server:
            self._attend(server, app)

    def serve_test(self, target: Target) -> None:
        """Serve the fixture of a test class, or of one test, without the body of any test."""
        test_class, method = target
        if self._options and isinstance(test_class.server_options, Mapping):
            # On the class itself: its hooks may name it, and not what would be derived from it.
            test_class.server_options = {**test_class.server_options, **self._options}
        case = test_class() if method is None else test_class(method)
        is_async = isinstance(case, unittest.IsolatedAsyncioTestCase)
        body = partial(self._stand_in, case)
        setattr(case, case._testMethodName, _awaited(body) if is_async else body)
        if method is None and case.server_scope != "test":
            _leave_out_hooks(case, is_async)
        with django_fixture(test_class):
            unittest.TestSuite([case]).run(_Report(self))
        if self._of_session is not None:
            self._of_session.stop()

    def _stand_in(self, case: Any) -> None:
        """Be the body of a test."""
        named = case._testMethodName != _NO_METHOD
        what = case.id() if named else f"{type(case).__module__}.{type(case).__qualname__}"
        server = case.server
        if server._of_session:
            self._of_session = server
        self._attend(server, what)
        # What somebody asked is not to be waited for as what a test asks.
        case._live_server_watch.dismiss()

    def _attend(self, server: LiveServer, what: str) -> None:
        """Show a running server until the end."""
        run = server._run
        if run is not None:
            self._ending.on_second = run.abort
        with self._console:
            observe(server, self._console)  # before anybody knows where it is
            self._console.greet(what, server)
            if self._opens and not webbrowser.open(server.base_url):
                self._console.say("No browser could be opened.")
            by_itself = self._ending.wait()
        if by_itself:
            self._console.explain(LiveServerError("The server ended by itself."))
            self._statuses.add(_FAILED)

    def _fail(self, error: BaseException, text: str = "") -> None:
        self._statuses.add(_WRONG if isinstance(error, ConfigurationError) else _FAILED)
        self._console.explain(error, text)


def _awaited(function: Callable[[], None]) -> Callable[[], Any]:
    async def awaited() -> None:
        # What the fixture has put on the test's loop goes on meanwhile.
        await aside(function)

    return awaited


def _leave_out_hooks(case: Any, is_async: bool) -> None:
    """Leave the fixture of the class, without that of a test."""

    async def nothing() -> None: ...

    case.setUp = case.tearDown = lambda: None
    if is_async:
        case.asyncSetUp = case.asyncTearDown = nothing


class _Report(unittest.TestResult):
    """Shows what is wrong with a fixture at once."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._host._fail(err[1], self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._host._fail(err[1], self.failures[-1][1])

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._host._fail(LiveServerError(f"{test} is skipped: {reason}"))
