"""The requests of one server, through all its runs."""

from collections import deque
from collections.abc import Callable

from liveserver._requests.record import RequestRecord

__all__ = ["RequestLog"]

_MAX_RECORDS = 10_000


class RequestLog:
    """The last 10,000 requests, oldest first.

    Attributes:
        append: Adds a request that begins. Only the server's thread calls it; any thread may copy.
    """

    def __init__(self) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=_MAX_RECORDS)
        self.append: Callable[[RequestRecord], None] = self._records.append

    def last(self) -> RequestRecord | None:
        """Return the latest request, as a mark for `since`; None if there was none."""
        return self._records[-1] if self._records else None

    def since(self, mark: RequestRecord | None) -> list[RequestRecord]:
        """Copy the requests that came after a mark; all, if the mark is None or forgotten."""
        newest = []
        try:
            # From the newest on: as a rule, few of thousands are asked for.
            for record in reversed(self._records):
                if record is mark:
                    break
                newest.append(record)
        except RuntimeError:  # a request begins at this moment; list() copies in one step
            records = list(self._records)
            return records[records.index(mark) + 1 :] if mark in records else records
        return newest[::-1]
