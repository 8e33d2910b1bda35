"""The ASGI middleware around the user's app: which requests run, and who waits for them."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

from liveserver._app.asgi import ASGIApp, Message, Receive, Scope, Send
from liveserver._requests.log import RequestLog
from liveserver._requests.record import RequestRecord
from liveserver._sync.latches import Outcome

__all__ = ["Awaited", "RecordingMiddleware", "current_record"]

_logger = logging.getLogger("uvicorn.error")
_access_logger = logging.getLogger("uvicorn.access")

# The request that the current task, or worker thread, belongs to.
current_record: ContextVar[RequestRecord | None] = ContextVar("liveserver_record", default=None)

# What a record says of a request that uvicorn could not read.
_UNKNOWN: Mapping[str, Any] = {
    "method": "(invalid request)",
    "path": "",
    "query_string": b"",
    "http_version": "1.1",
    "scheme": "http",
    "client": None,
    "headers": [],
}

# Whether a wait is for a request.
Awaited = Callable[[RequestRecord], bool]


class RecordingMiddleware:
    """Stands between uvicorn and the app, for one run of a server.

    Attributes:
        app: The user's app. The server's thread sets it before it serves.
        loop: The server's loop. The server's thread sets it before it serves.
        log: The requests of all runs of the server.
        tasks: uvicorn's tasks, one for each request. Set before the server's thread starts.
        running: The running requests. Only the server's thread changes it; any thread may copy it.
        every_second: Called by a request, at most once a second. Written before the server's thread
            starts.
        on_end: Called when the run is over. Any thread may replace it.
        record_class: The class of the records. Any thread may replace it by a subclass.
    """

    def __init__(self, log: RequestLog) -> None:
        self.app: ASGIApp | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.log = log
        self.tasks: Collection[asyncio.Task[Any]] = ()
        self.running: set[RequestRecord] = set()
        self.every_second: Callable[[], None] = _nothing
        self.on_end: Callable[[], None] = _nothing
        self.record_class = RequestRecord
        self._next_second = 0.0
        # Who waits, and for which requests. Only the server's thread uses it.
        self._waiters: list[tuple[Outcome[None], Awaited]] = []

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Run the app for one request, and record what comes of it."""
        record = self.record_class(self.loop, scope, receive)
        if record.started >= self._next_second:
            self._next_second = record.started + 1
            self.every_second()
        self.running.add(record)
        self.log.append(record)
        current_record.set(record)
        if record.method == "WebSocket":
            receive = _noting_disconnect(record, receive)
        try:
            result = await self.app(scope, receive, partial(self._send, record, send))  # type: ignore[misc]  # it is set by now
            if result is not None:
                # uvicorn complains, and ends the connection.
                self._fail(record, TypeError(f"The app returned {result!r}, not None."))
            elif record.announced is not None:
                self._fail(record, record.announced)
            elif record.status is None:
                record.leave_unanswered()
            return result
        except BaseException as error:
            self._fail(record, error)
            if not record.answered:
                raise
            # uvicorn would close the connection without having said so in the response, and the
            # client's next request on it would fail. The client has its answer: log and go on.
            _logger.error("Exception in ASGI application\n", exc_info=error)
            return None
        finally:
            self.running.remove(record)
            record.end()
            self.wake_waiters()

    def add_refusal(self, status: int, scope: Mapping[str, Any]) -> None:
        """Record a request that uvicorn answers by itself. Runs on the loop.

        Args:
            status: The status of the answer.
            scope: What is known of the request.
        """
        self.every_second()  # which renews the date of the answer
        record = RequestRecord(self.loop, {**_UNKNOWN, **scope}, None)
        record.by_uvicorn = record.complete = True
        record.status = status
        record.end()
        self.log.append(record)

    async def _send(self, record: RequestRecord, send: Send, message: Message) -> None:
        """Send a message of the app's, and record what uvicorn has sent."""
        starts = message["type"] == "http.response.start"
        if starts:
            if "headers" in message and type(message["headers"]) is not list:
                # Any iterable is allowed, even one that can be read only once.
                message = {**message, "headers": list(message["headers"])}
            if record.cycle is not None and not _access_logger.isEnabledFor(logging.INFO):
                # uvicorn formats the line before it asks whether it is logged.
                record.cycle.access_log = False
        await send(message)
        record.sent(message)
        if starts:
            self.wake_waiters()  # it may be an event stream

    def _fail(self, record: RequestRecord, error: BaseException) -> None:
        record.fail(error)
        if record.exception is not None:
            self.log.add_failure(record)

    def when_idle(self, waiter: Outcome[None], awaited: Awaited) -> None:
        """Set an outcome when no request runs that is awaited."""
        self._waiters.append((waiter, awaited))
        self.wake_waiters()

    def wake_waiters(self) -> None:
        """Set the outcomes whose moment has come."""
        if not self._waiters or self._has_new_request():
            return
        waiters, self._waiters = self._waiters, []
        for waiter, awaited in waiters:
            if any(map(awaited, self.running)):
                self._waiters.append((waiter, awaited))
            else:
                waiter.set_result(None)

    def _has_new_request(self) -> bool:
        """Whether uvicorn has a task that has not called the app yet, as for a pipelined request.

        Its end wakes the waiters: it may be one that uvicorn itself answers.
        """
        known = {record.task for record in self.running}
        current = asyncio.current_task(self.loop)
        for task in self.tasks:
            if not task.done() and task is not current and task not in known:
                task.remove_done_callback(self._on_task_done)
                task.add_done_callback(self._on_task_done)
                return True
        return False

    def _on_task_done(self, _: object) -> None:
        self.wake_waiters()

    def count_waits(self) -> None:
        """Count a wait of `bounds.CLIENT_LEFT` for each request whose client has left."""
        for record in self.running:
            record.count_wait()

    def end(self) -> None:
        """Set all outcomes: the run is over."""
        while self._waiters:
            self._waiters.pop()[0].set_result(None)
        # Break the reference cycle with the server, so that its app is freed now.
        self.every_second = _nothing
        self.tasks = ()
        self.on_end()


def _noting_disconnect(record: RequestRecord, receive: Receive) -> Receive:
    """Return a WebSocket's `receive`: it records that the client has closed."""

    async def noting_receive() -> Message:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            record.client_closed = True
        return message

    return noting_receive


def _nothing() -> None:
    """Do nothing, in the place of a callback."""
