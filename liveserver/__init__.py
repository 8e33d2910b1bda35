"""A real uvicorn server for your tests: unittest base classes and a server by hand."""

import typing as _typing

from liveserver._errors import (
    AppError,
    BusyTimeout,
    ConfigurationError,
    LiveServerError,
    NotRunningError,
    ShutdownError,
    ShutdownTimeout,
    StartupError,
    StartupTimeout,
)
from liveserver._requests.served_request import ServedRequest
from liveserver._server.live_server import LiveServer

__all__ = [
    "AppError",
    "BusyTimeout",
    "ConfigurationError",
    "IsolatedAsyncioLiveServerTestCase",
    "LiveServer",
    "LiveServerError",
    "LiveServerMixin",
    "LiveServerTestCase",
    "NotRunningError",
    "ServedRequest",
    "ShutdownError",
    "ShutdownTimeout",
    "StartupError",
    "StartupTimeout",
]

__version__ = "0.1.0"

# Tracebacks and reprs show the names that users import.
LiveServer.__module__ = ServedRequest.__module__ = __name__

if _typing.TYPE_CHECKING:
    from liveserver._testcase.cases import (
        IsolatedAsyncioLiveServerTestCase,
        LiveServerMixin,
        LiveServerTestCase,
    )
else:

    def __getattr__(name: str) -> type:
        """Import the test cases when one is asked for: a server by hand needs no unittest."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from liveserver._testcase import cases

        for each in (
            cases.IsolatedAsyncioLiveServerTestCase,
            cases.LiveServerMixin,
            cases.LiveServerTestCase,
        ):
            each.__module__ = __name__
            globals()[each.__name__] = each
        return globals()[name]

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
