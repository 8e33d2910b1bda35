"""A real uvicorn server for your tests: unittest base classes and a server by hand."""

from liveserver._case import (
    IsolatedAsyncioLiveServerTestCase,
    LiveServerMixin,
    LiveServerTestCase,
)
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
from liveserver._server import LiveServer
from liveserver._witness import ServedRequest

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
for _public in (
    IsolatedAsyncioLiveServerTestCase,
    LiveServer,
    LiveServerMixin,
    LiveServerTestCase,
    ServedRequest,
):
    _public.__module__ = __name__
