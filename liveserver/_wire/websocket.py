"""A WebSocket of a client on the wire, with the methods of Starlette's session."""

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Self

from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from liveserver._options import bounds
from liveserver._server.live_server import LiveServer
from liveserver._wire.exchange import HEADER, Exchange, ExchangingApp

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["WireSession"]

# Seconds that a handler has to end by itself when its client has closed, before it is cancelled, as
# by the in-process client.
_GRACE = 0.1

# Headers of the handshake, which the library makes itself.
_OF_HANDSHAKE = {
    "connection",
    "host",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "upgrade",
}


class WireSession(WebSocketTestSession):
    """Sends and receives messages through a connection to the server."""

    _connection: "ClientConnection"

    def __init__(
        self,
        client: Any,
        server: LiveServer,
        exchange: Exchange,
        app: ExchangingApp,
        request: Any,
    ) -> None:
        self._client = client  # a client that nobody else holds would stop its server
        self._server, self._exchange, self._app, self._request = server, exchange, app, request
        self.scope = exchange.scope
        self.accepted_subprotocol = None
        self.extra_headers = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        from websockets.sync.client import connect

        request = self._request
        headers = [each for each in request.headers.multi_items() if each[0] not in _OF_HANDSHAKE]
        protocols = request.headers.get("sec-websocket-protocol", "")
        host = request.headers.get("host", "testserver")
        self._app.exchanges[self._exchange.name] = self._exchange
        target = request.url.raw_path.decode("ascii")
        try:
            connecting = connect(
                f"ws://{host}{target}",
                sock=socket.create_connection(("127.0.0.1", self._server.port)),
                subprotocols=[each.strip() for each in protocols.split(",") if each] or None,
                additional_headers=[*headers, (HEADER, self._exchange.name)],
                user_agent_header=None,
                compression=None,
                proxy=None,
                max_size=None,
                open_timeout=None,
                close_timeout=bounds.CLIENT_LEFT,
            )
            self._connection = self._stack.enter_context(connecting)
        except Exception as error:
            failure: Exception | None = error
        else:
            failure = None
        if failure is not None:
            self._refused(failure)
        self.accepted_subprotocol = self._exchange.accepted.get("subprotocol")
        self.extra_headers = self._exchange.accepted.get("headers")
        return self

    def _refused(self, failure: Exception) -> None:
        """Raise what the in-process client would raise. Called outside of any `except`."""
        self._end()
        response = getattr(failure, "response", None)
        if response is None:
            raise failure
        closed = self._exchange.closed
        if closed is not None:
            raise WebSocketDisconnect(closed.get("code", 1000), closed.get("reason") or "")
        raise WebSocketDenialResponse(
            status_code=response.status_code,
            headers=list(response.headers.raw_items()),
            content=bytes(response.body or b""),
        )

    def __exit__(self, *args: Any) -> None:
        self.close()
        self._stack.close()
        self._end()

    def _end(self) -> None:
        """Wait for the handler, cancel it, and raise what it raised."""
        exchange = self._exchange
        if exchange.begun and not exchange.ended.wait(_GRACE):
            exchange.cancel()
            exchange.ended.wait(bounds.CLIENT_LEFT)
        self._app.exchanges.pop(exchange.name, None)
        self._raise()

    def _raise(self) -> None:
        exchange = self._exchange
        error, exchange.exception = exchange.exception, None
        if error is not None and not isinstance(error, asyncio.CancelledError):
            raise error

    def send(self, message: Any) -> None:
        """Send a message of ASGI's types: `websocket.receive` or `websocket.disconnect`."""
        from websockets.exceptions import ConnectionClosed

        if message["type"] == "websocket.disconnect":
            self._connection.close(message.get("code", 1000), message.get("reason") or "")
        elif message["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            with contextlib.suppress(ConnectionClosed):  # the next receive() says so
                self._connection.send(text if text is not None else data)

    def receive(self) -> Any:
        """Return the next message: `websocket.send` or `websocket.close`."""
        from websockets.exceptions import ConnectionClosed

        try:
            data = self._connection.recv()
        except ConnectionClosed as error:
            closed = error.rcvd
        else:
            return {"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data}
        # Not in the block: frames of its exception are no part of the app's. The handler may go on
        # after it has closed the socket.
        if self._exchange.ended.wait(_GRACE):
            self._raise()
        code, reason = (1006, "") if closed is None else (closed.code, closed.reason)
        return {"type": "websocket.close", "code": code, "reason": reason}
