"""The ASGI wrapper around the user's app: which requests ran, which run, who waits for them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from itertools import islice

from liveserver._asgi import ASGIApp, Receive, Scope, Send
from liveserver._latch import tell
from liveserver._request import Request

__all__ = ["Journal", "Witness"]

_logger = logging.getLogger("uvicorn.error")

_KEPT = 10_000
_FEW = 50


class Journal:
    """The requests of one server, oldest first, through all its runs; the last 10,000.

    Attributes:
        append: Adds a request that has just begun. The server's thread calls it; others copy.
    """

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self.append: Callable[[Request], None] = self._requests.append

    def last(self) -> Request | None:
        """Return the latest request, as a mark for `since`; None if there was none."""
        return self._requests[-1] if self._requests else None

    def since(self, mark: Request | None) -> list[Request]:
        """Copy the requests that came after one, or all."""
        # Few are wanted, as a rule, and thousands may be there.
        for newest in self._newest(_FEW), self._newest(_KEPT):
            if mark in newest:
                return newest[: newest.index(mark)][::-1]
            if len(newest) < _FEW:
                break
        return newest[::-1]

    def _newest(self, most: int) -> list[Request]:
        try:
            return list(islice(reversed(self._requests), most))
        except RuntimeError:  # one came at this very moment
            return list(self._requests)[::-1][:most]


class Witness:
    """Stands between uvicorn and the app, for one run of a server.

    Attributes:
        running: The running requests. Changed by the server's thread alone; others may copy it at
            any time.
        waiters: Who waits, and whether for the whole of it. Of the server's thread.
        on_second: Called by a request, if it was not in the last second.
        on_end: Called when the run is over.
        request_class: What each request is written down in; a subclass may tell somebody of it.

    The last two are exchanged at any time, by any thread.
    """

    def __init__(self, journal: Journal) -> None:
        # Both are set by the server's thread before it serves.
        self.app: ASGIApp | None = None
        self.loop: asyncio.AbstractEventLoop | None = None  # which saves asking for it each time
        self.running: set[Request] = set()
        self.waiters: list[tuple[Future[None], bool]] = []
        self.on_second: Callable[[], None] = _nothing
        self.on_end: Callable[[], None] = _nothing
        self.request_class = Request
        self._next_second = 0.0
        self._journal = journal

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one request, and write down what comes of it."""
        request = self.request_class(self, scope, receive, send)
        if request.started >= self._next_second:
            self._next_second = request.started + 1
            self.on_second()
        self.running.add(request)
        self._journal.append(request)
        try:
            await self.app(scope, receive, request.send)  # type: ignore[misc]  # it is set by now
            if request.status is None:
                request.leave_unanswered()
        except BaseException as error:
            request.fail(error)
            if not request.answered:
                raise
            # uvicorn would close the connection without having said so in the response, and the
            # client's next request on it would fail. The client has its answer; log and go on.
            _logger.error("Exception in ASGI application\n", exc_info=error)
        finally:
            self.running.remove(request)
            request.end()
            if self.waiters:
                self.tell_if_idle()

    def when_idle(self, waiter: "Future[None]", whole: bool) -> None:
        """Set a future when no request runs, except those that have no end of their own.

        Args:
            waiter: The future.
            whole: Whether to wait for requests whose client has left, and for open streams, too.
        """
        self.waiters.append((waiter, whole))
        self.tell_if_idle()

    def tell_if_idle(self) -> None:
        """Set the futures that wait, if the moment has come."""
        running = [request for request in self.running if not request.endless]
        wanted = [request for request in running if request.wanted]
        waiters, self.waiters = self.waiters, []
        for waiter, whole in waiters:
            if running if whole else wanted:
                self.waiters.append((waiter, whole))
            else:
                tell(waiter)

    def end(self) -> None:
        """Set the futures that wait: when the run is over there is nothing left to wait for."""
        while self.waiters:
            tell(self.waiters.pop()[0])
        # No ring may be left that only the garbage collector ends.
        self.on_second = _nothing  # it is the server's
        del self._journal  # its requests refer to this
        self.on_end()


def _nothing() -> None:
    """Be the `on_second` and the `on_end` of a server that does not care."""
