"""What the package leans on in others, private names and behaviour, each with its reason.

A failure here says which release of what broke which feature. Each name stands in a table beside
what it is for; each test of a behaviour says in its docstring what the package takes for granted.
Of this package only the public face is used, so that its own modules may move.
"""

import asyncio
import asyncio.sslproto
import concurrent.futures
import concurrent.futures.thread
import contextlib
import gc
import http.client
import importlib.util
import inspect
import logging
import pkgutil
import selectors
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import typing
import unittest
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import aiohttp
import h11
import requests
import uvicorn
import uvicorn.config
from uvicorn.logging import TRACE_LOG_LEVEL
from uvicorn.server import ServerState

from liveserver import LiveServer
from liveserver._uvicorn import contracts
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, get, in_thread, loops, new_loop, until

Names = Mapping[str, str]


def has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


class ContractCase(StrictTestCase):
    """Tests for one library.

    Attributes:
        names: Where each name is, `module:attribute`, and what the package does with it.
    """

    names: Names = {}

    def test_names(self) -> None:
        for name, reason in self.names.items():
            with self.subTest(name=name, reason=reason):
                pkgutil.resolve_name(name)

    def assert_has(self, thing: object, names: Names) -> None:
        for name, reason in names.items():
            with self.subTest(of=type(thing).__qualname__, name=name, reason=reason):
                self.assertTrue(hasattr(thing, name), f"{thing!r} has no {name}")


async def turns(count: int = 10) -> None:
    """Let the running loop take some turns."""
    for _ in range(count):
        await asyncio.sleep(0)


# uvicorn


def loaded(**options: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        apps.hello, interface="asgi3", workers=1, log_config=None, lifespan="off", **options
    )
    config.load()
    return config


class UvicornTests(ContractCase):
    names = {
        "uvicorn:Server.startup": "is awaited with the listening socket",
        "uvicorn:Server.on_tick": "is awaited for limit_max_requests and callback_notify",
        "uvicorn:Server.main_loop": "is replaced: it sleeps 0.1 s between two checks of a flag",
        "uvicorn:Config.load": "loads the configuration that servers share",
        "uvicorn:Config.get_loop_factory": "makes the loop of the option loop",
        "uvicorn:Config.configure_logging": "applies the log options when the server starts",
        "uvicorn.config:LOG_LEVELS": "checks the option log_level",
        "uvicorn.logging:TRACE_LOG_LEVEL": "tells whether uvicorn adds a middleware",
        "uvicorn.middleware.proxy_headers:ProxyHeadersMiddleware": "is copied for each server",
        "uvicorn.protocols.utils:ClientDisconnected": "is no error of the app: its client left",
    }

    def test_the_fields_of_a_loaded_configuration(self) -> None:
        self.assert_has(
            loaded(),
            {
                "asgi_version": "is told to the app's lifespan",
                "backlog": "is given to listen()",
                "callback_notify": "decides whether the main loop ticks",
                "date_header": "decides whether a date is sent",
                "encoded_headers": "are sent with each response, after the date",
                "http_protocol_class": "is wrapped under TLS, for pending handshakes",
                "is_ssl": "decides between http and https in URLs",
                "lifespan": "decides whether the app's lifespan runs",
                "limit_max_requests": "decides whether responses are counted",
                "loaded_app": "is what each server has an own one of",
                "ws": "tells that no library for WebSockets was asked for",
                "ws_protocol_class": "tells that there is none",
            },
        )

    def test_the_fields_of_a_server(self) -> None:
        self.assert_has(
            uvicorn.Server(loaded()),
            {
                "config": "is the server's own",
                "server_state": "is replaced by one that counts, for limit_max_requests",
                "started": "is what LiveServer.running reads",
            },
        )

    def test_the_fields_of_the_state_of_a_server(self) -> None:
        self.assert_has(
            ServerState(),
            {
                "connections": "are replaced by a set that tells of each change",
                "default_headers": "are renewed in place once a second",
                "tasks": "are replaced by such a set; a stop waits for them",
                "total_requests": "is replaced by a property, to see each complete response",
            },
        )

    def test_options_have_types(self) -> None:
        """The annotations of Config() can be read; they check the options of the user."""
        hints = typing.get_type_hints(uvicorn.Config.__init__)
        self.assertIs(hints["access_log"], bool)
        self.assertIs(hints["timeout_keep_alive"], int)

    def test_loading_wraps_the_app_in_middleware_with_an_app(self) -> None:
        """Each middleware is a plain object with the next one in `app`; copies get another app."""
        logger = logging.getLogger("uvicorn.error")
        for level, layers in ((logging.WARNING, 1), (TRACE_LOG_LEVEL, 2)):
            with self.subTest(level=level), mock.patch.object(logger, "level", level):
                logger.manager._clear_cache()  # type: ignore[attr-defined]
                app = loaded().loaded_app
                for _ in range(layers):
                    self.assertIs(vars(app)["app"], app.app)
                    app = app.app
                self.assertIs(app, apps.hello)
        logger.manager._clear_cache()  # type: ignore[attr-defined]

    def test_a_configuration_is_a_plain_object(self) -> None:
        """Its fields are in its dict, from which each server's own configuration takes them."""
        self.assertLessEqual({"loaded_app", "encoded_headers", "ssl_certfile"}, set(vars(loaded())))

    def test_loop_factories(self) -> None:
        """get_loop_factory() returns None for asyncio's own, or a function that makes a loop."""
        for name in loops():
            make = loaded(loop=name).get_loop_factory() or asyncio.new_event_loop
            loop = make()
            self.addCleanup(loop.close)
            self.assertIsInstance(loop, asyncio.AbstractEventLoop)

    def test_log_options_are_applied_by_configure_logging(self) -> None:
        """They are set on a configuration that was made without, and not applied before."""
        loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access", "asgi")]
        for each in loggers:
            self.addCleanup(each.setLevel, each.level)
        access = loggers[1]
        self.addCleanup(setattr, access, "propagate", access.propagate)
        self.addCleanup(setattr, access, "handlers", access.handlers)
        config = loaded()
        config.log_level, config.access_log = "critical", False
        self.assertEqual([each.level for each in loggers], [logging.NOTSET] * 3)
        config.configure_logging()
        self.assertEqual([each.level for each in loggers], [logging.CRITICAL] * 3)
        self.assertFalse(access.propagate)

    @unittest.skipIf(has("websockets") or has("wsproto"), "a library for WebSockets is installed")
    def test_no_library_for_websockets_means_no_class(self) -> None:
        """A note says so when a test asked for a WebSocket."""
        self.assertIsNone(loaded().ws_protocol_class)

    def test_startup_serves_a_socket(self) -> None:
        """startup() awaits the lifespan, then serves a given socket with the server's own state.

        It reads three things of the lifespan, and adds the listener to `servers`.
        """
        made: list[dict[str, Any]] = []

        async def serve(sock: socket.socket) -> None:
            begun = asyncio.Event()

            def protocol(**arguments: Any) -> asyncio.Protocol:
                made.append(arguments)
                begun.set()
                return asyncio.Protocol()

            config = loaded()
            config.http_protocol_class = protocol  # type: ignore[assignment]
            server = uvicorn.Server(config)
            server.servers = []
            server.server_state = state
            server.lifespan = lifespan
            self.assertFalse(server.started)
            await server.startup(sockets=[sock])
            self.assertTrue(server.started)
            self.assertEqual([each.is_serving() for each in server.servers], [True])
            with socket.create_connection(sock.getsockname()):
                await begun.wait()
            await turns()
            server.servers.pop().close()
            await turns()

        for name in loops():
            with self.subTest(loop=name):
                made.clear()
                state = ServerState()
                lifespan = mock.Mock(spec=["startup", "should_exit", "state"], should_exit=False)
                lifespan.startup = mock.AsyncMock()
                lifespan.state = {"name": "shop"}
                sock = socket.create_server(("127.0.0.1", 0))
                self.addCleanup(sock.close)
                with asyncio.Runner(loop_factory=lambda name=name: new_loop(name)) as runner:  # type: ignore[misc]
                    runner.run(serve(sock))
                lifespan.startup.assert_awaited_once_with()
                self.assertIs(made[0]["server_state"], state)
                self.assertIs(made[0]["app_state"], lifespan.state)

    def test_a_tick(self) -> None:
        """on_tick(0) calls callback_notify, on_tick(1) does not; both tell whether to end."""
        notify = mock.AsyncMock()
        config = loaded(callback_notify=notify, timeout_notify=0, limit_max_requests=2)
        server = uvicorn.Server(config)
        self.assertFalse(asyncio.run(server.on_tick(1)))
        notify.assert_not_awaited()
        self.assertFalse(asyncio.run(server.on_tick(0)))
        notify.assert_awaited_once_with()
        server.server_state.total_requests = 2
        self.assertTrue(asyncio.run(server.on_tick(1)))


class Transport(asyncio.Transport):
    """A transport in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Set(set[Any]):
    """A set that remembers which methods changed it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def add(self, member: Any, /) -> None:
        self.calls.append("add")
        super().add(member)

    def discard(self, member: Any, /) -> None:
        self.calls.append("discard")
        super().discard(member)


class State(ServerState):
    """A server's state whose count is a property."""

    counts: list[int]

    @property
    def total_requests(self) -> int:
        return self.counts[-1]

    @total_requests.setter
    def total_requests(self, value: int) -> None:
        vars(self).setdefault("counts", []).append(value)


def http_protocols() -> Iterator[str]:
    """The HTTP protocols that can be used here, by uvicorn's names."""
    for name in ("h11", "httptools", "zttp"):
        if has(name) and name in uvicorn.config.HTTP_PROTOCOLS:
            yield name


class Exchange:
    """One HTTP/1.1 connection to an app, in memory, with what the app got as `receive`."""

    def __init__(self, protocol: str, answer: Callable[[Any], Awaitable[None]]) -> None:
        self.config = loaded(http=protocol)
        self.config.loaded_app = self.app
        self.answer = answer
        self.state = State()
        self.state.connections = Set()
        self.transport = Transport()
        self.receive: Any = None
        made: Any = self.config.http_protocol_class
        self.protocol: Any = made(config=self.config, server_state=self.state, app_state={})

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.receive = receive
        await self.answer(send)

    async def begin(self) -> Any:
        """Connect and ask; return uvicorn's object for the request."""
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
        await turns()
        return self.receive.__self__

    async def end(self) -> None:
        """Disconnect, and wait for the request."""
        self.protocol.connection_lost(None)
        for task in list(self.state.tasks):
            task.cancel()
        await turns()


async def wait_for_ever(send: Any) -> None:
    await asyncio.Event().wait()


async def hello(send: Any) -> None:
    await apps.answer(send, b"hello")


class UvicornProtocolTests(ContractCase):
    """What uvicorn's protocols for HTTP/1.1 do."""

    def each(self, check: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        for protocol in http_protocols():
            with self.subTest(protocol=protocol):
                asyncio.run(check(protocol))

    def test_the_fields_of_a_protocol(self) -> None:
        async def check(name: str) -> None:
            exchange = Exchange(name, hello)
            # It says that the TLS handshake is not done.
            self.assertIsNone(exchange.protocol.transport)
            self.assertIs(exchange.protocol.connections, exchange.state.connections)
            self.assertIs(exchange.protocol.tasks, exchange.state.tasks)
            await exchange.begin()
            self.assertIs(exchange.protocol.transport, exchange.transport)
            self.assert_has(exchange.protocol, {"client": "names a client that does not read"})
            self.assertEqual(exchange.protocol.logger.name, "uvicorn.error")
            self.assertEqual(exchange.protocol.access_logger.name, "uvicorn.access")
            await exchange.end()

        self.each(check)

    def test_shutdown_closes_an_idle_connection(self) -> None:
        """A stop calls it, and waits for the connection to go."""

        async def check(name: str) -> None:
            exchange = Exchange(name, hello)
            await exchange.begin()
            self.assertFalse(exchange.transport.closing)
            exchange.protocol.shutdown()
            self.assertTrue(exchange.transport.closing)
            await exchange.end()

        self.each(check)

    def test_connections_come_by_add_and_go_by_discard(self) -> None:
        """A test that waits for a request hears by discard() that its client has left."""

        async def check(name: str) -> None:
            exchange = Exchange(name, hello)
            await exchange.begin()
            await exchange.end()
            self.assertEqual(exchange.state.connections.calls, ["add", "discard"])  # type: ignore[attr-defined]

        self.each(check)

    def test_a_request_is_a_task(self) -> None:
        """A stop waits for the tasks of the server's state, and cancels them."""

        async def check(name: str) -> None:
            exchange = Exchange(name, wait_for_ever)
            await exchange.begin()
            (task,) = exchange.state.tasks
            task.cancel()
            await turns()
            self.assertEqual(exchange.state.tasks, set())
            await exchange.end()

        self.each(check)

    def test_receive_is_a_method_of_the_object_for_the_request(self) -> None:
        """It leads from the app's arguments to uvicorn's object."""

        async def check(name: str) -> None:
            exchange = Exchange(name, wait_for_ever)
            cycle = await exchange.begin()
            self.assert_has(
                cycle,
                {
                    "access_log": "is set to False where nobody reads the log",
                    "disconnected": "tells that the client has left",
                    "message_event": "wakes an app that waits for the disconnect",
                    "response_complete": "tells that the client has the whole response",
                },
            )
            self.assertIs(cycle.transport, exchange.transport)
            # A renewed date reaches the requests that run.
            self.assertIs(cycle.default_headers, exchange.state.default_headers)
            self.assertFalse(cycle.disconnected)
            await exchange.end()
            self.assertTrue(cycle.disconnected)
            self.assertFalse(cycle.response_complete)

        self.each(check)

    def test_a_complete_response(self) -> None:
        """It is marked, and counted by setting the count of the server's state."""

        async def check(name: str) -> None:
            exchange = Exchange(name, hello)
            cycle = await exchange.begin()
            self.assertTrue(cycle.response_complete)
            self.assertEqual(exchange.state.counts, [0, 1])
            self.assertTrue(exchange.transport.written.endswith(b"hello"))
            await exchange.end()
            self.assertFalse(cycle.disconnected)

        self.each(check)

    def test_h11_says_that_a_response_is_too_short(self) -> None:
        """uvicorn marks such a response as complete under h11; only the parser's state tells."""

        async def too_short(send: Any) -> None:
            headers = [(b"content-length", b"10")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"short"})

        async def check() -> None:
            exchange = Exchange("h11", too_short)
            with self.assertLogs("uvicorn.error"):
                cycle = await exchange.begin()
            self.assertEqual(cycle.conn.our_state.__name__, "ERROR")
            await exchange.end()

        self.assertEqual(h11.ERROR.__name__, "ERROR")
        asyncio.run(check())

    @unittest.skipUnless(has("zttp") and has("uvicorn.protocols.http.zttp_h2_impl"), "no HTTP/2")
    def test_http2(self) -> None:
        """A request can be ended without the others of its connection."""
        from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl

        self.assertTrue(callable(zttp_h2_impl.RequestResponseCycle.abort_stream))
        parameters = inspect.signature(zttp_h2_impl.RequestResponseCycle.__init__).parameters
        self.assertIn("message_event", parameters)
        self.assertTrue(callable(auto_zttp_impl.AutoZttpProtocol.shutdown))

    def test_websockets(self) -> None:
        """Their `receive` leads to their protocol, which has a transport and can shut down."""
        found: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            # Its method `receive` is enclosed in the one that the app gets.
            cells = [cell.cell_contents for cell in receive.__closure__]
            found.extend(each.__self__ for each in cells if hasattr(each, "__self__"))
            await receive()
            await send({"type": "websocket.close"})

        request = (
            "GET / HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        used = [name for name in ("websockets", "wsproto") if has(name)]
        for name in used:
            ws = f"{name}-sansio" if name == "websockets" else name
            with self.subTest(ws=ws), LiveServer(app, uvicorn_config={"ws": ws}) as server:
                with socket.create_connection((server.host, server.port), 10) as sock:
                    sock.sendall(request.encode())
                    self.assertIn(b" 403 ", sock.recv(1000))
                self.assert_has(
                    found[-1],
                    {
                        "transport": "is aborted where the client does not read",
                        "client": "names it then",
                        "shutdown": "closes it with code 1012",
                    },
                )
        self.assertEqual(len(found), len(used))


class Unawaited:
    """An app that raises where its last message is made and not sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        headers = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = send({"type": "http.response.body", "body": b"hello"})
        try:
            raise apps.Trouble("out of order")
        finally:
            sending.close()


class EffectTests(StrictTestCase):
    """What a user would lose with the names that the package reads with a default, or only sets."""

    def test_without_response_complete_a_second_error_is_logged(self) -> None:
        """An exception before the last message was sent is logged once, and says what happened.

        It is passed on to uvicorn, as the client has no whole response.
        """
        for protocol in http_protocols():
            with self.subTest(protocol=protocol):
                config = {"http": protocol}
                with (
                    self.assertLogs("uvicorn.error", "ERROR") as logged,
                    LiveServer(Unawaited(), uvicorn_config=config) as server,
                    self.assertRaises(http.client.HTTPException),
                ):
                    get(server.base_url)
                self.assertEqual(
                    logged.output[0].partition("\n")[0][-29:], "Exception in ASGI application"
                )
                self.assertEqual(len(logged.records), 1, logged.output)

    def test_without_the_parsers_state_a_client_waits(self) -> None:
        """The connection of a response that is too short is closed, so that its client need not
        wait for the rest.
        """

        async def too_short(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            headers = [(b"content-length", b"10")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"short"})

        for protocol in http_protocols():
            config = {"http": protocol}
            with (
                self.subTest(protocol=protocol),
                self.assertLogs("uvicorn.error", "ERROR"),
                LiveServer(too_short, uvicorn_config=config) as server,
                Client(server.base_url, timeout=3) as client,
                self.assertRaises(http.client.HTTPException),
            ):
                client.get()

    def test_without_access_log_each_request_pays_for_a_line(self) -> None:
        """Where nobody reads uvicorn's access log, uvicorn does not write it."""
        logger = logging.getLogger("uvicorn.access")
        for protocol in http_protocols():
            for level, lines in ((logging.WARNING, 0), (logging.INFO, 1)):
                with (
                    self.subTest(protocol=protocol, level=level),
                    LiveServer(apps.hello, uvicorn_config={"http": protocol}) as server,
                    mock.patch.object(logger, "isEnabledFor", lambda of, level=level: of >= level),
                    mock.patch.object(logger, "info") as info,
                ):
                    get(server.base_url)
                    self.assertEqual(info.call_count, lines)


class CheckTests(StrictTestCase):
    """What would be lost in silence is checked: at import, and at the first use of a protocol."""

    def message(self, change: str, then: str = "") -> str:
        """What an import, or a server, raises after a change of uvicorn's modules."""
        code = (
            f"import uvicorn\n{change}\nfrom liveserver import LiveServer\n{then}\n"
            "raise SystemExit('nothing was raised')\n"
        )
        arguments = [sys.executable, "-c", code]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        return done.stderr.splitlines()[-1]

    def renamed(self, cls: str, old: str, new: str) -> str:
        """Code that changes a name in the functions of a class."""
        return (
            f"for key, value in list(vars({cls}).items()):\n"
            "    if hasattr(value, '__code__'):\n"
            "        code = value.__code__\n"
            f"        names = tuple({new!r} if n == {old!r} else n for n in code.co_names)\n"
            "        value.__code__ = code.replace(co_names=names)\n"
        )

    def test_at_import(self) -> None:
        change = "import uvicorn.server\nuvicorn.__version__ = '9.9'\n"
        change += self.renamed("uvicorn.server.ServerState", "tasks", "jobs")
        self.assertEqual(
            self.message(change),
            "ImportError: uvicorn 9.9 does not fit this version of liveserver: "
            "uvicorn.server.ServerState has no 'tasks' any more. Install an older uvicorn "
            '(pip install "uvicorn<9.9"), or a newer liveserver.',
        )

    def test_at_the_first_use_of_a_protocol(self) -> None:
        for name in ("response_complete", "disconnected", "access_log"):
            with self.subTest(name=name):
                change = "import uvicorn.protocols.http.h11_impl as module\n"
                change += self.renamed("module.RequestResponseCycle", name, "renamed")
                then = "async def app(scope, receive, send): ...\n"
                then += "LiveServer(app, uvicorn_config={'http': 'h11'})"
                self.assertIn(
                    f"protocols.http.h11_impl.RequestResponseCycle has no {name!r} any more",
                    self.message(change, then),
                )

    def test_a_class_that_is_not_written_in_python_passes(self) -> None:
        self.assertEqual(contracts._names(int), set())

    def test_a_protocol_of_the_users_is_not_judged(self) -> None:
        class Protocol(asyncio.Protocol):
            def __init__(self, **arguments: Any) -> None: ...

        LiveServer(apps.hello, uvicorn_config={"http": Protocol})


# asyncio


def chain(awaited: Any) -> Iterator[FrameType]:
    """The frames of what a coroutine awaits, outermost first."""
    while awaited is not None:
        for prefix, inner in (("cr", "cr_await"), ("ag", "ag_await"), ("gi", "gi_yieldfrom")):
            frame = getattr(awaited, f"{prefix}_frame", None)
            if frame is not None:
                yield frame
                awaited = getattr(awaited, inner)
                break
        else:
            return


def enclosed(future: Any) -> list[Any]:
    """What the callbacks of a future enclose."""
    callbacks = [callback for callback, _context in future._callbacks]
    cells = [cell for each in callbacks for cell in getattr(each, "__closure__", None) or ()]
    return [cell.cell_contents for cell in cells]


class AsyncioTests(ContractCase):
    """Private names of asyncio lead from a task to the line that it is at."""

    names = {
        "asyncio.sslproto:SSLProtocol._get_app_transport": "aborts a connection in its handshake",
        "asyncio:Task.get_coro": "begins the chain",
        "asyncio:Task.cancelling": "tells a cancelled request from one that raised CancelledError",
        "asyncio:AbstractEventLoop.shutdown_asyncgens": "ends the app's generators",
    }

    def test_a_loop_keeps_the_selector_that_it_was_given(self) -> None:
        """`_selector`: it says whether the loop sleeps."""
        with selectors.DefaultSelector() as given:
            loop = asyncio.SelectorEventLoop(given)
            self.assertIs(loop._selector, given)  # type: ignore[attr-defined]
            loop.close()

    @unittest.skipUnless(has("uvloop"), "uvloop is not installed")
    def test_uvloop_tells_its_epoll_object(self) -> None:
        """`_get_backend_id`: another thread asks it whether something has arrived."""
        import uvloop

        with contextlib.closing(uvloop.new_event_loop()) as loop:
            self.assertGreater(loop._get_backend_id(), 0)

    def test_a_task_says_what_it_waits_for(self) -> None:
        """_fut_waiter is the task or the future at the end of the chain."""

        async def check() -> None:
            inner = asyncio.ensure_future(wait_for_ever(None))

            async def outer() -> None:
                await inner

            task = asyncio.ensure_future(outer())
            await turns()
            self.assertIs(task._fut_waiter, inner)  # type: ignore[attr-defined]
            self.assertEqual([each.f_code.co_name for each in chain(task.get_coro())], ["outer"])
            inner.cancel()
            await asyncio.wait([task])

        asyncio.run(check())

    def test_gather_and_shield_lead_to_their_tasks(self) -> None:
        """A gathering future has `_children`; a shield's callback encloses the inner future."""

        async def check() -> None:
            inner = asyncio.ensure_future(wait_for_ever(None))
            gathering: Any = asyncio.gather(inner, return_exceptions=True)
            self.assertIn(inner, gathering._children)
            shielding: Any = asyncio.shield(inner)
            self.assertIn(inner, enclosed(shielding))
            inner.cancel()
            await asyncio.wait([gathering, shielding])

        asyncio.run(check())

    def test_waits_and_groups_lead_to_their_tasks(self) -> None:
        """wait() and wait_for() have the task in a local name, a task group has `_tasks`."""

        async def group() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(wait_for_ever(None))

        def found(task: Any, inner: Any) -> set[str]:
            """The functions that the frames of a task, and the tasks in them, are in."""
            frames = list(chain(task.get_coro()))
            names = {frame.f_code.co_name for frame in frames}
            for frame in frames:
                for value in frame.f_locals.values():
                    others = list(value._tasks) if type(value).__name__ == "TaskGroup" else [value]
                    for other in others:
                        if isinstance(other, asyncio.Task) and other is not inner:
                            names |= {each.f_code.co_name for each in chain(other.get_coro())}
                        elif other is inner:
                            names.add("wait_for_ever")
            return names

        async def check() -> None:
            inner = asyncio.ensure_future(wait_for_ever(None))
            waits: list[Any] = [asyncio.wait([inner]), group()]
            waits.append(asyncio.wait_for(wait_for_ever(None), 60))
            for waiting in waits:
                task = asyncio.ensure_future(waiting)
                await turns()
                with self.subTest(waiting=waiting.__qualname__):
                    self.assertIn("wait_for_ever", found(task, inner))
                task.cancel()
                await asyncio.wait([task])
            inner.cancel()
            await asyncio.wait([inner])

        asyncio.run(check())

    def test_a_worker_thread_is_found(self) -> None:
        """The callback of to_thread()'s future encloses the executor's, and the worker's stack has
        an object with that `future` among its outer six frames.
        """

        async def check() -> None:
            task = asyncio.ensure_future(asyncio.to_thread(work))
            await in_thread(begun.wait, 10)
            futures = enclosed(task._fut_waiter)  # type: ignore[attr-defined]
            (source,) = [f for f in futures if isinstance(f, concurrent.futures.Future)]
            found = [self._future_of(ident) for ident in idents]
            released.set()
            await task
            self.assertEqual(found, [source])

        def work() -> None:
            idents.append(threading.get_ident())
            begun.set()
            released.wait(10)

        idents: list[int] = []
        begun, released = threading.Event(), threading.Event()
        asyncio.run(check())

    def _future_of(self, ident: int) -> Any:
        frame = sys._current_frames().get(ident)
        stack = []
        while frame is not None:
            stack.append(frame)
            frame = frame.f_back
        owners: list[Any] = [frame.f_locals.get("self") for frame in stack[::-1][:6]]
        return next((each.future for each in owners if hasattr(each, "future")), None)

    def test_steps_of_generators_lead_to_them(self) -> None:
        """They are opaque, save for the garbage collector; their types have these names."""

        async def generator() -> Any:
            yield 1

        makers: dict[str, Callable[[Any, Any], Any]] = {
            "async_generator_asend": lambda generated, _: generated.__anext__(),
            "async_generator_athrow": lambda generated, _: generated.aclose(),
            "anext_awaitable": lambda generated, _: anext(generated, None),
            "coroutine_wrapper": lambda _, coroutine: coroutine.__await__(),
        }
        for name, make in makers.items():
            with self.subTest(type=name):
                generated, coroutine = generator(), wait_for_ever(None)
                step = make(generated, coroutine)
                self.assertEqual(type(step).__name__, name)
                nearest = gc.get_referents(step)
                nearest += [inner for each in nearest for inner in gc.get_referents(each)]
                self.assertTrue({id(generated), id(coroutine)} & set(map(id, nearest)))
                with contextlib.suppress(AttributeError, RuntimeError):
                    step.close()
                coroutine.close()

    def test_a_running_coroutine_says_so(self) -> None:
        """cr_running: its line is that of the server's thread."""

        async def run() -> bool:
            return bool(coroutine.cr_running)

        coroutine: Any = run()
        self.assertFalse(coroutine.cr_running)
        self.assertTrue(asyncio.run(coroutine))

    def test_all_tasks_of_a_loop_in_another_thread(self) -> None:
        """A stop that lasts too long names the tasks that still run."""
        for name in loops():
            with self.subTest(loop=name):
                loop = new_loop(name)
                begun = threading.Event()

                async def wait(begun: threading.Event = begun) -> None:
                    begun.set()
                    await asyncio.Event().wait()

                task = loop.create_task(wait())
                thread = threading.Thread(target=self._run, args=(loop, task))
                thread.start()
                self.assertTrue(begun.wait(10))
                self.assertEqual(asyncio.all_tasks(loop), {task})
                loop.call_soon_threadsafe(task.cancel)
                thread.join(10)
                loop.close()
                with self.assertRaises(RuntimeError):  # which a post to an ended run suppresses
                    loop.call_soon_threadsafe(print)

    def _run(self, loop: asyncio.AbstractEventLoop, task: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    def test_a_loop_goes_on_after_a_system_exit(self) -> None:
        """It leaves run_until_complete(), which can then be called again for the same task."""

        async def leave() -> None:
            raise SystemExit(3)

        async def main(released: asyncio.Event) -> str:
            await released.wait()
            return "done"

        for name in loops():
            with self.subTest(loop=name):
                loop = new_loop(name)
                self.addCleanup(loop.close)
                released = asyncio.Event()
                task, leaving = loop.create_task(main(released)), loop.create_task(leave())
                with self.assertRaises(SystemExit):
                    loop.run_until_complete(task)
                released.set()
                self.assertEqual(loop.run_until_complete(task), "done")
                self.assertIsInstance(leaving.exception(), SystemExit)

    def test_a_task_without_an_end_is_not_complained_about(self) -> None:
        """_log_destroy_pending: a stop has named those tasks already."""
        for name in loops():
            for log in (True, False):
                with self.subTest(loop=name, log=log):
                    loop = new_loop(name)
                    task = loop.create_task(wait_for_ever(None))
                    loop.run_until_complete(turns())
                    task._log_destroy_pending = log  # type: ignore[attr-defined]
                    loop.close()
                    with self.assertLogs("asyncio") if log else self.assertNoLogs("asyncio"):
                        del task
                        gc.collect()

    def test_a_loop_uses_its_executor_by_two_methods(self) -> None:
        """submit() and shutdown(wait=False), so the executor of a server is set up when needed."""

        class Lazy(concurrent.futures.ThreadPoolExecutor):
            def __init__(self) -> None:
                self.calls: list[Any] = []

            def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
                self.calls.append("submit")
                future: Any = concurrent.futures.Future()
                future.set_result(function(*args))
                return future

            def shutdown(self, wait: bool = True, **kwargs: Any) -> None:
                self.calls.append(("shutdown", wait))

        for name in loops():
            with self.subTest(loop=name):
                loop, executor = new_loop(name), Lazy()
                loop.set_default_executor(executor)
                done = loop.run_in_executor(None, int, "1")
                self.assertEqual(loop.run_until_complete(done), 1)
                loop.close()
                self.assertEqual(executor.calls, ["submit", ("shutdown", False)])

    def test_remove_reader_stops_accepting(self) -> None:
        """A stop does so one turn before it closes the listener."""

        async def check() -> None:
            server = await asyncio.get_running_loop().create_server(asyncio.Protocol, sock=sock)
            self.assertTrue(asyncio.get_running_loop().remove_reader(sock))
            server.close()

        sock = socket.create_server(("127.0.0.1", 0))
        with sock, asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(check())

    def test_callbacks_run_in_the_order_of_call_soon(self) -> None:
        """What a stop posts runs in its order, after what came before."""
        for name in loops():
            with self.subTest(loop=name):
                seen: list[int] = []
                loop = new_loop(name)
                for number in range(20):
                    post = loop.call_soon_threadsafe if number % 2 else loop.call_soon
                    post(seen.append, number)
                loop.run_until_complete(turns())
                loop.close()
                self.assertEqual(seen, list(range(20)))

    def test_the_bound_of_a_slow_step_is_read_after_it(self) -> None:
        """So the import of aiohttp in a test's first request is not reported as a slow step."""

        async def slow(bound: float) -> None:
            loop = asyncio.get_running_loop()
            loop.slow_callback_duration = bound
            time.sleep(0.02)  # noqa: ASYNC251  # this is the slow step
            loop.call_soon(setattr, loop, "slow_callback_duration", 10.0)

        for bound in (0.001, float("inf")):
            with (
                self.subTest(bound=bound),
                self.assertLogs("asyncio", "WARNING")
                if bound < 1
                else self.assertNoLogs("asyncio", "WARNING"),
            ):
                asyncio.run(slow(bound), debug=True)

    def test_the_garbage_collector_knows_who_does_a_handshake(self) -> None:
        """asyncio's SSLProtocol refers to the protocol, by itself or by the dict of its fields."""
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        protocol = asyncio.Protocol()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made: Any = asyncio.sslproto.SSLProtocol
        doing = made(loop, protocol, context, None, server_side=True)
        holders = gc.get_referrers(protocol)
        self.assertTrue(any(each is doing or each is vars(doing) for each in holders))
        self.assertLessEqual({"_transport", "_app_protocol"}, set(vars(doing)))
        doing._get_app_transport().abort()

    @unittest.skipUnless(has("uvloop"), "uvloop is not installed")
    def test_uvloop_has_the_same_method(self) -> None:
        """Its SSLProtocol gives the transport of a handshake."""
        import uvloop

        self.assertTrue(hasattr(vars(uvloop.loop)["SSLProtocol"], "_get_app_transport"))


# threading, concurrent.futures


class ThreadingTests(ContractCase):
    names = {
        "threading:_register_atexit": "stops servers while worker threads still can be used",
        "threading:TIMEOUT_MAX": "is the bound of LIVESERVER_TIMEOUTS=off",
        "sys:_current_frames": "gives the line that a thread is at",
        "concurrent.futures.thread:_python_exit": "is registered at import, before the package's",
    }

    def test_the_hooks_of_the_processs_end(self) -> None:
        """The last one registered runs first: a server's stop before the end of all executors."""
        code = (
            "import atexit, concurrent.futures.thread, threading\n"
            "pool = concurrent.futures.ThreadPoolExecutor(1)\n"
            "pool.submit(int).result()\n"
            "atexit.register(print, 'atexit')\n"
            "threading._register_atexit(print, 'first')\n"
            "threading._register_atexit(lambda: print(pool.submit(int, '1').result()))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=30
        )
        self.assertEqual((done.stdout.split(), done.stderr), (["1", "first", "atexit"], ""))

    def test_a_thread_has_an_ident_from_its_start_on(self) -> None:
        """It tells whether a thread has begun, and keeps it after its end."""
        thread = threading.Thread(target=int)
        self.assertIsNone(thread.ident)
        thread.start()
        self.assertIsInstance(thread.ident, int)
        thread.join()
        self.assertIsInstance(thread.ident, int)

    def test_a_start_waits_for_an_event_alone(self) -> None:
        """`_started` has wait(), set() and is_set(): one that does not wait takes its place.

        The thread sets it when join() can wait for it.
        """
        started = mock.Mock()
        thread = threading.Thread(target=int)
        thread._started = started  # type: ignore[attr-defined]
        started.is_set.return_value = False
        with self.assertRaises(RuntimeError):
            thread.join()
        thread.start()
        until(lambda: started.set.called)
        started.is_set.return_value = True
        thread.join(10)
        self.assertFalse(thread.is_alive())
        names = {name for name, *_ in started.mock_calls}
        self.assertEqual(names, {"is_set", "set", "wait"})

    def test_locks_take_the_longest_timeout(self) -> None:
        self.assertTrue(threading.Lock().acquire(timeout=threading.TIMEOUT_MAX))
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        future.set_result(None)
        future.result(threading.TIMEOUT_MAX)

    def test_an_executor_knows_its_threads(self) -> None:
        """`_threads`: a stop waits for those, and names the stuck ones."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            thread = pool.submit(threading.current_thread).result()
            self.assertEqual(set(pool._threads), {thread})

    def test_workers_of_a_daemon_are_daemons(self) -> None:
        """A thread takes that from the one that starts it: here, the server's."""
        found: list[bool] = []

        def work() -> None:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                found.append(pool.submit(threading.current_thread).result().daemon)

        for daemon in (True, False):
            thread = threading.Thread(target=work, daemon=daemon)
            thread.start()
            thread.join(10)
        self.assertEqual(found, [True, False])


# unittest


class UnittestTests(ContractCase):
    names = {
        "unittest:IsolatedAsyncioTestCase.addAsyncCleanup": "stops a server without blocking",
        "unittest:TestCase.addClassCleanup": "stops the server of a class",
        "unittest:TestCase.failureException": "is what assertServerRaises raises",
        "unittest:TestResult.addSubTest": "is where a failing subtest gets its note",
    }

    def test_the_name_of_the_method(self) -> None:
        """_testMethodName: the method is replaced where nothing would await it, or to serve it."""
        case = unittest.TestCase()
        self.assertEqual(case._testMethodName, "runTest")
        case.runTest = lambda: seen.append("replaced")  # type: ignore[attr-defined]
        seen: list[str] = []
        case.run()
        self.assertEqual(seen, ["replaced"])

    def test_marks_are_fields_of_the_function(self) -> None:
        """A test that is replaced keeps its marks; an expected failure is not judged."""

        def test() -> None: ...

        skipped = unittest.skip("closed")(lambda: None)
        self.assertTrue(vars(skipped)["__unittest_skip__"])
        marked = unittest.expectedFailure(test)
        self.assertTrue(vars(marked)["__unittest_expecting_failure__"])

    def test_frames_with_the_mark_are_left_out(self) -> None:
        """`__unittest` in the globals of a module hides its frames at the end of a failure."""
        space: dict[str, Any] = {"__unittest": True}
        exec("def check(): raise AssertionError('wrong')", space)

        class Case(unittest.TestCase):
            def runTest(self) -> None:
                space["check"]()

        result = unittest.TestResult()
        Case().run(result)
        self.assertNotIn("in check", result.failures[0][1])
        del space["__unittest"]
        Case().run(result)
        self.assertIn("in check", result.failures[1][1])  # the negative control

    def test_the_order_of_a_test(self) -> None:
        """A failure is told before the cleanups run; those run in reverse, after tearDown().

        So the last thing that happens is what was registered first, in run().
        """
        for base in (unittest.TestCase, unittest.IsolatedAsyncioTestCase):
            with self.subTest(base=base.__name__):
                events: list[str] = []

                class Result(unittest.TestResult):
                    def addFailure(self, test: Any, err: Any, events: list[str] = events) -> None:
                        events.append("failure")

                class Case(base):  # type: ignore[misc, valid-type]
                    def setUp(self, events: list[str] = events) -> None:
                        self.addCleanup(events.append, "second")
                        self.addCleanup(self.loop_runs, events)

                    def loop_runs(self, events: list[str]) -> None:
                        with contextlib.suppress(RuntimeError):
                            asyncio.get_running_loop()
                            events.append("a loop is running")

                    def tearDown(self, events: list[str] = events) -> None:
                        events.append("tearDown")

                    def test(self) -> None:
                        self.fail()

                    async def async_test(self) -> None:
                        self.addAsyncCleanup(self.note)
                        self.fail()

                    async def note(self, events: list[str] = events) -> None:
                        events.append("async cleanup")

                is_async = base is unittest.IsolatedAsyncioTestCase
                case = Case("async_test" if is_async else "test")
                case.addCleanup(events.append, "first")
                case.run(Result())
                expected = ["failure", "tearDown", *["async cleanup"] * is_async, "second", "first"]
                self.assertEqual(events, expected)

    def test_cleanups_run_when_a_fixture_raises(self) -> None:
        """A server is stopped even if setUp() or setUpClass() raises after its start."""
        events: list[str] = []

        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls) -> None:
                cls.addClassCleanup(events.append, "class")
                if fails == "setUpClass":
                    raise ValueError

            def setUp(self) -> None:
                self.addCleanup(events.append, "test")
                raise ValueError

            def test(self) -> None: ...

        for fails, expected in (("setUpClass", ["class"]), ("setUp", ["test", "class"])):
            with self.subTest(fails=fails):
                events.clear()
                unittest.TestSuite([Case("test")]).run(unittest.TestResult())
                self.assertEqual(events, expected)

    def test_a_result_without_add_sub_test_is_allowed(self) -> None:
        """unittest asks by hasattr(), so a result that wraps another shows what that has."""

        class Case(unittest.TestCase):
            def runTest(self) -> None:
                with self.subTest():
                    seen.append("ran")

        class Result(unittest.TestResult):
            def __getattribute__(self, name: str) -> Any:
                if name == "addSubTest":
                    raise AttributeError(name)
                return super().__getattribute__(name)

        seen: list[str] = []
        result = Result()
        Case().run(result)
        self.assertEqual((seen, result.wasSuccessful()), (["ran"], True))


# pytest


@unittest.skipUnless(has("pytest"), "pytest is not installed")
class PytestTests(ContractCase):
    names = {
        "_pytest.outcomes:OutcomeException": "tells skips and failures from errors by its module",
        "_pytest.unittest:TestCaseFunction.addError": "is where an error gets its note",
        "_pytest.unittest:TestCaseFunction.addFailure": "is where a failure gets its note",
        "_pytest.unittest:TestCaseFunction.get_closest_marker": "tells an expected failure",
    }

    def test_outcomes_are_known_by_their_module(self) -> None:
        """Though they pose as builtins, a base of each is in `_pytest.outcomes`."""
        import pytest

        for exception, name in (
            (pytest.fail.Exception, "Failed"),
            (pytest.skip.Exception, "Skipped"),
        ):
            self.assertEqual(exception.__name__, name)
            self.assertIn("_pytest.outcomes", [base.__module__ for base in exception.__mro__])

    def test_frames_with_the_mark_are_hidden(self) -> None:
        """`__tracebackhide__` in the globals of a module hides its frames."""
        import pytest

        space: dict[str, Any] = {"__tracebackhide__": True}
        exec("def check(): raise ValueError", space)
        for hidden in (True, False):
            space["__tracebackhide__"] = hidden
            with pytest.raises(ValueError) as caught:  # noqa: PT011
                space["check"]()
            self.assertEqual(bool(caught.traceback[-1].ishidden(None)), hidden)

    def test_a_mark_has_its_arguments(self) -> None:
        """xfail's conditions and `raises` tell whether a failure is expected."""
        import pytest

        mark = pytest.mark.xfail(True, raises=ValueError).mark
        self.assertEqual((mark.args, mark.kwargs), ((True,), {"raises": ValueError}))

    def test_a_test_case_is_given_the_item_as_its_result(self) -> None:
        """So get_closest_marker() can be asked of the result, as whether it has addSubTest."""
        code = (
            "import unittest\n"
            "class Tests(unittest.TestCase):\n"
            "    def run(self, result):\n"
            "        assert result.get_closest_marker('xfail') is None\n"
            "        super().run(result)\n"
            "    def test(self): ...\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "test_item.py")
            file.write_text(code, "utf-8")
            arguments = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
            done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=30)
        self.assertIn("1 passed", done.stdout)


# requests, aiohttp


class RequestsTests(ContractCase):
    def test_a_request_passes_by_two_methods(self) -> None:
        """Session.request() calls prepare_request(), which gets a URL to complete, then send().

        A timeout that is not given comes as None.
        """
        seen: list[Any] = []

        class Session(requests.Session):
            def prepare_request(self, request: Any) -> Any:
                seen.append(request.url)
                request.url = f"http://shop.test{request.url}"
                return super().prepare_request(request)

            def send(self, request: Any, **kwargs: Any) -> Any:
                seen.append((request.url, kwargs["timeout"]))
                response = requests.Response()
                response.status_code = 200
                return response

        with Session() as session:
            session.trust_env = False
            session.get("/cart")
            session.get("/cart", timeout=3)
        expected = "http://shop.test/cart"
        self.assertEqual(seen, ["/cart", (expected, None), "/cart", (expected, 3)])

    def test_a_redirect_passes_by_send_with_the_timeout(self) -> None:
        """The default timeout holds for it, and its URL is absolute."""
        seen: list[Any] = []

        class Session(requests.Session):
            def send(self, request: Any, **kwargs: Any) -> Any:
                seen.append((request.url.partition(":")[0], kwargs["timeout"]))
                return super().send(request, **kwargs)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] != "/old":
                return await apps.hello(scope, receive, send)
            headers = [(b"location", b"/new"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send({"type": "http.response.body"})

        with LiveServer(app) as server, Session() as session:
            session.trust_env = False
            self.assertEqual(session.get(f"{server.base_url}/old", timeout=3).text, "hello")
        self.assertEqual(seen, [("http", 3)] * 2)

    def test_a_session_that_trusts_nothing_heeds_no_proxy(self) -> None:
        """trust_env = False: a proxy variable would catch the loopback address."""
        with requests.Session() as session, mock.patch.dict("os.environ", HTTP_PROXY="http://x:1"):
            for trusts, proxies in ((True, 1), (False, 0)):
                session.trust_env = trusts
                merged = session.merge_environment_settings(
                    "http://shop.test", {}, None, None, None
                )
                self.assertEqual("http" in merged["proxies"], bool(proxies))


class AiohttpTests(ContractCase):
    def test_a_session_with_a_base_url(self) -> None:
        """It takes relative and absolute URLs, and keeps cookies of an IP address if it is told."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"set-cookie", b"cart=full; path=/"), (b"content-length", b"4")]
            cookie = dict(scope["headers"]).get(b"cookie", b"none")
            headers[1] = (b"content-length", str(len(cookie)).encode())
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": cookie})

        async def ask(urls: list[str]) -> list[str]:
            session = aiohttp.ClientSession(
                urls[0],
                connector=aiohttp.TCPConnector(ssl=True),
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=3),
                trust_env=False,
            )
            async with session:
                answers = []
                for url in urls[1:]:
                    async with session.get(url) as answer:
                        answers.append(await answer.text())
            return answers

        with LiveServer(app) as server, LiveServer(apps.hello) as other:
            urls = [server.base_url, "/", "/cart", f"{server.base_url}/", f"{other.base_url}/"]
            answers = asyncio.run(ask(urls))
        self.assertEqual(answers, ["none", "cart=full", "cart=full", "hello"])


# a2wsgi, anyio


@unittest.skipUnless(has("a2wsgi"), "a2wsgi is not installed")
class A2wsgiTests(ContractCase):
    names = {
        "a2wsgi:WSGIMiddleware.__call__": "serves the lifespan",
        "a2wsgi.wsgi:WSGIResponder.__call__": "serves a request",
        "a2wsgi.wsgi:WSGIResponder.send": "is overridden: each message of a worker passes by it",
    }

    def test_a_responder_in_the_loops_executor(self) -> None:
        """It takes an app, an executor, which may be None, and the length of a queue.

        Its worker thread calls send() for each message, and receive() through the loop.
        """
        from a2wsgi import WSGIMiddleware
        from a2wsgi.wsgi import WSGIResponder

        sent: list[Any] = []

        class Responder(WSGIResponder):
            def send(self, message: Any) -> None:
                sent.append((threading.current_thread() is threading.main_thread(), message))
                super().send(message)

        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [])
            return [environ["wsgi.input"].read()]

        async def receive() -> Any:
            return {"type": "http.request", "body": b"hello", "more_body": False}

        async def serve() -> None:
            async def send(message: Any) -> None:
                arrived.append(message)

            responder = Responder(app, None, size)  # type: ignore[arg-type]
            await responder(scope, receive, send)

        middleware: Any = WSGIMiddleware(app)
        size = middleware.send_queue_size
        self.assertIsInstance(size, int)
        headers = [(b"content-length", b"5")]
        scope: Any = {"type": "http", "method": "POST", "path": "/", "query_string": b""}
        scope |= {"http_version": "1.1", "headers": headers}
        arrived: list[Any] = []
        asyncio.run(serve())
        self.assertEqual([message for _, message in sent], arrived)
        self.assertEqual({in_main for in_main, _ in sent}, {False})
        self.assertEqual(b"".join(each.get("body", b"") for each in arrived), b"hello")


@unittest.skipUnless(has("anyio"), "anyio is not installed")
class AnyioTests(ContractCase):
    def test_the_worker_of_run_sync_is_a_local_name(self) -> None:
        """`worker`, in one of the last two frames: the thread of a sync handler of Starlette's."""
        import anyio.to_thread

        async def check() -> None:
            task = asyncio.ensure_future(anyio.to_thread.run_sync(released.wait, 10))
            await turns(20)
            frames = list(chain(task.get_coro()))
            workers = [frame.f_locals.get("worker") for frame in frames[-2:]]
            found = [each for each in workers if isinstance(each, threading.Thread)]
            released.set()
            await task
            self.assertEqual(len(found), 1)

        released = threading.Event()
        asyncio.run(check())

    def test_a_task_group_has_its_tasks(self) -> None:
        """`_tasks`, on a class named TaskGroup, as asyncio's."""
        import anyio

        async def check() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(wait_for_ever, None)
                await turns()
                self.assertEqual(type(group).__name__, "TaskGroup")
                (task,) = group._tasks  # type: ignore[attr-defined]
                self.assertIsInstance(task, asyncio.Task)
                group.cancel_scope.cancel()

        asyncio.run(check())


@unittest.skipUnless(has("starlette"), "Starlette is not installed")
class StarletteTests(ContractCase):
    names = {
        "starlette.requests:ClientDisconnect": "is no error of the app: its client left",
        "starlette.websockets:WebSocketDisconnect": "is no error of the app: its client left",
    }
