"""The requests that a server gets in a span of time, such as a test."""

import warnings

from liveserver._options import bounds
from liveserver._reporting.wording import listed, raised_at
from liveserver._requests.record import RequestRecord
from liveserver._server.live_server import LiveServer

__all__ = ["MAX_SHOWN", "RequestSpan", "ServerNote"]

# How many requests a note or an error shows.
MAX_SHOWN = 20

_NO_WEBSOCKETS = (
    "uvicorn found no library for WebSockets, and took them for plain requests. "
    'Install one: pip install "liveserver[ws]"'
)


class ServerNote(str):
    """A note about a server, on an exception; its class tells it from notes of others."""

    __slots__ = ()


class RequestSpan:
    """The requests of a server from one moment on. Only the test's thread uses it.

    Args:
        server: The server.
        whole: Whether earlier requests are among them.
    """

    def __init__(self, server: LiveServer, whole: bool = False) -> None:
        self._server = server
        self._control = server._control
        self._mark = None if whole else self._control.log.last()
        self._excluded: set[RequestRecord] = set()

    def requests(self) -> list[RequestRecord]:
        """Return the requests of the span so far."""
        records = self._control.log.since(self._mark)
        return (
            [each for each in records if each not in self._excluded] if self._excluded else records
        )

    def exclude_since(self, mark: RequestRecord | None) -> None:
        """Leave the requests after a mark out: they are not the test's, and fail no test."""
        for record in self._control.log.since(mark):
            record.reported = True
            self._excluded.add(record)

    def wait_for_requests(self, seconds: float) -> bool:
        """Wait until the requests have ended that have an end, and a client that waits for it.

        Args:
            seconds: How long to wait; what runs then, runs on.

        Returns:
            Whether they have ended.
        """
        return self._control.wait_for_requests(seconds)

    def finish_requests(self) -> None:
        """Wait for them for `shutdown_timeout`; warn of those that still run.

        No later call waits for those again.

        Raises:
            ResourceWarning: Some still run, and the user makes warnings errors.
        """
        seconds = self._control.options.shutdown_timeout
        if self.wait_for_requests(seconds):
            return
        left = [record for record in self._control.running_requests() if record.awaited_by_test]
        if left:
            for record in left:
                record.waited_in_vain = True
            lines = listed(map(self._control.request_line, left))
            message = f"Requests still running after {seconds:g} s (shutdown_timeout):{lines}"
            warnings.warn(message, ResourceWarning, stacklevel=2)

    def note(self) -> str:
        """Say what the server did, for a test that failed; an empty string if it did nothing."""
        records = self.requests()
        if any(each.complete and each.duration is None for each in records):
            self.wait_for_requests(bounds.RESPONSE_END)
        if not records:
            return ""
        lines = [f"The server at {self._server.base_url} was asked in this test:"]
        if len(records) > MAX_SHOWN:
            lines.append(f"  ... and {len(records) - MAX_SHOWN} more before")
        for record in records[-MAX_SHOWN:]:
            lines.append(f"  {record.served()}")
            if record.exception is not None:
                lines[-1] += f", {raised_at(record.exception)}"
            elif record.duration is None and (place := self._control.place(record)):
                lines[-1] += f", {place}"
        if any(each.wanted_websocket for each in records):
            lines.append(_NO_WEBSOCKETS)
        return ServerNote("\n".join(lines))

    def release(self) -> None:
        """Drop the app's exceptions, whose frames would otherwise stay alive."""
        for record in self.requests():
            record.exception = None
