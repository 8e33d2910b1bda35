"""The ASGI middleware around the user's app: which requests run, and who waits for them."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future

from liveserver._app.asgi import ASGIApp, Receive, Scope, Send
from liveserver._requests.log import RequestLog
from liveserver._requests.record import RequestRecord
from liveserver._sync.latches import resolve

__all__ = ["RecordingMiddleware"]

_logger = logging.getLogger("uvicorn.error")


class RecordingMiddleware:
    """Stands between uvicorn and the app, for one run of a server.

    Attributes:
        app: The user's app. The server's thread sets it before it serves.
        loop: The server's loop. The server's thread sets it before it serves.
        running: The running requests. Only the server's thread changes it; any thread may copy it.
        every_second: Called by a request, at most once a second. Written before the server's thread
            starts.
        on_end: Called when the run is over. Any thread may replace it.
        record_class: The class of the records. Any thread may replace it by a subclass.
    """

    def __init__(self, log: RequestLog) -> None:
        self.app: ASGIApp | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.running: set[RequestRecord] = set()
        self.every_second: Callable[[], None] = _nothing
        self.on_end: Callable[[], None] = _nothing
        self.record_class = RequestRecord
        self._next_second = 0.0
        self._log = log
        # Who waits, and whether for every request. Only the server's thread uses it.
        self._waiters: list[tuple[Future[None], bool]] = []

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one request, and record what comes of it."""
        record = self.record_class(self.loop, self.resolve_waiters, scope, receive, send)
        if record.started >= self._next_second:
            self._next_second = record.started + 1
            self.every_second()
        self.running.add(record)
        self._log.append(record)
        try:
            await self.app(scope, receive, record.send)  # type: ignore[misc]  # it is set by now
            if record.status is None:
                record.leave_unanswered()
        except BaseException as error:
            record.fail(error)
            if not record.answered:
                raise
            # uvicorn would close the connection without having said so in the response, and the
            # client's next request on it would fail. The client has its answer: log and go on.
            _logger.error("Exception in ASGI application\n", exc_info=error)
        finally:
            self.running.remove(record)
            record.end()
            self.resolve_waiters()

    def when_idle(self, waiter: "Future[None]", every: bool) -> None:
        """Resolve a future when no request runs, except those that have no end of their own.

        Args:
            waiter: The future.
            every: Whether to wait for requests whose client has left, and for open streams, too.
        """
        self._waiters.append((waiter, every))
        self.resolve_waiters()

    def resolve_waiters(self) -> None:
        """Resolve the futures whose moment has come."""
        if not self._waiters:
            return
        running = [record for record in self.running if not record.endless]
        awaited = [record for record in running if record.awaited_by_test]
        waiters, self._waiters = self._waiters, []
        for waiter, every in waiters:
            if running if every else awaited:
                self._waiters.append((waiter, every))
            else:
                resolve(waiter)

    def end(self) -> None:
        """Resolve all futures: the run is over."""
        while self._waiters:
            resolve(self._waiters.pop()[0])
        # Break the reference cycle with the server, so that its app is freed now.
        self.every_second = _nothing
        self.on_end()


def _nothing() -> None:
    """Do nothing, in the place of a callback."""
