"""One request of a client on the wire, as both of its sides know it.

The client's thread makes an exchange and names it in a header. The app's wrapper takes the header
away, gives the app what the in-process client would give it, and writes down what the app did.
"""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["HEADER", "Exchange", "ExchangingApp"]

HEADER = "x-liveserver-exchange"

_numbers = itertools.count(1)

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]


class Exchange:
    """A request and what became of it.

    Attributes:
        name: The header's value.
        scope: What the app sees in the place of the network's: client, server, scheme, root path.
        exception: What the app raised. The server's thread writes it before `ended`.
        debug: The message `http.response.debug`, by which Starlette tells of templates.
        accepted: The message by which the app accepted a WebSocket.
        closed: The message by which it closed one, as no close code is sent before the accept.
        begun: Whether the app was called, as uvicorn may refuse a request. Its thread sets it.
        responded: Whether the app has begun a response.
        ended: Set when the app has returned, background tasks included, and all was logged.
    """

    def __init__(self, scope: dict[str, Any]) -> None:
        self.name = f"{next(_numbers)}"
        self.scope = scope
        self.exception: BaseException | None = None
        self.debug: dict[str, Any] | None = None
        self.accepted: dict[str, Any] = {}
        self.closed: dict[str, Any] | None = None
        self.begun = self.responded = False
        self._cancel: Callable[[], object] = lambda: None
        self.ended = threading.Event()

    def begin(self) -> None:
        """Note which task runs the app. On the server's loop."""
        task: Any = asyncio.current_task()
        # Not before uvicorn has logged what the app raises, which would be the next test's then.
        task.add_done_callback(lambda _: self.ended.set())
        loop = asyncio.get_running_loop()
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        self.begun = True

    def cancel(self) -> None:
        """Cancel the app's task, in any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._cancel()


class ExchangingApp:
    """An ASGI app around the user's, for requests that are exchanges."""

    def __init__(self, app: Any) -> None:
        self.app = app
        # The client's thread adds and removes; the server's thread reads.
        self.exchanges: dict[str, Exchange] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Run the app; what it raises is the exchange's, and the server's as well."""
        name = _take_header(scope)
        exchange = self.exchanges.get(name)
        if exchange is None:  # of another client, such as a browser
            await self.app(scope, receive, send)
            return
        scope.update(exchange.scope)
        if scope["type"] == "http":
            extensions = {"http.response.debug": {}, **(scope.get("extensions") or {})}
            scope["extensions"] = extensions
        exchange.begin()
        try:
            await self.app(scope, receive, _recording(exchange, send))
        except BaseException as error:
            exchange.exception = error
            raise


def _take_header(scope: Scope) -> str:
    wanted = HEADER.encode()
    name = ""
    headers = []
    for key, value in scope["headers"]:
        if key == wanted:
            name = value.decode()
        else:
            headers.append((key, value))
    scope["headers"] = headers
    return name


def _recording(exchange: Exchange, send: Send) -> Send:
    async def record(message: Any) -> None:
        kind = message["type"]
        if kind == "http.response.debug":
            exchange.debug = message["info"]
            return
        if kind == "http.response.start":
            exchange.responded = True
        elif kind == "websocket.accept":
            exchange.accepted = message
        elif kind == "websocket.close":
            exchange.closed = message
        await send(message)

    return record
