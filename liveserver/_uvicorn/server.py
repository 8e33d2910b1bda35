"""uvicorn, driven by events. Its exits by `SystemExit` stop here.

Two parts of `uvicorn.Server` are replaced, because they cost 0.1 s and more or have no bound: the
main loop, which sleeps 0.1 s between two checks of a flag, and the shutdown, which always sleeps
0.1 s. Its configuration, its protocols and its startup are uvicorn's own.

The table of a stop in `_server/lifecycle.py` has the order in which the methods are called.
"""

import asyncio
import socket
import struct
import threading
import time
from email.utils import formatdate
from typing import Any

import uvicorn

from liveserver._app.asgi import ASGIApp
from liveserver._reporting.await_chain import waits_for_thread
from liveserver._reporting.wording import request_line
from liveserver._requests.announcements import subscribe
from liveserver._requests.middleware import RecordingMiddleware
from liveserver._requests.record import RecordWithoutWebSocket, RequestRecord
from liveserver._sync.latches import Outcome
from liveserver._uvicorn.config import Configuration, ServerConfig
from liveserver._uvicorn.connections import (
    Handshakes,
    disconnect,
    prepare_state,
    unsent,
    unwatch,
    watch,
)
from liveserver._uvicorn.lifespan import Lifespan

__all__ = ["UvicornServer"]


class UvicornServer(uvicorn.Server):
    """One run of uvicorn, from the app's startup to its shutdown. Its methods run on the loop.

    The server's thread writes `started`, `closing` and `cut`; any thread may read them at any time.

    Attributes:
        closing: The stop has begun.
        cut: What the stop did not wait for any longer: requests and others, a line each.
        app_lifespan: The app's lifespan; None until `begin`.
    """

    config: ServerConfig

    def __init__(
        self,
        configuration: Configuration,
        middleware: RecordingMiddleware,
        socks: list[socket.socket],
    ) -> None:
        config = ServerConfig(configuration.config, middleware.asgi, middleware.add_refusal)
        super().__init__(config)
        self._configuration = configuration
        self._middleware = middleware
        self._socks = socks
        self._handshakes: Handshakes | None = None
        if config.is_ssl:
            protocol_class: Any = Handshakes(config.http_protocol_class)
            config.http_protocol_class = self._handshakes = protocol_class
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()  # no connection and no request is left, or waited for
        self.servers = []
        self._listening = True
        self.closing = self._aborting = False
        self.cut: list[str] = []
        self.app_lifespan: Lifespan | None = None
        prepare_state(self, config, middleware.add_refusal)
        middleware.every_second = self._renew_headers
        middleware.tasks = self.server_state.tasks
        if config.ws == "auto" and config.ws_protocol_class is None:
            middleware.record_class = RecordWithoutWebSocket

    def _renew_headers(self) -> None:
        """Renew the date, in the list that running responses hold already."""
        subscribe()  # to a framework that the first request may have imported
        config = self.config
        date = formatdate(time.time(), usegmt=True).encode()
        dates = [(b"date", date)] if config.date_header else []
        self.server_state.default_headers[:] = dates + config.encoded_headers

    def begin(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        """Start the app's lifespan in the loop's next turn."""
        self._middleware.app = app
        self._middleware.loop = loop
        self.app_lifespan = Lifespan(
            self._configuration.lifespan_app(app),
            self.config.lifespan,
            self.config.asgi_version,
            self._middleware.log.add_failure,
        )
        self.lifespan: Any = self.app_lifespan  # what uvicorn's startup() calls
        self.app_lifespan.begin(loop)

    async def start_serving(self) -> None:
        """Wait for the app's startup, then accept connections."""
        try:
            await self.startup(sockets=self._socks)
        except OSError:
            await self.shut_down_app()
            raise

    async def serve_until_drained(self) -> None:
        """Serve until the stop begins and the last request has ended, or is given up."""
        await self.main_loop()
        self.close()
        self.stop_listening()
        self._check_drained()
        await self._drained.wait()

    async def shut_down_app(self) -> None:
        """Run the app's shutdown."""
        assert self.app_lifespan is not None  # it has started
        await self.app_lifespan.shutdown()

    def unreported_failure(self) -> BaseException | None:
        """Return what the app's lifespan raised after its startup or shutdown was answered."""
        return None if self.app_lifespan is None else self.app_lifespan.unreported_failure()

    async def main_loop(self) -> None:
        """Wait until the stop begins, or uvicorn's own limits end the server."""
        notify = self.config.callback_notify is not None
        if not notify and self.config.limit_max_requests is None:
            await self._wake.wait()  # only close() sets it
            return
        loop = asyncio.get_running_loop()
        over = False
        while not self.closing:
            self._wake.clear()  # before the check, so that a later change is not missed
            if not over and await self.on_tick(0 if notify else 1):
                over = True
                # uvicorn checks every 0.1 s, and answers what comes in until then.
                loop.call_later(0.1, self.close)
            # uvicorn calls the function of callback_notify once a second.
            tick = loop.call_later(1.0, self.wake) if notify else None
            await self._wake.wait()
            if tick is not None:
                tick.cancel()

    def _stop_accepting(self) -> None:
        # One turn before the listener is closed: asyncio's loop of selectors drops a connection
        # that it accepted just before its server closed, without closing the socket. A connection
        # that it accepted before this turn is set up in this one.
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.SelectorEventLoop):
            for sock in self._socks:
                loop.remove_reader(sock)

    def stop_listening(self) -> None:
        """Close the listening sockets; if they are closed, do nothing."""
        if self._listening:
            self._listening = False
            while self.servers:
                self.servers.pop().close()
            for sock in self._socks:
                sock.close()

    def wake(self) -> None:
        """Let the main loop check whether it has to end."""
        self._wake.set()

    def on_late_member(self, member: Any) -> None:
        """Close a connection that was accepted just before the stop began."""
        if not isinstance(member, asyncio.Future):
            asyncio.get_running_loop().call_soon(self._shut, member)

    def on_client_gone(self) -> None:
        """A client has left: a test that waits for its request need not wait any longer."""
        self._middleware.wake_waiters()

    def on_member_gone(self) -> None:
        """A connection or a task has ended during the stop: check what is left."""
        if not self._aborting:  # else the server left, not the client, and the app must see that
            for record in list(self._middleware.running):
                if not record.event_stream:  # which is cut already
                    self._cancel_if_abandoned(record)
        self._check_drained()

    def _check_drained(self) -> None:
        if self.server_state.tasks:
            return
        for connection in list(self.server_state.connections):
            self._abort_tls_goodbye(connection.transport)
        if not self.server_state.connections:
            self._drained.set()

    def _abort_tls_goodbye(self, transport: Any) -> None:
        """Abort a TLS connection that waits for the client's close_notify: pools never send it."""
        if self.config.is_ssl and transport.is_closing() and not unsent(transport):
            transport.abort()

    def close(self) -> None:
        """Begin the stop: close idle connections, WebSockets (1012) and event streams."""
        if not self.closing:
            self.closing = True
            self._stop_accepting()
            self.wake()
            watch(self.server_state, self)
            for record in list(self._middleware.running):
                if record.event_stream:
                    disconnect(record)
                else:
                    self._cancel_if_abandoned(record)
            for connection in list(self.server_state.connections):
                self._shut(connection)
            self._abort_handshakes()

    def _cancel_if_abandoned(self, record: RequestRecord) -> None:
        """Cancel a request, once, if its client left before it had its response.

        Not while it waits for a worker thread: that would run on without its clean-up.
        """
        if record.method == "WebSocket" or record.cancelling or waits_for_thread(record.task):
            return
        if record.abandoned:
            record.cancel()

    def _shut(self, connection: Any) -> None:
        transport = connection.transport
        # asyncio's TLS transport, closed twice, forgets the connection and cannot abort it.
        if not (self.config.is_ssl and transport.is_closing()):
            try:
                connection.shutdown()
            except Exception:  # the state of its parser allows no orderly end
                transport.abort()
        self._abort_tls_goodbye(transport)

    def cancel_streams(self) -> None:
        """Cancel the event streams and WebSockets that still run after their disconnect."""
        for record in list(self._middleware.running):
            if record.endless and not waits_for_thread(record.task):
                disconnect(record)  # its client may not read
                record.cancel()

    def abort_requests(self) -> None:
        """Record which requests still run, and abort their connections."""
        self._aborting = True
        running = list(self._middleware.running)
        self.cut += [request_line(record, threading.current_thread()) for record in running]
        if not running:
            connection: Any
            for connection in self.server_state.connections:
                if connection.transport.get_write_buffer_size():
                    host, port = connection.client or ("unknown", 0)
                    self.cut.append(f"connection of {host}:{port}, whose client does not read")
        self.abort_connections()

    def drop_connections(self, reset: bool, done: Outcome[None]) -> None:
        """Abort every connection that is open now, and set an outcome when they are gone.

        A reset (RST) is sent where no byte may linger after the close.
        """
        connections: Any = list(self.server_state.connections)
        for connection in connections if reset else ():
            sock = connection.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort_connections()
        self._when_gone(connections, done, turns=100)

    def _when_gone(self, connections: list[Any], done: Outcome[None], turns: int) -> None:
        if turns and not self.server_state.connections.isdisjoint(connections):
            # The loop tells the protocols in one of its next turns.
            asyncio.get_running_loop().call_soon(self._when_gone, connections, done, turns - 1)
        else:
            done.set_result(None)

    def abort_connections(self) -> None:
        """Abort every connection; the app sees a disconnect."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self._abort_handshakes()

    def _abort_handshakes(self) -> None:
        if self._handshakes is not None:
            self._handshakes.abort()

    def cancel_requests(self) -> None:
        """Cancel the tasks of the requests that still run."""
        for record in list(self._middleware.running):
            record.cancel()
        for task in list(self.server_state.tasks):
            task.cancel()

    def stop_waiting(self) -> None:
        """Go on to the app's shutdown, whatever requests still run."""
        self.close()
        self._drained.set()

    def break_cycles(self) -> None:
        """Break this object's reference cycles, once the loop is closed.

        So the user's app is freed with its server, not when the garbage collector runs.
        """
        unwatch(self.server_state)
        if self.app_lifespan is not None:
            self.app_lifespan.break_cycles()
        del self.config.on_refusal
