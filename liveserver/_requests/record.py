"""The record of one request, from its beginning to its end."""

import asyncio
import logging
import time
from asyncio import current_task
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any

from liveserver._app.asgi import Message, Receive, Scope, Send
from liveserver._requests.served_request import ServedRequest

__all__ = ["RecordWithoutWebSocket", "RequestRecord"]

_access_logger = logging.getLogger("uvicorn.access")

# Added to perf_counter(), it gives the seconds since the epoch.
_EPOCH = time.time() - perf_counter()


class RequestRecord:
    """The facts about a request, as `RecordingMiddleware` sees them.

    The server's thread writes it; any thread may read it at any time, and gets what is true now.
    Three fields belong to the tests' threads: `reported`, `waited_in_vain` and, once the request
    has ended, `exception`. Every request pays for this object, so nothing is computed before
    a reader asks, and it makes no container: the garbage collector would visit each of thousands.

    Attributes:
        method: The HTTP method, or `"WebSocket"`.
        path: The path, percent-decoded.
        complete: The app sent the whole response. What still runs is work after it.
        cycle: uvicorn's own object for the request, while it runs: the one that `receive` is a
            method of.
        task: The task that the request runs in, while it runs.
        reported: A test has raised its exception, or expected it.
        waited_in_vain: A test has waited for its end until `shutdown_timeout`; no other test waits.
        wanted_websocket: It asked for a WebSocket, and uvicorn has no library for that.
    """

    wanted_websocket = False

    __slots__ = (
        "_client",
        "_headers",
        "_http_version",
        "_on_response_start",
        "_query",
        "_scheme",
        "_send",
        "complete",
        "cycle",
        "duration",
        "error",
        "exception",
        "method",
        "path",
        "reported",
        "response_bytes",
        "started",
        "status",
        "task",
        "waited_in_vain",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None,
        on_response_start: Callable[[], None],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        # Now, because the app may change its scope.
        self.method: str = scope.get("method", "WebSocket")
        self.path: str = scope["path"]
        self._query: bytes = scope["query_string"]
        self._http_version: str = scope["http_version"]
        self._scheme: str = scope["scheme"]
        self._client: tuple[str, int] | None = scope["client"]
        self._on_response_start = on_response_start
        self._send = send
        self.cycle: Any = getattr(receive, "__self__", None)
        self.task: asyncio.Task[Any] | None = current_task(loop)
        self.status: int | None = None
        self.response_bytes = 0
        self.duration: float | None = None  # until the end
        self.exception: BaseException | None = None
        self.error = ""
        self.complete = False
        self.reported = self.waited_in_vain = False
        self._headers: Iterable[tuple[bytes, bytes]] = ()
        self.started = perf_counter()

    @property
    def event_stream(self) -> bool:
        """Whether its response is of the type `text/event-stream`."""
        # h11 also accepts a memoryview or a string.
        return any(
            _bytes(name).lower() == b"content-type"
            and _bytes(value).startswith(b"text/event-stream")
            for name, value in self._headers
        )

    @property
    def endless(self) -> bool:
        """Whether it has no end of its own: a WebSocket, or an event stream."""
        return self.method == "WebSocket" or self.event_stream

    @property
    def abandoned(self) -> bool:
        """Whether the client of an HTTP request left before it had the whole response."""
        disconnected = getattr(self.cycle, "disconnected", False)
        return disconnected and not self.complete and self.method != "WebSocket"

    @property
    def response_started(self) -> bool:
        """Whether its response has begun, and is not complete."""
        return self.status is not None and not self.complete

    @property
    def awaited_by_test(self) -> bool:
        """Whether the end of a test waits for it."""
        return not (self.endless or self.abandoned or self.response_started or self.waited_in_vain)

    @property
    def answered(self) -> bool:
        """Whether uvicorn took the whole response without an error, such as a missing part."""
        parser = getattr(self.cycle, "conn", None)  # h11's, which alone has a state
        failed = getattr(getattr(parser, "our_state", None), "__name__", "") == "ERROR"
        return self.complete and not failed and getattr(self.cycle, "response_complete", True)

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
        )

    @property
    def cancelling(self) -> bool:
        """Whether the task in which the app runs was cancelled, and has not ended yet."""
        return self.task is not None and self.task.cancelling() > 0

    def cancel(self) -> None:
        """Cancel the task in which the app runs."""
        assert self.task is not None  # it runs
        self.task.cancel()

    def end(self) -> None:
        """Record the time, and drop all references to the loop's objects."""
        self.duration = perf_counter() - self.started
        self.cycle = self.task = None
        self._headers = ()
        self._on_response_start = _nothing
        self._send = _ignore

    def fail(self, error: BaseException) -> None:
        """Record what the app raised, unless it only says that the client has left."""
        if not _is_departure(error):
            self.exception = error
            self.error = f"{type(error).__name__}: {_one_line(error)}"
            if self.status is None:
                self.status = 500  # which uvicorn sends then

    def leave_unanswered(self) -> None:
        """Record what uvicorn answers for an app that returned and sent nothing."""
        if self.method != "WebSocket" and not self.abandoned:
            self.status = 500

    def send(self, message: Message) -> Awaitable[None]:
        """Record a message of the app's, and pass it on to uvicorn's `send`."""
        kind = message["type"]
        if kind == "http.response.body":
            if "body" in message:
                self.response_bytes += len(message["body"])
            if "more_body" not in message or not message["more_body"]:
                self.complete = True
        elif kind == "http.response.start":
            self.status = message["status"]
            if "headers" in message:
                headers = message["headers"]
                if type(headers) is not list:
                    # Any iterable is allowed, even one that can be read only once.
                    headers = list(headers)
                    message = {**message, "headers": headers}
                self._headers = headers
            if self.cycle is not None and not _access_logger.isEnabledFor(logging.INFO):
                # uvicorn formats the line before it asks whether it is logged.
                self.cycle.access_log = False
            self._on_response_start()
        elif kind.startswith("websocket."):
            self._record_websocket(kind, message)
        return self._send(message)

    def _record_websocket(self, kind: str, message: Message) -> None:
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
        self,
        loop: asyncio.AbstractEventLoop | None,
        on_response_start: Callable[[], None],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        super().__init__(loop, on_response_start, scope, receive, send)
        self.wanted_websocket = any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in scope["headers"]
        )


def _bytes(text: Any) -> bytes:
    return text.encode("latin-1", "replace") if isinstance(text, str) else bytes(text)


def _nothing() -> None:
    """Do nothing: the request has ended."""


async def _ignore(message: Message) -> None:
    """Ignore what an app sends after it has returned, as uvicorn does."""


def _one_line(error: BaseException) -> str:
    """The text of an exception, short enough for a line of a note."""
    try:
        first, *more = str(error).splitlines() or [""]
    except Exception:
        return "(its __str__ raises)"
    return first if len(first) <= 200 and not more else f"{first[:200]}..."


def _is_departure(error: BaseException) -> bool:
    """Whether it only says that the client has left; recognised without importing Starlette."""
    kind = type(error)
    return isinstance(error, asyncio.CancelledError) or (
        kind.__name__ in ("WebSocketDisconnect", "ClientDisconnect", "ClientDisconnected")
        and kind.__module__.partition(".")[0] in ("starlette", "uvicorn")
    )
