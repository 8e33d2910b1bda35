"""The exceptions, by whose fault it is.

LiveServerError                          base, never raised itself
├── ConfigurationError                   the test class or an argument is wrong
├── StartupError                         the app or the port refused; __cause__ says why
│   └── StartupTimeout (TimeoutError)    .seconds
├── ShutdownError                        the app failed while stopping
│   └── ShutdownTimeout (TimeoutError)   .seconds, .pending
├── AppError                             an exception the app did not handle
├── BusyTimeout (TimeoutError)           .seconds, .pending
└── NotRunningError (AttributeError)     asked for an address before the start
"""

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AppError",
    "BusyTimeout",
    "ConfigurationError",
    "LiveServerError",
    "NotRunningError",
    "ShutdownError",
    "ShutdownTimeout",
    "StartupError",
    "StartupTimeout",
]


class LiveServerError(Exception):
    """Base of all errors of liveserver, never raised itself."""


class ConfigurationError(LiveServerError):
    """A test class or an argument is wrong: no app, not callable, unknown option, bad value."""


class StartupError(LiveServerError):
    """The app or the port refused to start; `__cause__` is the exception that says why."""


class StartupTimeout(StartupError, TimeoutError):
    """The app was not ready within `startup_timeout`.

    Attributes:
        seconds: The bound that was exceeded, in seconds.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.seconds), vars(self)


class ShutdownError(LiveServerError):
    """The app failed while stopping; `__cause__` is its exception, if there was one."""


class _PendingTimeout(TimeoutError):
    """Base of the timeouts that name what still runs."""

    def __init__(self, message: str, seconds: float, pending: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.pending = tuple(pending)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.seconds, self.pending), vars(self)


class ShutdownTimeout(ShutdownError, _PendingTimeout):
    """The server was not down within its bounds.

    Attributes:
        seconds: The bound that was exceeded, in seconds.
        pending: What was still running, one line each.
    """


class BusyTimeout(LiveServerError, _PendingTimeout):
    """A wait for a busy server has ended without success.

    Attributes:
        seconds: The bound that was exceeded, in seconds.
        pending: The requests that were still running, one line each.
    """


class AppError(LiveServerError):
    """An exception that the app did not handle, raised in the test that caused it.

    Its `__cause__` is the app's own exception. To the parent process of a parallel test runner it
    carries the text alone.

    Attributes:
        traceback: The app's traceback, as text.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.traceback), vars(self)


class NotRunningError(LiveServerError, AttributeError):
    """The server has no address yet: it was not started.

    It is an `AttributeError`, for `hasattr` and for tools that read all attributes of a class, such
    as `inspect.getmembers`.
    """


# Tracebacks show the module that users import them from.
for _name in __all__:
    globals()[_name].__module__ = "liveserver"
