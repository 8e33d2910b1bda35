"""A real uvicorn server for your tests: unittest base classes and a server by hand."""

import typing as _typing

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

if _typing.TYPE_CHECKING:
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
    from liveserver._testcase.cases import (
        IsolatedAsyncioLiveServerTestCase,
        LiveServerMixin,
        LiveServerTestCase,
    )
else:
    # Where a name is, if not in `_errors`. pytest imports this package for its plugin, in projects
    # without a server too, and a server by hand needs no unittest.
    _PLACES = {
        "IsolatedAsyncioLiveServerTestCase": "_testcase.cases",
        "LiveServer": "_server.live_server",
        "LiveServerMixin": "_testcase.cases",
        "LiveServerTestCase": "_testcase.cases",
        "ServedRequest": "_requests.served_request",
    }

    def __getattr__(name: str) -> type:
        """Import a name when it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f"{__name__}.{_PLACES.get(name, '_errors')}")
        globals()[name] = getattr(module, name)
        return globals()[name]

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
