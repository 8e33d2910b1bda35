"""The mixin and the two test cases: when a test's server starts and stops.

The stop is registered as a cleanup before the start, so it also runs when a subclass's own
`setUpClass` or `setUp` raises. Cleanups run in reverse order: first the user's, which close
browsers and clients, then the stop of their server.
"""

import inspect
import re
import sys
import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from liveserver._app.loading import imported
from liveserver._errors import ConfigurationError
from liveserver._monitor.monitor import TestMonitor
from liveserver._options.environment import pauses
from liveserver._options.server_options import ServerOptions
from liveserver._server.live_server import LiveServer
from liveserver._server.raises import ExceptionTypes, ServerRaises, check_exception_types
from liveserver._testcase.class_config import (
    EXPECTED_TO_FAIL,
    check_attributes,
    check_bases,
    is_async,
    is_expected_to_fail,
    make_server,
    scope_of,
    shared,
)
from liveserver._testcase.cleanups import add_cleanup, close_later, stop_later
from liveserver._testcase.http import session_of, session_property
from liveserver._testcase.result import AnnotatingResult
from liveserver._testcase.server_property import (
    ServerProperty,
    forget_server,
    own_server,
    server_of,
    set_server,
)

if TYPE_CHECKING:
    import aiohttp
    import requests

__all__ = ["IsolatedAsyncioLiveServerTestCase", "LiveServerMixin", "LiveServerTestCase"]

__unittest = __tracebackhide__ = True


class LiveServerMixin:
    """Makes a `unittest.TestCase` a live server test case. Name it before that in the bases.

    Set `app` or override `create_app()`. Everything else has a default.
    """

    app: ClassVar[Any]
    """The ASGI app, or where to import it from: `"module:attribute"`."""

    server_scope: ClassVar[str] = "class"
    """`"class"`: one server for the class, from `setUpClass` on. `"test"`: a fresh one for each
    test, from `setUp` on. `"session"`: one for all classes with the same app, or the same
    `create_app` function, and equal options; it stops when the process ends."""

    server_options: ClassVar[ServerOptions] = {}
    """Keyword arguments for `LiveServer`."""

    raise_server_errors: ClassVar[bool] = True
    """Whether an exception that the app did not handle fails the test that caused it."""

    http_timeout: ClassVar[float] = 30.0
    """Seconds that a request of `http` waits to connect, and for each next byte."""

    # Set by run(); absent in a test that debug() runs.
    _live_server_monitor: TestMonitor

    base_url = ServerProperty(
        lambda server: server.base_url,
        "The URL of the server, `http://host:port`, no trailing slash. On class and instance.",
    )
    server = ServerProperty(lambda server: server, "The `LiveServer`. On class and instance.")

    @classmethod
    def create_app(cls) -> Any:
        """Return the app for one server; called anew for every server.

        Override it to build a fresh app with fresh state. It runs in the test's thread.

        Raises:
            ConfigurationError: The class has no `app`, or it cannot be imported.
        """
        if not hasattr(cls, "app"):
            of_django = "django.test" in sys.modules
            raise ConfigurationError(
                f'{cls.__qualname__} has no app. Set app = "module:attribute" or override '
                f"create_app().{' Or use the class of liveserver.django.' * of_django}"
            )
        # Read on the class: on an instance a plain function would become a bound method.
        return imported(cls.app)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test. What the app raises in it fails it."""
        self._live_server_monitor = monitor = TestMonitor(
            own_server(type(self)),
            raises=not is_expected_to_fail(self),
            own_raises=self.raise_server_errors,
        )
        # The first cleanups to be registered are the last to run, even if a subclass forgets
        # super().setUp().
        self._live_server_add_monitor_cleanups()
        if self.server_scope != "test":  # else setUp() does it
            close_later(self)
        annotating: Any = None if result is None else AnnotatingResult(result, monitor)
        if self.server_scope == "session" and hasattr(result, "stopTestRun"):
            from liveserver._testcase.session_servers import stop_with_run

            stop_with_run(result)
        try:
            own_result = super().run(annotating)  # type: ignore[misc]  # the TestCase has it
        finally:
            monitor.release()
        return own_result if result is None else result

    @session_property
    def http(self) -> Any:
        """A session whose relative URLs go to the server; made anew for each test.

        A `requests.Session`; in an asyncio test an `aiohttp.ClientSession`. It trusts the server's
        throw-away certificate, ignores proxy variables, keeps cookies, and is closed after the
        test's own cleanups.

        Raises:
            ConfigurationError: `http_timeout` is wrong, or an asyncio test asks for the session
                where no loop is running, in `setUp`.
            NotRunningError: The server is not running.
        """
        return session_of(self, server_of(self, type(self), "http"))

    def __getstate__(self) -> Any:
        """Leave out what no other process can use: parallel runners send tests to another one."""
        state: Any = super().__getstate__()
        return {name: each for name, each in state.items() if not name.startswith("_live_server_")}

    @classmethod
    def _live_server_defaults(cls) -> ServerOptions:
        """Return options that `server_options` may replace. An integration has some."""
        return {}

    @classmethod
    def _live_server_served(cls, app: Any) -> Any:
        """Return what serves an app, or what a factory makes. An integration wraps it."""
        return app

    @classmethod
    def _live_server_identity(cls) -> object:
        """Return what classes that share a session server have in common."""
        return imported(cls.app) if hasattr(cls, "app") else None

    def _live_server_add_monitor_cleanups(self) -> None:
        monitor = self._live_server_monitor
        cast(unittest.TestCase, self).addCleanup(monitor.raise_app_errors)  # runs last
        add_cleanup(self, monitor.finish_requests, monitor.afinish_requests)

    def assertServerRaises(
        self, expected_exception: ExceptionTypes, server: LiveServer | None = None
    ) -> ServerRaises:
        """Expect the app to raise in a block.

        Use it in `with` or `async with`. The exceptions in the block that match do not fail the
        test; others do. The context has the attributes `exception` and `request`.

        Args:
            expected_exception: The type, or several.
            server: The server whose app is meant. Default: any of the process.

        Raises:
            AssertionError: The app raised nothing, or only something else.
        """
        return self._live_server_raises(expected_exception, None, server)

    def assertServerRaisesRegex(
        self,
        expected_exception: ExceptionTypes,
        expected_regex: "str | re.Pattern[str]",
        server: LiveServer | None = None,
    ) -> ServerRaises:
        """Do as `assertServerRaises`, and match the exception's text too.

        Args:
            expected_exception: The type, or several.
            expected_regex: A regular expression that is searched in `str(exception)`.
            server: The server whose app is meant. Default: any of the process.

        Raises:
            AssertionError: The app raised nothing, only something else, or another text.
        """
        return self._live_server_raises(expected_exception, expected_regex, server)

    def _live_server_raises(
        self,
        expected: ExceptionTypes,
        pattern: "str | re.Pattern[str] | None",
        server: LiveServer | None,
    ) -> ServerRaises:
        check_exception_types(expected)
        failure = cast(unittest.TestCase, self).failureException
        return ServerRaises(server and server._control, expected, pattern, failure)

    @classmethod
    def setUpClass(cls) -> None:
        """Start the server if its scope is the class.

        Raises:
            ConfigurationError: The class is not set up right.
            StartupError: The server did not start.
        """
        check_bases(cls)
        super().setUpClass()  # type: ignore[misc]  # the TestCase has it
        check_attributes(cls)
        cls._live_server_start()

    @classmethod
    def _live_server_start(cls) -> None:
        scope = scope_of(cls)
        test_case = cast(type[unittest.TestCase], cls)
        # After the stop. It fails the class for what apps raised outside of its tests.
        test_case.addClassCleanup(_raise_unreported, TestMonitor())
        if scope == "test":
            return
        test_case.addClassCleanup(forget_server, cls)
        server = make_server(cls) if scope == "class" else shared(cls)
        if scope == "class":
            test_case.addClassCleanup(server.stop)
            server.start()
        set_server(cls, server)

    def setUp(self) -> None:
        """Start the server if its scope is the test.

        Raises:
            ConfigurationError: The class is not set up right.
            StartupError: The server did not start.
        """
        super().setUp()  # type: ignore[misc]  # the TestCase has it
        if "app" in vars(self):
            raise ConfigurationError(
                f"{type(self).__qualname__} sets self.app, which no server can see. "
                "Set app on the class, or override create_app()."
            )
        if scope_of(type(self)) == "test":
            server = make_server(type(self))
            stop_later(self, server)
            server.start()
            set_server(self, server)
            if "_live_server_monitor" in vars(self):
                self._live_server_monitor.server = server
                if pauses():
                    self._live_server_add_monitor_cleanups()  # while the server still answers


class LiveServerTestCase(LiveServerMixin, unittest.TestCase):
    """A `unittest.TestCase` whose tests have a real server running their app."""

    if TYPE_CHECKING:

        @property
        def http(self) -> requests.Session: ...

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test. An `async def` test is an error, as unittest would not await it."""
        method = getattr(self, self._testMethodName)
        if inspect.iscoroutinefunction(method) and not is_async(self):
            setattr(self, self._testMethodName, _refused(type(self), method))
        return super().run(result)


class IsolatedAsyncioLiveServerTestCase(LiveServerMixin, unittest.IsolatedAsyncioTestCase):
    """A `unittest.IsolatedAsyncioTestCase` whose tests have a real server running their app.

    The server runs on a loop of its own in a thread of its own, so a test that blocks its loop
    does not block the server.
    """

    if TYPE_CHECKING:

        @property
        def http(self) -> aiohttp.ClientSession: ...


def _refused(cls: type[LiveServerMixin], method: Any) -> Callable[[], None]:
    """Return a test that fails in place of an `async def` one. It keeps its skip."""

    def refuse() -> None:
        raise ConfigurationError(
            f"{cls.__qualname__}.{method.__name__} is async def, but LiveServerTestCase does not "
            "await it. Use IsolatedAsyncioLiveServerTestCase, or a plain def."
        )

    vars(refuse).update(vars(method))
    vars(refuse).pop(EXPECTED_TO_FAIL, None)  # this failure is not the expected one
    return refuse


def _raise_unreported(monitor: TestMonitor) -> None:
    try:
        monitor.finish_requests()
    finally:
        monitor.detach()


# Tracebacks and reprs show the names that users import.
for _class in (LiveServerMixin, LiveServerTestCase, IsolatedAsyncioLiveServerTestCase):
    _class.__module__ = "liveserver"
