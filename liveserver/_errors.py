"""The exceptions, by whose fault it is, and how an exception becomes text.

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

from collections.abc import Iterator, Sequence
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
    "describe_error",
    "leaves_of",
    "printable",
    "text_of",
    "without_first_frame",
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


# Longer texts are cut in the middle: what matters is at the beginning or at the end.
_MAX_TEXT = 300


def printable(text: str, limit: int = _MAX_TEXT) -> str:
    """Return a text of at most about `limit` characters, with escapes for what is not printable.

    Text that comes from a request or an exception may hold line breaks and escape sequences, which
    would forge lines of a report, or be a megabyte long.
    """
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]} ... {text[-half:]}"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def text_of(error: BaseException) -> str:
    """Return `str(error)`, whatever its `__str__` does."""
    try:
        return str(error)
    except Exception:
        return "(its __str__ raises)"


def describe_error(error: BaseException) -> str:
    """Name an exception in one line: `LookupError: no such item`; of a group, its leaves too."""
    text = printable(text_of(error))
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        leaves = [describe_error(each) for each in leaves_of(error)]
        line += f" [{printable('; '.join(leaves))}]"
    return line


def without_first_frame(error: BaseException) -> BaseException:
    """Drop the outermost frame of an exception, of the function here that has caught it.

    That frame would make a reference cycle of the exception and the object that keeps it.
    """
    traceback = error.__traceback__
    return error if traceback is None else error.with_traceback(traceback.tb_next)


def leaves_of(error: BaseException) -> Iterator[BaseException]:
    """Return the exceptions in a group that are no groups; of any other exception, itself."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves_of(each)
    else:
        yield error


# Tracebacks show the module that users import them from.
for _class in (LiveServerError, *LiveServerError.__subclasses__(), StartupTimeout, ShutdownTimeout):
    _class.__module__ = "liveserver"
