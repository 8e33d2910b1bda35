"""The requests that a server gets in a span of time, such as a test."""

import warnings
from textwrap import indent

from liveserver._options import bounds
from liveserver._reporting.tracebacks import short_traceback
from liveserver._reporting.wording import listed, raised_at
from liveserver._requests.announcements import SETTINGS
from liveserver._requests.log import BackgroundFailure, Failure
from liveserver._requests.record import RequestRecord
from liveserver._server.live_server import LiveServer
from liveserver._server.portal import is_awaited_by_test

__all__ = ["MAX_SHOWN", "RequestSpan", "ServerNote", "failure_line"]

# How many requests a note or an error shows, and how many tracebacks.
MAX_SHOWN = 20
_MAX_TRACEBACKS = 3

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
        self._mark = 0 if whole else self._control.log.mark()
        self._control.log.spans.add(self)
        self._excluded: set[RequestRecord | BackgroundFailure] = set()

    def requests(self) -> list[RequestRecord]:
        """Return the requests of the span so far."""
        return [each for each in self._control.log.since(self._mark) if each not in self._excluded]

    def failures(self) -> list[Failure]:
        """Return what the app raised in the span, and no test was told of."""
        return [each for each in self._control.log.failures_since(self._mark) if not each.reported]

    def exclude_since(self, mark: int) -> None:
        """Leave the requests after a mark out: they are not the test's, and fail no test."""
        log = self._control.log
        for each in (*log.since(mark), *log.failures_since(mark)):
            each.reported = True
            self._excluded.add(each)

    def wait_for_requests(self, seconds: float) -> bool:
        """Wait until the requests have ended that have an end.

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
        left = [each for each in self._control.running_requests() if is_awaited_by_test(each)]
        if left:
            for record in left:
                record.waited_in_vain = True
            lines = listed(map(self._control.request_line, left))
            message = f"Requests still running after {seconds:g} s (shutdown_timeout):{lines}"
            warnings.warn(message, ResourceWarning, stacklevel=2)

    def note(self, tracebacks: bool = False) -> str:
        """Say what the server did, for a test that failed; an empty string if it did nothing.

        Args:
            tracebacks: Whether to add the tracebacks of the app's exceptions, which are then
                reported.
        """
        if any(map(_is_about_to_end, self.requests())):
            self._control.wait_for_requests(bounds.RESPONSE_END, _is_about_to_end)
        records = self.requests()
        background = [each for each in self.failures() if isinstance(each, BackgroundFailure)]
        if not records and not background:
            return ""
        lines = [f"The server at {self._server.base_url} was asked in this test:"]
        if len(records) > MAX_SHOWN:
            lines.append(f"  ... and {len(records) - MAX_SHOWN} more before")
        lines += [f"  {self._line(record)}" for record in records[-MAX_SHOWN:]]
        lines += [f"  {failure_line(failure)}" for failure in background[-MAX_SHOWN:]]
        if any(each.wanted_websocket for each in records):
            lines.append(_NO_WEBSOCKETS)
        if any(each.status == 500 and not each.error for each in records):
            lines += self._hint()
        if tracebacks:
            lines += self._tracebacks()
        return ServerNote("\n".join(lines))

    def _line(self, record: RequestRecord) -> str:
        if record.exception is not None:
            return failure_line(record)
        waits = record.duration is None and not record.complete
        place = self._control.place(record) if waits else ""
        return f"{record.served()}, {place}" if place else f"{record.served()}"

    def _hint(self) -> list[str]:
        """Name the setting of a framework that keeps its exceptions to itself."""
        framework = type(self._server.app).__module__.partition(".")[0]
        setting = SETTINGS.get(framework)
        if setting is None:
            return []
        return [f"{framework} answers 500 by itself. For its exceptions here, {setting}."]

    def _tracebacks(self) -> list[str]:
        failures = self.failures()
        for each in failures:
            each.reported = True
        shown = failures[:_MAX_TRACEBACKS]
        # Indented, so that no line of an exception's text can be taken for one of the report.
        return [indent(short_traceback(each.exception), "    ") for each in shown if each.exception]

    def release(self) -> None:
        """Drop the app's exceptions, whose frames would otherwise stay alive."""
        log = self._control.log
        for failure in log.failures_since(self._mark):
            log.release(failure)
        log.spans.discard(self)


def _is_about_to_end(record: RequestRecord) -> bool:
    """Whether a request has answered, at least in part, or lost its client, and may still raise."""
    if record.duration is not None or record.waits_are_over:
        return False
    return record.abandoned or (record.status is not None and not record.endless)


def failure_line(failure: Failure) -> str:
    """Say what raised what, and where."""
    text = failure.served() if isinstance(failure, RequestRecord) else failure
    place = "" if failure.exception is None else f", {raised_at(failure.exception)}"
    return f"{text}{place}"
