"""Check the configuration of a test class, and make its server."""

import inspect
import sys
import unittest
from collections.abc import Callable, Mapping
from typing import Any

from liveserver._app.loading import BUILT, IN_CODE, check_app, imported
from liveserver._errors import ConfigurationError
from liveserver._options.environment import read_environment
from liveserver._options.server_options import ServerOptions, make_options
from liveserver._options.validation import check_names, nearest
from liveserver._reporting.frames import is_own_module
from liveserver._server.live_server import LiveServer
from liveserver._testcase.server_property import user_classes

__unittest = __tracebackhide__ = True

__all__ = [
    "EXPECTED_TO_FAIL",
    "check_attributes",
    "check_bases",
    "is_async",
    "is_expected_to_fail",
    "make_server",
    "options_of",
    "scope_of",
    "shared",
]

# A subclass of LiveServerMixin, which `cases` defines.
TestClass = type[Any]

_SCOPES = ("class", "test", "session")

_ON_CLASS = IN_CODE._replace(
    app='Set app to an ASGI or WSGI app or to "module:attribute", or override create_app().',
    builder='Override create_app() to call it, or set server_options = {"factory": True}.',
)

# unittest.expectedFailure sets this attribute on a test or on a class.
EXPECTED_TO_FAIL = "__unittest_expecting_failure__"

# A misspelling of one of these would have no effect.
_ATTRIBUTES = ("http_timeout", "raise_server_errors", "server_options", "server_scope")


def is_async(case: Any) -> bool:
    """Return whether a test case runs its tests on an event loop."""
    return isinstance(case, unittest.IsolatedAsyncioTestCase)


def is_expected_to_fail(case: Any) -> bool:
    """Return whether a test or its class is marked by `unittest.expectedFailure`."""
    method = getattr(case, case._testMethodName, None)
    return any(getattr(each, EXPECTED_TO_FAIL, False) for each in (case, method))


def check_attributes(cls: TestClass) -> None:
    """Check the class for misspelled attributes.

    Raises:
        ConfigurationError: An attribute is nearly one of ours.
    """
    for base in user_classes(cls):
        for name, value in vars(base).items():
            if name.startswith(("http_", "raise", "server_")) and name not in _ATTRIBUTES:
                near = nearest(name, _ATTRIBUTES, 0.87)
                if near is not None and not callable(value):
                    raise ConfigurationError(
                        f"{cls.__qualname__}.{name} is no attribute of liveserver's. Did you "
                        f"mean {near!r}? If it is your own, give it another name."
                    )


def check_bases(cls: TestClass) -> None:
    """Raise ConfigurationError for a test case whose transactions the server does not see."""
    django_test_case: Any = getattr(sys.modules.get("django.test.testcases"), "TestCase", None)
    if django_test_case is not None and issubclass(cls, django_test_case):
        raise ConfigurationError(
            f"{cls.__qualname__} is a django.test.TestCase. What such a test writes is in a "
            "transaction that the server's threads do not see. Use "
            "liveserver.django.LiveServerTestCase, or django.test.TransactionTestCase."
        )


def scope_of(cls: TestClass) -> str:
    """Return `server_scope`.

    Raises:
        ConfigurationError: It is not `"class"`, `"test"` or `"session"`.
    """
    scope: str = cls.server_scope
    if scope not in _SCOPES:
        raise ConfigurationError(
            f"{cls.__qualname__}.server_scope is {scope!r}. "
            f"Use one of {', '.join(map(repr, _SCOPES))}."
        )
    return scope


def make_server(cls: TestClass) -> LiveServer:
    """Make a server of the class, with a new app.

    Raises:
        ConfigurationError: The class is not set up right; the message names it.
    """
    options = options_of(cls)
    app = cls._live_server_served(_app(cls, factory=options.get("factory") is True))
    try:
        return LiveServer(app, **options)
    except ConfigurationError as error:
        raise _in_class(cls, "server_options", error) from error.__cause__


def shared(cls: TestClass) -> LiveServer:
    """Return the running server that the class shares with others like it.

    Raises:
        ConfigurationError: The class is not set up right; the message names it.
        StartupError: The server did not start.
    """
    from liveserver._testcase.session_servers import shared_server  # few suites need it

    given = options_of(cls)
    try:
        options = make_options(given)
    except ConfigurationError as error:
        raise _in_class(cls, "server_options", error) from None
    source: object = _users_builder(cls)
    if source is None:
        _app(cls, options.factory)  # it is checked even if the server exists
        source = cls._live_server_identity()
    return shared_server(source, options, lambda: make_server(cls))


def _users_builder(cls: TestClass) -> Callable[..., object] | None:
    """Return the function that overrides `create_app`, on the class or a base; None for ours."""
    builder = inspect.getattr_static(cls, "create_app")
    if not isinstance(builder, classmethod):
        raise ConfigurationError(
            f"{cls.__qualname__}.create_app is not a classmethod. Put @classmethod above it: "
            "with one server for the class there is no instance to call it on."
        )
    return None if is_own_module(builder.__func__.__module__) else builder.__func__


def options_of(cls: TestClass) -> ServerOptions:
    """Return the options of a class's server.

    Raises:
        ConfigurationError: `server_options` is no mapping, or has a name that is no option.
    """
    options: ServerOptions = cls.server_options
    if not isinstance(options, Mapping):
        raise ConfigurationError(
            f"{cls.__qualname__}.server_options is {options!r}. Use a mapping of LiveServer's "
            'keyword arguments, such as {"startup_timeout": 30}.'
        )
    check_names(options, ServerOptions.__annotations__, f"{cls.__qualname__}.server_options")
    judges = bool(cls.raise_server_errors)
    return {"raise_server_errors": judges, **cls._live_server_defaults(), **options}


def _app(cls: TestClass, factory: bool) -> object:
    """Build the app and check it here, where the error can name the class."""
    overridden = _users_builder(cls) is not None
    try:
        app = imported(cls.create_app())
    except ConfigurationError as error:
        place = "create_app()" if overridden else "app"
        raise _in_class(cls, place, error) from error.__cause__
    if factory:
        return app
    if overridden:
        check_app(app, f"{cls.__qualname__}.create_app() returned", BUILT)
        return app
    given = getattr(cls, "app", app)
    origin = f"app = {given!r} names" if isinstance(given, str) else "app is"
    check_app(app, f"{cls.__qualname__}.{origin}", _ON_CLASS)
    is_named = isinstance(given, str) and imported(given) is app
    return given if is_named else app  # a string names it in messages


def _in_class(cls: TestClass, place: str, error: ConfigurationError) -> ConfigurationError:
    if str(error).startswith(cls.__qualname__):
        return error
    read_environment()  # raises if the environment is wrong, not the class
    return ConfigurationError(f"{cls.__qualname__}.{place}: {error}")
