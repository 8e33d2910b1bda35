"""Starlette's `TestClient`, on the wire: `pip install "liveserver[testclient]"`.

The same class, of which each request goes over HTTP, or a WebSocket, to a real uvicorn server.
"""

import asyncio
import contextlib
import importlib
import itertools
import math
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Self

try:
    import starlette as _starlette  # noqa: F401
    import websockets as _websockets  # noqa: F401
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"liveserver.testclient needs {_error.name}. Install it: "
        'pip install "liveserver[testclient]"',
        name=_error.name,
    ) from None

import anyio
import anyio.from_thread
from anyio.streams.stapled import StapledObjectStream
from starlette.testclient import TestClient as _StarlettesClient

from liveserver._errors import ConfigurationError
from liveserver._server.live_server import LiveServer
from liveserver._server.watch import remove
from liveserver._wire.exchange import ExchangingApp
from liveserver._wire.transport import WireTransport, keep_in_process, stays_in_process

__unittest = __tracebackhide__ = True

__all__ = ["TestClient", "keep_in_process", "mark", "stop_clients", "swap_class"]

# uvicorn's own headers, which the in-process client does not have, and a lifespan that the client
# runs itself, as Starlette's does.
_CONFIG: Any = {"lifespan": "off", "server_header": False, "date_header": False}

_numbers = itertools.count(1)
_clients: "weakref.WeakSet[TestClient]" = weakref.WeakSet()


class TestClient(_StarlettesClient):
    """Starlette's `TestClient` of the version that is installed; see its documentation.

    A server starts with the first request, or with the block of `with client:`, which runs the
    lifespan. It stops at the end of the block, with `close()`, when the client is collected, at the
    end of the test that made the client, with pytest at the end of the module, or at the end of the
    process. The next request starts another one.

    Raises:
        ConfigurationError: `backend` is `"trio"`: uvicorn runs on asyncio.
    """

    __test__ = False

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(app, *args, **kwargs)
        self._live: LiveServer | None = None
        self._lock = threading.Lock()  # of its start and stop, as several threads may ask first
        self._wired = not stays_in_process()
        if not self._wired:
            return
        if self.async_backend["backend"] != "asyncio":
            raise ConfigurationError(
                f"TestClient(backend={self.async_backend['backend']!r}) cannot go through a "
                "server: uvicorn runs on asyncio. Leave backend out, or use Starlette's own class."
            )
        given: Any = self._transport
        exchanging = ExchangingApp(self.app)
        settings = {
            "client": getattr(given, "client", ("testclient", 50000)),
            "root_path": given.root_path,
            "app_state": self.app_state,
        }
        self._served_app = exchanging
        client = weakref.ref(self)  # no cycle, so that a client is collected at once
        given.portal_factory = lambda: client()._portal_factory()  # type: ignore[union-attr]
        self._transport = WireTransport(client, exchanging, settings, given)
        self._number = next(_numbers)
        self._entered = False
        _clients.add(self)

    def _running_server(self) -> LiveServer:
        with self._lock:
            if self._live is None or not self._live.running:
                server = LiveServer(
                    self._served_app, raise_server_errors=False, uvicorn_config=_CONFIG
                )
                remove(server._control)
                server.start()
                self._live = server
                self._finalizer = weakref.finalize(self, _stop, server, self._transport)
            return self._live

    def stop(self) -> None:
        """Stop the server; the next request starts another one."""
        with self._lock:
            if self._live is not None:
                server, self._live = self._live, None
                self._finalizer.detach()
                _stop(server, self._transport)

    def close(self) -> None:
        """Close the client, and stop its server."""
        super().close()
        if self._wired and not self._entered:
            self.stop()

    @contextlib.contextmanager
    def _portal_of_server(self) -> Iterator[Any]:
        """Run a portal of anyio on the server's loop."""
        server = self._running_server()
        ready: asyncio.Future[Any] | None = None

        async def start() -> tuple[Any, Any]:
            nonlocal ready
            ready = asyncio.get_running_loop().create_future()

            async def run() -> None:
                async with anyio.from_thread.BlockingPortal() as portal:
                    ready.set_result(portal)
                    await portal.sleep_until_stopped()

            task = asyncio.get_running_loop().create_task(run())
            return await ready, task

        portal, task = server.call(start, timeout=math.inf)
        try:
            yield portal
        finally:
            portal.call(portal.stop)
            server.call(asyncio.wait, [task], timeout=math.inf)

    def __enter__(self) -> Self:
        if not self._wired:
            return super().__enter__()
        self.stop()  # of requests without a lifespan
        with contextlib.ExitStack() as stack:
            stack.callback(self.stop)
            self.portal = portal = stack.enter_context(self._portal_of_server())
            stack.callback(setattr, self, "portal", None)
            send = anyio.create_memory_object_stream[Any](math.inf)
            receive = anyio.create_memory_object_stream[Any](math.inf)
            for channel in (*send, *receive):
                stack.callback(channel.close)
            self.stream_send = StapledObjectStream(*send)
            self.stream_receive = StapledObjectStream(*receive)
            self.task = portal.start_task_soon(self.lifespan)
            portal.call(self.wait_startup)
            self._entered = True
            stack.callback(setattr, self, "_entered", False)
            stack.callback(portal.call, self.wait_shutdown)
            stack.callback(self._transport.close)
            self.exit_stack = stack.pop_all()
        return self


def _stop(server: LiveServer, transport: Any) -> None:
    transport.close()
    server.stop()


def mark() -> int:
    """Return a mark for `stop_clients`."""
    return next(_numbers)


def stop_clients(since: int) -> None:
    """Stop the servers of the clients that were made since a mark, and are in no `with` block."""
    for client in list(_clients):
        if client._number > since and not client._entered:
            client.stop()


def swap_class() -> None:
    """Put this class in the place of Starlette's, and of FastAPI's name for it."""
    for name in ("starlette.testclient", "fastapi.testclient"):
        with contextlib.suppress(ModuleNotFoundError):
            setattr(importlib.import_module(name), "TestClient", TestClient)  # noqa: B010
