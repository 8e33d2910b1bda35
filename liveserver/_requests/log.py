"""The requests of one server, through all its runs, and the app's exceptions that no test knows."""

import itertools
import traceback
from collections import deque
from time import perf_counter
from weakref import WeakSet

from liveserver._errors import describe_error
from liveserver._requests.log_lines import LogLines
from liveserver._requests.record import RequestRecord

__all__ = ["BackgroundFailure", "Failure", "RequestLog"]

_MAX_RECORDS = 10_000
# Of a server whose requests no test follows.
_MAX_UNFOLLOWED = 100


class BackgroundFailure:
    """What the app raised outside of requests: in a task of its own, or in its lifespan.

    Attributes:
        what: What raised: `task 'send_mail'`.
        exception: The exception; None when its test has ended.
        reported: A test has raised it.
        number: Its place among the requests. `RequestLog` sets it.
        started: When it was raised, by `time.perf_counter`.
    """

    number = 0
    duration = 0.0

    def __init__(self, what: str, exception: BaseException) -> None:
        self.what = what
        self.exception: BaseException | None = exception
        self.error = describe_error(exception)
        self.reported = False
        self.started = perf_counter()

    def __str__(self) -> str:
        return f"{self.what} raised {self.error}"


# What fails a test.
Failure = RequestRecord | BackgroundFailure


class RequestLog:
    """The last 10,000 requests, oldest first, and all failures that were not released yet.

    The server's thread adds to it; any thread may copy from it.

    Args:
        log_level: The level from which on `lines` are kept; None keeps none.

    Attributes:
        spans: The spans that tests follow. While there is one, failures keep their frames.
        lines: What the server's threads logged.
    """

    def __init__(self, log_level: int | None = None) -> None:
        self.spans: WeakSet[object] = WeakSet()
        self.lines = LogLines(log_level)
        self._records: deque[RequestRecord] = deque(maxlen=_MAX_RECORDS)
        # By their numbers. Each change is one step, so that threads need no lock.
        self._failures: dict[int, Failure] = {}
        self._numbers = itertools.count(1)
        self._last = 0

    def mark(self) -> int:
        """Return the number of the latest entry, for `since`."""
        return self._last

    def append(self, record: RequestRecord) -> None:
        """Add a request that begins. Only the server's thread calls this."""
        record.number = self._last = next(self._numbers)
        self._records.append(record)

    def add_failure(self, failure: Failure) -> None:
        """Keep what the app raised until a test has been told of it."""
        if not failure.number:
            failure.number = self._last = next(self._numbers)
        self._failures[failure.number] = failure
        if not self.spans and failure.exception is not None:
            # Its frames may hold the bodies of requests.
            _clear_frames(failure.exception)
            for number in list(self._failures)[:-_MAX_UNFOLLOWED]:
                self._failures.pop(number).exception = None

    def since(self, mark: int = 0) -> list[RequestRecord]:
        """Copy the requests that came after a mark: those that are kept, and those that failed."""
        newest = []
        try:
            # From the newest on: as a rule, few of thousands are asked for.
            for record in reversed(self._records):
                if record.number <= mark:
                    break
                newest.append(record)
        except RuntimeError:  # a request begins at this moment; list() copies in one step
            newest = [each for each in list(self._records)[::-1] if each.number > mark]
        records = newest[::-1]
        if len(records) == self._records.maxlen:
            oldest = records[0].number
            failed = [each for each in self.failures_since(mark) if each.number < oldest]
            records = [each for each in failed if isinstance(each, RequestRecord)] + records
        return records

    def failures_since(self, mark: int = 0) -> list[Failure]:
        """Copy the failures whose request came after a mark, in the order of the requests."""
        failures = [each for each in list(self._failures.values()) if each.number > mark]
        return sorted(failures, key=lambda each: each.number)

    def release(self, failure: Failure) -> None:
        """Drop the exception of a failure, whose frames would otherwise stay alive."""
        failure.exception = None
        self._failures.pop(failure.number, None)


def _clear_frames(error: BaseException) -> None:
    """Drop the local variables of an exception's frames, and of those of its causes."""
    seen: set[int] = set()
    rest: list[BaseException | None] = [error]
    while rest:
        each = rest.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            rest += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
