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

# Exit statuses. A shell reports a process that SIGINT ends as 128 + 2.
_DONE, _FAILED, _WRONG, INTERRUPTED = 0, 1, 2, 130


class Host:
    """Serves one app or fixture, once, and prints what happens.

    Args:
        signals: Waits for the signal that ends the serving.
        options: Options of the server, which override those of a test class.
        opens: Whether to open a browser.
    """

    def __init__(self, signals: SignalWait, options: ServerOptions, opens: bool) -> None:
        self._signals = signals
        self._console = Console(over=signals.server_ended)
        self._options = options
        self._opens = opens
        self._status = _DONE
        self._session_server: LiveServer | None = None

    def run(self, serve: Callable[["Host"], None]) -> int:
        """Serve, and return the exit status."""
        try:
            serve(self)
        except LiveServerError as error:
            self.fail(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        return self._status

    def serve_app(self, app: str) -> None:
        """Serve an app, given as `module:attribute`."""
        with LiveServer(app, **self._options) as server:
            self._show(server, app)

    def serve_test(self, target: Target) -> None:
        """Serve the fixture of a test class, or of one test, without the body of any test."""
        test_class, method = target
        if self._options and isinstance(test_class.server_options, Mapping):
            # On the class itself, not on a subclass of it: its hooks may use the class by name.
            test_class.server_options = {**test_class.server_options, **self._options}
        case = test_class() if method is None else test_class(method)
        what = f"{test_class.__module__}.{test_class.__qualname__}" if method is None else case.id()
        body: Callable[[], object] = partial(self._serve_as_body, case, what)
        if is_async(case):  # in a thread, so that the fixture's tasks on the test's loop go on
            body = partial(run_in_thread, body)
        setattr(case, case._testMethodName, body)
        if method is None and case.server_scope != "test":
            _remove_test_hooks(case)
        with django_fixture(test_class):
            unittest.TestSuite([case]).run(_Report(self))
        if self._session_server is not None:
            self._session_server.stop()

    def _serve_as_body(self, case: Any, what: str) -> None:
        server = case.server
        if server._control.of_session:
            self._session_server = server
        self._show(server, what)
        case._live_server_monitor.detach()  # the end of the test does not wait for requests

    def _show(self, server: LiveServer, what: str) -> None:
        """Print what a running server does, until the end."""
        self._signals.on_second = server._control.abort
        with self._console:
            server._control.observe(self._console)  # before its URL is known
            self._console.greet(what, server)
            if self._opens and not webbrowser.open(server.base_url):
                self._console.say("No browser could be opened.")
            ended_by_itself = self._signals.wait()
        if ended_by_itself:
            self.fail(LiveServerError("The server ended by itself."))

    def fail(self, error: BaseException, text: str = "") -> None:
        """Show what is wrong, and set the exit status."""
        status = _WRONG if isinstance(error, ConfigurationError) else _FAILED
        self._status = max(self._status, status)
        self._console.explain(error, text)


def _remove_test_hooks(case: Any) -> None:
    """Run only the fixture of the class, not that of each test."""

    async def nothing() -> None: ...

    case.setUp = case.tearDown = lambda: None
    case.asyncSetUp = case.asyncTearDown = nothing  # of an asyncio test


class _Report(unittest.TestResult):
    """Prints each failure of a fixture at once."""

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
