"""The transport of a client: httpx's own, to a server on this machine."""

import contextlib
import ssl
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import starlette.testclient
from starlette.testclient import _Upgrade

from liveserver._options import bounds
from liveserver._server.live_server import LiveServer
from liveserver._wire.exchange import HEADER, Exchange, ExchangingApp
from liveserver._wire.websocket import WireSession

__all__ = ["WireTransport", "keep_in_process", "stays_in_process"]

# The one of httpx and httpx2 that Starlette uses.
httpx: Any = vars(starlette.testclient)["httpx"]

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

# Whether clients stay in process, in whatever thread the test uses them.
_in_process = False

# It is never used, and httpx would load all certificates for each client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# How often a wait for the app looks whether its server still runs, in seconds.
_CHECK = 1.0


def keep_in_process(value: bool) -> None:
    """Let all clients stay in process from now on, or not."""
    global _in_process
    _in_process = value


def stays_in_process() -> bool:
    """Whether clients stay in process now."""
    return _in_process


class WireTransport(httpx.BaseTransport):
    """Sends requests to a server; raises what the app raised.

    Args:
        client: Returns the client, which has the server, and which requests that run keep alive.
        app: The app that it serves.
        settings: What the client was made with: `client`, `root_path`, `app_state`.
        in_process: Starlette's own transport, for the time in which clients stay in process.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        app: ExchangingApp,
        settings: dict[str, Any],
        in_process: Any,
    ) -> None:
        self._client = client
        self._app = app
        self._settings = settings
        self._in_process = in_process
        self._raises = in_process.raise_server_exceptions
        self._http = httpx.HTTPTransport(verify=_NO_TLS, trust_env=False)
        self._open: weakref.WeakSet[_Ending] = weakref.WeakSet()  # of responses not yet closed

    def handle_request(self, request: Any) -> Any:
        """Send a request; return the response, whose body is still to be read."""
        if stays_in_process():
            return self._in_process.handle_request(request)
        exchange = self._exchange(request)
        client = self._client()
        server = client._running_server()
        if request.url.scheme in ("ws", "wss"):
            raise _Upgrade(WireSession(client, server, exchange, self._app, request))
        self._app.exchanges[exchange.name] = exchange
        ending = _Ending(self, exchange, client, server)
        failure = None
        try:
            response = self._http.handle_request(_on_the_wire(request, server, exchange))
        except httpx.TransportError as error:
            failure = error
        except BaseException:
            ending.forget()
            raise
        if failure is not None:
            ending.end()  # raises the app's exception, if it has one
            raise failure
        stream = _Stream(response.stream, ending)
        made = httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=stream,
            extensions=response.extensions,
            request=request,
        )
        ending.response = made
        self._open.add(ending)
        return made

    def _exchange(self, request: Any) -> Exchange:
        url = request.url
        scope = {
            "scheme": url.scheme,
            "server": [
                url.raw_host.decode("ascii"),
                _PORTS[url.scheme] if url.port is None else url.port,
            ],
            "client": self._settings["client"],
            "root_path": self._settings["root_path"],
            "path": unquote(url.path),
            "state": self._settings["app_state"].copy(),
        }
        return Exchange(scope)

    def close(self) -> None:
        """Cancel the app where a response is still open, as in process; close the connections."""
        for each in list(self._open):
            each.abort()
        self._http.close()

    def end(self, exchange: Exchange, server: LiveServer, wait: float) -> None:
        """Wait until the app has done all for a request; raise what it raised."""
        self._app.exchanges.pop(exchange.name, None)
        if not exchange.begun:
            return  # uvicorn has refused it, or httpx
        while not exchange.ended.wait(min(wait, _CHECK)) and server.running:
            wait -= _CHECK
            if wait <= 0:
                return
        if self._raises and exchange.exception is not None:
            raise exchange.exception
        if self._raises and not exchange.responded and exchange.ended.is_set():
            raise AssertionError("TestClient did not receive any response.")


class _Ending:
    """The end of an exchange: once, whether its response was read, left, or never came."""

    response: Any = None

    def __init__(
        self, transport: WireTransport, exchange: Exchange, client: Any, server: LiveServer
    ) -> None:
        self._transport, self._exchange, self._server = transport, exchange, server
        self._client: Any = client  # until the end, or its server would stop
        self._over = False

    def end(self, wait: float = float("inf")) -> None:
        if self._over:
            return
        self._over = True
        self._client = None
        info = self._exchange.debug
        if info is not None and self.response is not None:
            self.response.extensions["http.response.debug"] = info
            for name in {"template", "context"} & info.keys():
                setattr(self.response, name, info[name])
        self._transport.end(self._exchange, self._server, wait)

    def abort(self) -> None:
        if not self._over:
            self.forget()
            self._exchange.cancel()
            self._exchange.ended.wait(bounds.CLIENT_LEFT)

    def forget(self) -> None:
        self._over = True
        self._transport._app.exchanges.pop(self._exchange.name, None)


class _Stream(httpx.SyncByteStream):
    def __init__(self, stream: Any, ending: _Ending) -> None:
        self._stream, self._ending = stream, ending

    def __iter__(self) -> Iterator[bytes]:
        failure = None
        try:
            yield from self._stream
        except httpx.TransportError as error:
            failure = error
        self._ending.end()  # raises the app's exception, if it has one
        if failure is not None:
            raise failure

    def close(self) -> None:
        self._stream.close()
        # Of a response that was not read to its end: the app hears that its client has left.
        with contextlib.suppress(GeneratorExit):
            self._ending.end(bounds.CLIENT_LEFT)


def _on_the_wire(request: Any, server: LiveServer, exchange: Exchange) -> Any:
    """Return a request with the same bytes for the server's address."""
    url = httpx.URL(
        scheme="http", host="127.0.0.1", port=server.port, raw_path=request.url.raw_path
    )
    # Spaces around a value are no part of it, and httpx would refuse them.
    headers = [(name, value.strip(b" \t")) for name, value in request.headers.raw]
    headers.append((HEADER.encode(), exchange.name.encode()))
    # Without httpx's timeouts, which the in-process client does not have.
    extensions = {key: each for key, each in request.extensions.items() if key != "timeout"}
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=extensions
    )
