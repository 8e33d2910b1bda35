"""The record of one request, from its beginning to its end."""

import asyncio
import time
from asyncio import current_task
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from liveserver._app.asgi import Message, Receive, Scope, client_left, cycle_of
from liveserver._errors import describe_error, without_first_frame
from liveserver._requests.departure import without_departures
from liveserver._requests.served_request import ServedRequest

__all__ = ["RecordWithoutWebSocket", "RequestRecord"]

# Added to perf_counter(), it gives the seconds since the epoch.
_EPOCH = time.time() - perf_counter()

_MAX_HEADER_BYTES = 16_384

# How often a wait counts a request whose client has left; see bounds.CLIENT_LEFT.
_MAX_WAITS = 2


class RequestRecord:
    """The facts about a request, as `RecordingMiddleware` sees them.

    The server's thread writes it; any thread may read it at any time, and gets what is true now.
    Three fields belong to the tests' threads: `reported`, `waited_in_vain` and, once the request
    has ended, `exception`. Every request pays for this object, so nothing is computed before
    a reader asks, and it makes no container: the garbage collector would visit each of thousands.

    Attributes:
        number: Its place among the requests of the server, from 1 on. `RequestLog` sets it.
        method: The HTTP method, or `"WebSocket"`.
        path: The path that the client asked for, percent-decoded.
        complete: The app has sent the whole response. What still runs is work after it.
        answered_after: Seconds until the client had the whole response.
        cycle: uvicorn's own object for the request, while it runs: the one that `receive` is a
            method of.
        task: The task that the request runs in, while it runs.
        client_closed: The app has received the disconnect of its WebSocket.
        by_uvicorn: uvicorn itself answered it; the app was not asked.
        announced: What the framework caught by itself, and said by a signal. Any thread sets it.
        reported: A test has raised its exception, or expected it.
        waited_in_vain: A test has waited for its end until `shutdown_timeout`; no other test waits.
        wanted_websocket: It asked for a WebSocket, and uvicorn has no library for that.
    """

    wanted_websocket = False

    __slots__ = (
        "_cancelled",
        "_client",
        "_http_version",
        "_query",
        "_raw_path",
        "_request_headers",
        "_response_headers",
        "_scheme",
        "_waits",
        "announced",
        "answered_after",
        "by_uvicorn",
        "client_closed",
        "complete",
        "cycle",
        "duration",
        "error",
        "exception",
        "method",
        "number",
        "path",
        "remark",
        "reported",
        "response_bytes",
        "started",
        "status",
        "task",
        "waited_in_vain",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop | None, scope: Scope, receive: Receive | None
    ) -> None:
        # Now, because the app may change its scope.
        self.method: str = scope.get("method", "WebSocket")
        self.path: str = scope["path"]
        self._raw_path: bytes = scope.get("raw_path") or b""
        root_path: str = scope.get("root_path") or ""
        if root_path and self.path.startswith(root_path):
            # uvicorn puts it in front of what the client sent.
            self.path = self.path[len(root_path) :]
            self._raw_path = self._raw_path.removeprefix(root_path.encode())
        self._query: bytes = scope["query_string"]
        self._http_version: str = scope["http_version"]
        self._scheme: str = scope["scheme"]
        self._client: tuple[str, int] | None = scope["client"]
        self._request_headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        self._response_headers: Iterable[tuple[bytes, bytes]] = ()
        self.cycle: Any = cycle_of(receive)
        self.task: asyncio.Task[Any] | None = current_task(loop)
        self.number = 0
        self.status: int | None = None
        self.response_bytes = 0
        self.duration: float | None = None  # until the end
        self.answered_after: float | None = None
        self.exception: BaseException | None = None
        self.announced: BaseException | None = None
        self.error = self.remark = ""
        self.complete = self.client_closed = self._cancelled = False
        self.reported = self.waited_in_vain = self.by_uvicorn = False
        self._waits = 0
        self.started = perf_counter()

    @property
    def event_stream(self) -> bool:
        """Whether its response is of the type `text/event-stream`."""
        # h11 also accepts a memoryview or a string.
        return any(
            _bytes(name).lower() == b"content-type"
            and _bytes(value).startswith(b"text/event-stream")
            for name, value in self._response_headers
        )

    @property
    def endless(self) -> bool:
        """Whether it has no end of its own: a WebSocket, or an event stream."""
        return self.method == "WebSocket" or self.event_stream

    @property
    def abandoned(self) -> bool:
        """Whether it runs, and its client left before it had the whole response."""
        if self.complete or self.cycle is None:
            return False
        return self.client_closed or client_left(self.cycle)

    @property
    def response_started(self) -> bool:
        """Whether its response has begun, and is not complete."""
        return self.status is not None and not self.complete

    @property
    def waits_are_over(self) -> bool:
        """Whether its client has left and a wait has lasted for its end long enough."""
        return self._waits >= _MAX_WAITS and self.abandoned

    @property
    def answered(self) -> bool:
        """Whether uvicorn took the whole response without an error, such as a missing part."""
        parser = getattr(self.cycle, "conn", None)  # h11's, which alone has a state
        failed = getattr(getattr(parser, "our_state", None), "__name__", "") == "ERROR"
        return self.complete and not failed and getattr(self.cycle, "response_complete", True)

    @property
    def cancelling(self) -> bool:
        """Whether the server has cancelled it, and it has not ended yet."""
        return self._cancelled and self.task is not None

    def served(self) -> ServedRequest:
        """Return what is known of it now, for the user."""
        client = self._client
        duration = self.duration
        return ServedRequest(
            method="GET" if self.method == "WebSocket" else self.method,
            path=self.path,
            query=self._query.decode("latin-1"),
            http_version=self._http_version,
            scheme=self._scheme,
            client=None if client is None else (client[0], client[1]),
            status=self.status,
            started=_EPOCH + self.started,
            duration=perf_counter() - self.started if duration is None else duration,
            response_bytes=self.response_bytes,
            running=duration is None,
            exception=self.exception,
            error=self.error,
            raw_path=self._raw_path,
            headers=tuple((bytes(name), bytes(value)) for name, value in self._request_headers),
            answered_after=self.answered_after,
            by_uvicorn=self.by_uvicorn,
        )

    # On the server's loop.

    def cancel(self) -> None:
        """Cancel the task in which the app runs, because the server stops."""
        if self.task is not None:
            self._cancelled = True
            self.task.cancel()

    def count_wait(self) -> None:
        """Count a wait for its end that lasted `bounds.CLIENT_LEFT`, if its client has left."""
        if self.abandoned:
            self._waits += 1

    def end(self) -> None:
        """Record the time, and drop all references to the loop's objects."""
        self.duration = perf_counter() - self.started
        self.cycle = self.task = self.announced = None
        self._response_headers = ()
        self._request_headers = _bounded(self._request_headers)

    def fail(self, error: BaseException) -> None:
        """Record what the app raised, unless it only says that the client has left."""
        left = self.client_closed or client_left(self.cycle)
        failure = without_departures(error, left, self._cancelled)
        if failure is not None:
            self.exception = without_first_frame(failure)  # which has this record
            self.error = describe_error(failure)
        if self.status is None:
            self.leave_unanswered()

    def leave_unanswered(self) -> None:
        """Record what uvicorn answers for an app that has sent nothing: 500, if its client waits.

        If uvicorn has refused the start of the app's response, it ends the connection instead.
        """
        left = self.client_closed or client_left(self.cycle)
        if not (left or getattr(self.cycle, "response_started", False)):
            self.status = 500

    def sent(self, message: Message) -> None:
        """Record a message of the app's that uvicorn has sent."""
        kind = message["type"]
        dropped = getattr(self.cycle, "disconnected", False)  # by uvicorn
        if kind == "http.response.body":
            if "body" in message and not dropped and self.method != "HEAD":
                self.response_bytes += len(message["body"])
            if "more_body" not in message or not message["more_body"]:
                self.complete = True
                if not dropped:
                    self.answered_after = perf_counter() - self.started
        elif kind == "http.response.start":
            if not dropped:
                self.status = message["status"]
            if "headers" in message:
                self._response_headers = message["headers"]
        elif kind.startswith("websocket."):
            self._sent_by_websocket(kind, message)

    def _sent_by_websocket(self, kind: str, message: Message) -> None:
        if kind == "websocket.send":
            self.response_bytes += len(message.get("bytes") or message.get("text") or b"")
        elif kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close" and self.status is None:
            # By the ASGI specification, a close before the accept is a refusal.
            self.status = 403
        elif kind == "websocket.http.response.start":
            self.status = message["status"]


class RecordWithoutWebSocket(RequestRecord):
    """A record for a uvicorn without a WebSocket library, which serves WebSockets as GETs."""

    __slots__ = ("wanted_websocket",)

    def __init__(
        self, loop: asyncio.AbstractEventLoop | None, scope: Scope, receive: Receive | None
    ) -> None:
        super().__init__(loop, scope, receive)
        self.wanted_websocket = any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in scope["headers"]
        )


def _bounded(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """Return the first headers, of `_MAX_HEADER_BYTES` at most: the log keeps thousands."""
    kept = list(headers)  # uvicorn adds trailers to its own list
    size = 0
    for number, (name, value) in enumerate(kept):
        size += len(name) + len(value)
        if size > _MAX_HEADER_BYTES:
            return kept[:number]
    return kept


def _bytes(text: Any) -> bytes:
    return text.encode("latin-1", "replace") if isinstance(text, str) else bytes(text)
