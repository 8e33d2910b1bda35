"""The requests that one server gets in a span of time, such as a test."""

from time import perf_counter

from liveserver._requests.log import BackgroundFailure, Failure, RequestLog
from liveserver._requests.log_lines import LogLine
from liveserver._requests.record import RequestRecord

__all__ = ["RequestSpan"]


class RequestSpan:
    """The requests of a server from one moment on. Only the test's thread uses it.

    Args:
        log: The server's log.
    """

    def __init__(self, log: RequestLog) -> None:
        self._log = log
        self._mark = log.mark()
        self._began = perf_counter()
        log.spans.add(self)
        self._excluded: set[Failure] = set()

    def requests(self) -> list[RequestRecord]:
        """Return the requests of the span so far."""
        return [each for each in self._log.since(self._mark) if each not in self._excluded]

    def failures(self, late: bool = False) -> list[Failure]:
        """Return what the app raised in the span, and no test was told of.

        Args:
            late: Whether to add what requests of earlier spans raised after the end of these.
        """
        mark = 0 if late else self._mark
        return [each for each in self._log.failures_since(mark) if not each.reported]

    def background(self) -> list[BackgroundFailure]:
        """Return those of them that are none of a request."""
        return [each for each in self.failures() if isinstance(each, BackgroundFailure)]

    def log_lines(self) -> list[LogLine]:
        """Return what the server's threads logged in the span."""
        return self._log.lines.since(self._began)

    def exclude_since(self, mark: int) -> None:
        """Leave the requests after a mark out: they are not the test's, and fail no test."""
        for each in (*self._log.since(mark), *self._log.failures_since(mark)):
            each.reported = True
            self._excluded.add(each)

    def release(self) -> None:
        """Drop the app's exceptions, whose frames would otherwise stay alive."""
        for failure in self._log.failures_since(self._mark):
            self._log.release(failure)
        self._log.spans.discard(self)
