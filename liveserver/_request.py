"""What is written down of one request, from its beginning to its end."""

import asyncio
import logging
import time
from asyncio import current_task
from collections.abc import Awaitable, Iterable
from time import perf_counter
from typing import Any, Protocol

from liveserver._asgi import Message, Receive, Scope, Send
from liveserver._served import ServedRequest

__all__ = ["Request", "RequestWithoutWebSocket"]

_access_logger = logging.getLogger("uvicorn.access")

# What perf_counter() has to be increased by to be a time since the epoch.
_EPOCH = time.time() - perf_counter()


class _Witness(Protocol):
    loop: asyncio.AbstractEventLoop | None
    waiters: Any

    def tell_if_idle(self) -> None: ...


class Request:
    """What the witness writes down of a request. Written by the server's thread alone.

    Others may read it at any time, and get what is true now. `claimed`, `outlasted` and, when its
    test is over, `exception` are theirs. It is on the path of every request, so nothing is worked
    out before somebody asks, and no container is made for it: thousands of them that live on would
    have the garbage collector look at all that lives.

    Attributes:
        method: The HTTP method, or `"WebSocket"`.
        path: The path, percent-decoded.
        complete: The whole response was sent; what still runs is work after it.
        uvicorns: While it runs, uvicorn's own object for it, whose method `receive` is.
        task: While it runs, the task that it runs in.
        claimed: A test was told of its exception.
        outlasted: Some test has waited for its end in vain, so no other one does.
        wanted_websocket: It asked for a WebSocket, and uvicorn has no library for that.
    """

    wanted_websocket = False

    __slots__ = (
        "_client",
        "_headers",
        "_http_version",
        "_pass_on",
        "_query",
        "_scheme",
        "_witness",
        "claimed",
        "complete",
        "duration",
        "error",
        "exception",
        "method",
        "outlasted",
        "path",
        "response_bytes",
        "started",
        "status",
        "task",
        "uvicorns",
    )

    def __init__(self, witness: _Witness, scope: Scope, receive: Receive, send: Send) -> None:
        # Taken now, as an app may do to its scope what it likes.
        self.method: str = scope.get("method", "WebSocket")
        self.path: str = scope["path"]
        self._query: bytes = scope["query_string"]
        self._http_version: str = scope["http_version"]
        self._scheme: str = scope["scheme"]
        self._client: tuple[str, int] | None = scope["client"]
        self._witness = witness
        self._pass_on = send
        self.uvicorns: Any = getattr(receive, "__self__", None)
        self.task: asyncio.Task[Any] | None = current_task(witness.loop)
        self.status: int | None = None
        self.response_bytes = 0
        self.duration: float | None = None  # until the end
        self.exception: BaseException | None = None
        self.error = ""
        self.complete = False
        self.claimed = self.outlasted = False
        self._headers: Iterable[tuple[bytes, bytes]] = ()
        self.started = perf_counter()

    @property
    def event_stream(self) -> bool:
        """Whether its response is of `text/event-stream`."""
        # As bytes: h11 takes a memoryview or a string too.
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
        """Whether the client of an HTTP request has left before it had the whole response."""
        disconnected = getattr(self.uvicorns, "disconnected", False)
        return disconnected and not self.complete and self.method != "WebSocket"

    @property
    def streams(self) -> bool:
        """Whether it is in the middle of its response."""
        return self.status is not None and not self.complete

    @property
    def wanted(self) -> bool:
        """Whether a test waits for its end at the test's own."""
        return not (self.endless or self.abandoned or self.streams or self.outlasted)

    @property
    def answered(self) -> bool:
        """Whether uvicorn took the whole response without an error, such as a missing part."""
        parser = getattr(self.uvicorns, "conn", None)  # h11's, which alone has a state
        failed = getattr(getattr(parser, "our_state", None), "__name__", "") == "ERROR"
        return self.complete and not failed and getattr(self.uvicorns, "response_complete", True)

    def served(self) -> ServedRequest:
        """Write down how it stands now."""
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
        """Note the time, and let go of what belongs to the loop."""
        self.duration = perf_counter() - self.started
        self.uvicorns = self.task = None
        self._headers = ()
        self._pass_on = _too_late

    def fail(self, error: BaseException) -> None:
        """Write down what the app raised, unless it is just that the client has gone."""
        if not _is_departure(error):
            self.exception = error
            self.error = f"{type(error).__name__}: {_one_line(error)}"
            if self.status is None:
                self.status = 500  # which uvicorn sends then

    def leave_unanswered(self) -> None:
        """Write down what uvicorn answers for an app that returned and sent nothing."""
        if self.method != "WebSocket" and not self.abandoned:
            self.status = 500

    def send(self, message: Message) -> Awaitable[None]:
        """Be the app's `send`: look at the message, then return the awaitable of uvicorn's."""
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
                    # Any iterable will do, even one that can be read only once.
                    headers = list(headers)
                    message = {**message, "headers": headers}
                self._headers = headers
            if self.uvicorns is not None and not _access_logger.isEnabledFor(logging.INFO):
                self.uvicorns.access_log = False  # uvicorn writes the line first, then asks
            if self._witness.waiters:
                self._witness.tell_if_idle()  # it may be an event stream
        elif kind.startswith("websocket."):
            self._see_websocket(kind, message)
        return self._pass_on(message)

    def _see_websocket(self, kind: str, message: Message) -> None:
        if kind == "websocket.send":
            self.response_bytes += len(message.get("bytes") or message.get("text") or b"")
        elif kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close" and self.status is None:
            # A close before the accept is a refusal, says the ASGI specification.
            self.status = 403
        elif kind == "websocket.http.response.start":
            self.status = message["status"]


class RequestWithoutWebSocket(Request):
    """What is written down where uvicorn has no library for WebSockets, and takes them for GETs."""

    __slots__ = ("wanted_websocket",)

    def __init__(self, witness: _Witness, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(witness, scope, receive, send)
        self.wanted_websocket = any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in scope["headers"]
        )


def _bytes(text: Any) -> bytes:
    return text.encode("latin-1", "replace") if isinstance(text, str) else bytes(text)


async def _too_late(message: Message) -> None:
    """Be the `send` of a request whose app has returned; uvicorn ignores what comes then too."""


def _one_line(error: BaseException) -> str:
    """The text of an exception, short enough for a line of a note."""
    try:
        first, *more = str(error).splitlines() or [""]
    except Exception:
        return "its text cannot be had"
    return first if len(first) <= 200 and not more else f"{first[:200]}..."


def _is_departure(error: BaseException) -> bool:
    """Whether it only says that the client has gone; recognised without importing Starlette."""
    kind = type(error)
    return isinstance(error, asyncio.CancelledError) or (
        kind.__name__ in ("WebSocketDisconnect", "ClientDisconnect", "ClientDisconnected")
        and kind.__module__.partition(".")[0] in ("starlette", "uvicorn")
    )
