"""What a test's requests mean for the test: errors of the app, and the note of a failure."""

import re
import warnings
from types import TracebackType
from typing import Self

from liveserver._aside import aside
from liveserver._diagnosis import chain, listed, raised_at, request_line, standing
from liveserver._errors import AppError, BusyTimeout
from liveserver._logs import plain_traceback
from liveserver._request import Request
from liveserver._server import LiveServer

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

# How each note begins.
NOTE = "The server at"

__all__ = ["NOTE", "ServerRaises", "Span", "is_verdict", "raise_app_errors"]

# Seconds in which an app that has answered gets to the end of the request, before somebody looks
# at what it raised: a response arrives before the exception after it is known.
_SETTLING = 0.5

_SHOWN = 20

_NO_WEBSOCKETS = (
    "uvicorn found no library for WebSockets, and took them for plain requests. "
    'Install one: pip install "liveserver[ws]"'
)


class Span:
    """The requests of a server from one moment on. Lives in the test's thread.

    Args:
        server: The server.
        whole: Whether those that came before are among them.
    """

    def __init__(self, server: LiveServer, whole: bool = False) -> None:
        self._server = server
        self._mark = None if whole else server._journal.last()
        self._others: set[Request] = set()

    def requests(self) -> list[Request]:
        """The requests that came since."""
        requests = self._server._journal.since(self._mark)
        return [each for each in requests if each not in self._others] if self._others else requests

    def disown(self, mark: Request | None) -> None:
        """Take what the server was asked after a mark for somebody else's; it fails no test."""
        for request in self._server._journal.since(mark):
            request.claimed = True
            self._others.add(request)

    def settles(self, seconds: float) -> bool:
        """Wait until the requests have ended that have an end, and a client that waits for it.

        Args:
            seconds: How long to wait; what runs then, runs on.

        Returns:
            Whether they have.
        """
        # Even if none is known: one may be on its way.
        run = self._server._run
        if run is not None and run.alive:
            try:
                run.errands.wait_idle(seconds, whole=False)
            except BusyTimeout:
                return False
        return True

    def settle(self) -> None:
        """Do so for `shutdown_timeout`; warn of those that have not, and are not waited for again.

        Raises:
            ResourceWarning: Some have not, and the user makes warnings errors.
        """
        seconds = self._server._options.shutdown_timeout
        if self.settles(seconds):
            return
        run = self._server._run
        left = [request for request in list(self._server._witness.running) if request.wanted]
        if left and run is not None:
            for request in left:
                request.outlasted = True
            lines = [request_line(request, run.thread) for request in left]
            waited = f"Waited {seconds:g} s (shutdown_timeout) in vain for the end of"
            warnings.warn(f"{waited}:{listed(lines)}", ResourceWarning, stacklevel=2)

    def note(self) -> str:
        """Say what the server did, for a test that failed; an empty string if it did nothing."""
        requests = self.requests()
        if any(each.complete and each.duration is None for each in requests):
            self.settles(_SETTLING)
        if not requests:
            return ""
        lines = [f"{NOTE} {self._server.base_url} was asked in this test:"]
        if len(requests) > _SHOWN:
            lines.append(f"  ... and {len(requests) - _SHOWN} more before")
        run = self._server._run
        for request in requests[-_SHOWN:]:
            lines.append(f"  {request.served()}")
            if request.exception is not None:
                lines[-1] += f", {raised_at(request.exception)}"
            elif request.duration is None and run is not None:
                lines[-1] += f", {standing(request.task, run.thread)}"
        if any(each.wanted_websocket for each in requests):
            lines.append(_NO_WEBSOCKETS)
        return "\n".join(lines)

    def release(self) -> None:
        """Let go of the app's exceptions, whose frames would else be kept alive."""
        for request in self.requests():
            request.exception = None


def raise_app_errors(requests: list[Request]) -> None:
    """Raise what the app raised, once.

    Raises:
        AppError: One request raised, and nobody was told yet.
        ExceptionGroup: Several did; it holds an `AppError` for each.
    """
    errors = []
    for request in requests:
        if request.exception is not None and not request.claimed:
            request.claimed = True
            errors.append(_app_error(request, request.exception))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"The app raised in {len(errors)} requests", errors)


def is_verdict(error: BaseException) -> bool:
    """Whether it is one that `raise_app_errors` raised."""
    several = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return all(isinstance(each, AppError) for each in several)


def _app_error(request: Request, cause: BaseException) -> AppError:
    error = AppError(f"{request.served()}, {raised_at(cause)}", plain_traceback(cause))
    chain(error, cause)
    return error


class ServerRaises:
    """The context of `assertServerRaises`.

    Attributes:
        exception: The exception that the app raised; after the block.
        request: The request in which it did, a `ServedRequest`; after the block.
    """

    def __init__(
        self,
        server: LiveServer,
        expected: type[BaseException] | tuple[type[BaseException], ...],
        pattern: "str | re.Pattern[str] | None",
        failure: type[BaseException],
    ) -> None:
        self._server = server
        self._expected = expected
        self._pattern = pattern
        self._failure = failure

    def __enter__(self) -> Self:
        self._span = Span(self._server)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            self._span.settle()
            self._judge()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            await aside(self._span.settle)
            self._judge()

    def _judge(self) -> None:
        requests = self._span.requests()
        raised = [request for request in requests if request.exception is not None]
        of_type = [request for request in raised if isinstance(request.exception, self._expected)]
        if not of_type:
            raise self._failure(f"{self._names()} was not raised by the app. {_instead(requests)}")
        pattern = re.compile(self._pattern or "")
        matching = [request for request in of_type if pattern.search(str(request.exception))]
        if not matching:
            text = str(of_type[0].exception)
            raise self._failure(f'"{pattern.pattern}" does not match "{text}"')
        for request in matching:
            request.claimed = True
        first = matching[0]
        assert first.exception is not None
        self.exception = first.exception
        self.request = first.served()

    def _names(self) -> str:
        expected = self._expected if isinstance(self._expected, tuple) else (self._expected,)
        return " or ".join(kind.__name__ for kind in expected)


def _instead(requests: list[Request]) -> str:
    if not requests:
        return "It was not asked anything in the block."
    lines = "".join(f"\n  {request.served()}" for request in requests[-_SHOWN:])
    return f"It was asked in the block:{lines}"
