"""uvicorn, driven by events, with its exits kept inside.

What is replaced, because it costs 0.1 s and more or cannot be bounded: the main loop, which sleeps
0.1 s between two looks at a flag, and the shutdown, which sleeps 0.1 s whatever happens. What stays
uvicorn's: its configuration, its protocols, its startup.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import uvicorn

from liveserver import _logs
from liveserver._asgi import ASGIApp
from liveserver._aside import Gate
from liveserver._diagnosis import request_line
from liveserver._latch import tell
from liveserver._lifespan import Lifespan
from liveserver._members import shared_state, unwatch, watch
from liveserver._request import Request, RequestWithoutWebSocket
from liveserver._uvicorn_config import Configuration
from liveserver._witness import Witness

__all__ = ["UvicornServer"]


@lru_cache(maxsize=1)
def _http_date(second: int) -> bytes:
    """Write a date for a header; the servers of one second share it."""
    return formatdate(second, usegmt=True).encode()


class UvicornServer(uvicorn.Server):
    """One run of uvicorn, from the app's startup to its shutdown. Lives on the server's loop.

    `closing` and `started` are set by the server's thread; others may look at any time.
    """

    def __init__(self, configuration: Configuration, witness: Witness, sock: socket.socket) -> None:
        config = configuration.copy(witness.asgi)
        super().__init__(config)
        self._changes_loggers = configuration.changes_loggers
        self._witness = witness
        self._sock = sock
        self._handshakes: Any = None
        if config.is_ssl:
            from liveserver._handshakes import Handshakes  # which few suites need

            self._handshakes = Handshakes(config.http_protocol_class)
            protocol_class: Any = self._handshakes
            config.http_protocol_class = protocol_class
        self._wake = Gate()
        self._quiet = Gate()  # no connection and no request is left, or they have to go
        self.servers = []
        self._listening = True
        self.closing = self._cutting = False
        self.cut: list[str] = []  # the requests that the stop had to cut, a line each
        self.app_lifespan: Lifespan | None = None
        self.server_state = shared_state(self, counts=config.limit_max_requests is not None)
        witness.on_second = self._renew_headers
        if config.ws == "auto" and config.ws_protocol_class is None:
            witness.request_class = RequestWithoutWebSocket

    def _renew_headers(self) -> None:
        """Bring the date up to date, in the list that responses on their way hold already."""
        config = self.config
        dates = [(b"date", _http_date(int(time.time())))] if config.date_header else []
        self.server_state.default_headers[:] = dates + config.encoded_headers

    def with_users_logging(self, run: Callable[[], None]) -> None:
        """Call a function, with the log options that the user gave until it returns."""
        if not self._changes_loggers:
            return run()
        with _logs.put_back():
            self.config.configure_logging()
            run()

    def begin(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        """Have the app's startup run in the loop's next turn."""
        self._witness.app = app
        self._witness.loop = loop
        self.app_lifespan = Lifespan(app, self.config.lifespan, self.config.asgi_version)
        self.lifespan: Any = self.app_lifespan  # what uvicorn's startup() calls
        self.app_lifespan.begin(loop)

    async def up(self) -> None:
        """Wait for the app's startup, and begin to serve.

        Raises:
            StartupError: The app refused.
        """
        try:
            await self.startup(sockets=[self._sock])
        except OSError:
            await self.down()
            raise

    async def until_drained(self) -> None:
        """Serve until somebody closes the server and the last request is gone."""
        await self.main_loop()
        self.close()
        self.stop_listening()
        self._check_quiet()
        await self._quiet.wait()

    async def down(self) -> None:
        """Run the app's shutdown.

        Raises:
            ShutdownError: The app failed.
        """
        assert self.app_lifespan is not None  # it came up before
        await self.app_lifespan.shutdown()

    def unreported_failure(self) -> BaseException | None:
        """What the app's lifespan raised when nobody listened any more."""
        return None if self.app_lifespan is None else self.app_lifespan.unreported_failure()

    async def main_loop(self) -> None:
        """Wait until somebody closes the server or uvicorn's own limits say that it should end."""
        notify = self.config.callback_notify is not None
        if not notify and self.config.limit_max_requests is None:
            await self._wake.wait()  # by close() alone
            return
        while True:
            self._wake = Gate()  # before the look, so that what comes after it is not missed
            if self.closing or await self.on_tick(0 if notify else 1):
                return
            # uvicorn's resolution for this option; without it nothing ticks.
            tick = asyncio.get_running_loop().call_later(1.0, self.wake) if notify else None
            await self._wake.wait()
            if tick is not None:
                tick.cancel()

    def _stop_accepting(self) -> None:
        # A turn before the listener is closed: asyncio drops a connection that it accepted just
        # before its server closed, without closing the socket. What it accepted before this turn
        # is set up in this one.
        try:  # noqa: SIM105  # contextlib.suppress() is not free, and each stop comes by here
            asyncio.get_running_loop().remove_reader(self._sock)
        except NotImplementedError:  # on Windows, whose loop has no readers
            pass

    def stop_listening(self) -> None:
        """Close the listening socket; when it is closed, do nothing."""
        if self._listening:
            self._listening = False
            while self.servers:
                self.servers.pop().close()
            self._sock.close()

    def wake(self) -> None:
        """Have the main loop look at its reasons to end."""
        self._wake.open()

    def on_late_member(self, member: Any) -> None:
        """Turn away a connection that was accepted just before the server closed."""
        if not isinstance(member, asyncio.Future):
            asyncio.get_running_loop().call_soon(self._shut, member)

    def on_client_gone(self) -> None:
        """Tell a test that waits: nobody waits for the answer to this client any more."""
        if self._witness.waiters:
            self._witness.tell_if_idle()

    def on_member_gone(self) -> None:
        """Look whether a closing server waits for nothing, or for what nobody wants, any more."""
        if not self._cutting:  # else it was this server that left, and the app shall see that first
            for request in list(self._witness.running):
                if not request.event_stream:  # which was cut already
                    self._end_if_left(request)
        self._check_quiet()

    def _check_quiet(self) -> None:
        if self.server_state.tasks:
            return
        for connection in list(self.server_state.connections):
            self._leave_unanswered(connection.transport)
        if not self.server_state.connections:
            self._quiet.open()

    def _leave_unanswered(self, transport: Any) -> None:
        """End a TLS connection that waits for the other side's goodbye; pools never say it."""
        if self.config.is_ssl and transport.is_closing() and not _unsent(transport):
            transport.abort()

    def close(self) -> None:
        """Begin to stop: end idle connections, WebSockets (1012) and event streams."""
        if not self.closing:
            self.closing = True
            self._stop_accepting()
            self.wake()
            watch(self.server_state, self)
            for request in list(self._witness.running):
                if request.event_stream:
                    _disconnect(request)
                else:
                    self._end_if_left(request)
            for connection in list(self.server_state.connections):
                self._shut(connection)
            self._abort_handshakes()

    def _end_if_left(self, request: Request) -> None:
        """End a request whose client left before it had its response, once."""
        if request.abandoned and not request.cancelling:
            if not request.streams:  # leaving is how a client ends a stream
                self._cut(request)
            request.cancel()

    def _cut(self, request: Request) -> None:
        self.cut.append(request_line(request, threading.current_thread()))

    def _shut(self, connection: Any) -> None:
        transport = connection.transport
        # asyncio's TLS transport, closed twice, forgets the connection and cannot abort it.
        if not (self.config.is_ssl and transport.is_closing()):
            try:
                connection.shutdown()
            except Exception:  # its parser is in a state that allows no goodbye
                transport.abort()
        self._leave_unanswered(transport)

    def cut_endless(self) -> None:
        """Cancel the event streams and WebSockets that did not heed the disconnect."""
        for request in list(self._witness.running):
            if request.endless:
                _disconnect(request)  # its client may not read
                request.cancel()

    def cut_requests(self) -> None:
        """Cut the requests that did not end, and write down which they are."""
        self._cutting = True
        for request in list(self._witness.running):
            self._cut(request)
        if not self._witness.running:
            connection: Any
            for connection in self.server_state.connections:
                if connection.transport.get_write_buffer_size():
                    host, port = connection.client or ("unknown", 0)
                    self.cut.append(f"connection of {host}:{port}, whose client does not read")
        self.abort()

    def drop_connections(self, done: "Future[None]", turns: int = 100) -> None:
        """Cut every connection that is open now, and set a future when they are gone."""
        connections = list(self.server_state.connections)
        self.abort()
        self._when_gone(connections, done, turns)

    def _when_gone(self, connections: list[Any], done: "Future[None]", turns: int) -> None:
        if turns and not self.server_state.connections.isdisjoint(connections):
            # The loop tells a protocol in one of its next turns.
            asyncio.get_running_loop().call_soon(self._when_gone, connections, done, turns - 1)
        else:
            tell(done)

    def abort(self) -> None:
        """Cut every connection; the app sees a disconnect."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self._abort_handshakes()

    def _abort_handshakes(self) -> None:
        if self._handshakes is not None:
            self._handshakes.abort()

    def cancel(self) -> None:
        """Cancel the requests that still run."""
        for task in list(self.server_state.tasks):
            task.cancel()

    def let_go(self) -> None:
        """When the loop is closed, end the rings in which this object stands.

        So the user's app is gone when its server is, and not when garbage is collected.
        """
        unwatch(self.server_state)

    def leave(self) -> None:
        """Wait no longer for requests: go on to the lifespan's shutdown."""
        self.close()
        self._quiet.open()


def _disconnect(request: Request) -> None:
    """Cut a request's connection; under HTTP/2, where others share it, the request's stream."""
    cycle = request.uvicorns
    if hasattr(cycle, "abort_stream"):
        cycle.abort_stream()
        cycle.message_event.set()  # the app sees a disconnect
    elif cycle is not None:
        cycle.transport.abort()


def _unsent(transport: Any) -> int:
    """The bytes that a transport still has to send; of one that forgot its connection, none."""
    try:
        return int(transport.get_write_buffer_size())
    except AttributeError:
        return 0
