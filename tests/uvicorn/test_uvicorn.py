"""uvicorn's own options and behaviour, kept although its loop and its stop are replaced."""

import asyncio
import importlib.util
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
import warnings
from email.utils import parsedate_to_datetime
from typing import Any
from unittest import mock

import uvicorn
from uvicorn.logging import TRACE_LOG_LEVEL

from liveserver import ConfigurationError, LiveServer, ShutdownError, StartupTimeout
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, get, loops, until


class OptionsTests(StrictTestCase):
    """Options in uvicorn_config reach uvicorn."""

    def test_headers_and_server_header(self) -> None:
        config = {"headers": [("x-one", "1")], "server_header": False, "date_header": False}
        with LiveServer(apps.hello, uvicorn_config=config) as server:
            headers = get(server.base_url).headers
        self.assertEqual(headers["x-one"], "1")
        self.assertIsNone(headers["server"])
        self.assertIsNone(headers["date"])

    def test_root_path(self) -> None:
        seen: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope.get("root_path", "lifespan"))
            await apps.hello(scope, receive, send)

        with LiveServer(app, uvicorn_config={"root_path": "/api"}) as server:
            get(server.base_url)
        self.assertEqual(seen, ["lifespan", "/api"])

    def test_limit_concurrency(self) -> None:
        with LiveServer(apps.hello, uvicorn_config={"limit_concurrency": 1}) as server:
            self.assertEqual(get(server.base_url).status, 503)

    def test_limit_max_requests_ends_the_server(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Recorder()
                config = {"limit_max_requests": 2, "loop": loop}
                server = LiveServer(app, uvicorn_config=config)
                server.start()
                with Client(server.base_url) as client:
                    self.assertEqual(client.get().status, 200)
                    self.assertTrue(server.running)
                    self.assertEqual(client.get().status, 200)
                # The socket closes as an event, so connecting fails at last without a wait.
                with self.assertRaises(ConnectionError):
                    while True:
                        get(server.base_url)
                self.assertFalse(server.running)
                server.stop()
                self.assertEqual(app.events, ["startup", "shutdown"])
                server.start()  # the limit counts anew
                self.assertEqual(get(server.base_url).status, 200)
                server.stop()

    def test_a_start_after_the_limit_needs_no_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Recorder()
                server = LiveServer(app, uvicorn_config={"limit_max_requests": 1, "loop": loop})
                server.start()
                self.addCleanup(server.stop)
                self.assertEqual(get(server.base_url).status, 200)
                until(lambda server=server: not server.running)  # type: ignore[misc]
                server.start()
                self.assertEqual(app.events, ["startup", "shutdown", "startup"])
                self.assertEqual(get(server.base_url).status, 200)

    def test_a_start_stops_what_ended_by_itself_and_failed(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(shutdown=apps.raise_trouble)
                config = {"limit_max_requests": 1, "loop": loop}
                server = LiveServer(app, uvicorn_config=config)
                server.start()
                self.assertEqual(get(server.base_url).status, 200)
                until(lambda server=server: not server.running)  # type: ignore[misc]
                with self.assertRaisesRegex(ShutdownError, "Trouble: out of order"):
                    server.start()
                self.assertFalse(server.running)
                app.shutdown = None
                with server:
                    self.assertEqual(get(server.base_url).status, 200)

    def test_callback_notify_is_called(self) -> None:
        called = threading.Event()

        async def notify() -> None:
            called.set()

        config = {"callback_notify": notify, "timeout_notify": 0}
        with LiveServer(apps.hello, uvicorn_config=config):
            self.assertTrue(called.wait(10))
            called.clear()
            self.assertTrue(called.wait(10))

    def test_a_state_of_the_lifespan_is_given_to_requests(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                scope["state"]["name"] = b"shop"
                await apps.lifespan(receive, send)
            else:
                await apps.answer(send, scope["state"]["name"])

        with LiveServer(app) as server:
            self.assertEqual(get(server.base_url).body, b"shop")


class PackagesTests(StrictTestCase):
    """What uvicorn needs another package for, where that is not installed."""

    seconds = 60

    # Option -> its value and the package it needs, by the names to import and to install it.
    NEEDS = {
        "http": ("httptools", "httptools", "httptools"),
        "ws": ("wsproto", "wsproto", "wsproto"),
        "loop": ("uvloop", "uvloop", "uvloop"),
        "env_file": (os.devnull, "dotenv", "python-dotenv"),
    }

    def message(self, config: dict[str, Any], missing: str) -> str:
        code = (
            "import builtins\n"
            "usual = builtins.__import__\n"
            "def without(name, *args, **kwargs):\n"
            f"    if name.partition('.')[0] == {missing!r}:\n"
            f"        raise ModuleNotFoundError('No module named {missing}', name={missing!r})\n"
            "    return usual(name, *args, **kwargs)\n"
            "builtins.__import__ = without\n"
            "from liveserver import ConfigurationError, LiveServer\n"
            "async def app(scope, receive, send): ...\n"
            "try:\n"
            f"    LiveServer(app, uvicorn_config={config!r})\n"
            "except ConfigurationError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()

    def test_it_is_named_with_how_to_install_it(self) -> None:
        for option, (value, module, package) in self.NEEDS.items():
            with self.subTest(option=option):
                self.assertEqual(
                    self.message({option: value}, module),
                    f"uvicorn needs the package {package} for {option}={value!r}, and that is not "
                    f"installed. Install it: pip install {package}",
                )

    @unittest.skipUnless("zttp" in uvicorn.config.HTTP_PROTOCOLS, "uvicorn is too old for it")
    def test_http2(self) -> None:
        self.assertEqual(
            self.message({"http": "zttp", "http2": True}, "zttp"),
            "uvicorn needs the package zttp for http='zttp', http2=True, and that is not "
            "installed. Install it: pip install zttp",
        )
        with self.assertRaisesRegex(ConfigurationError, r"install zttp.* information\. Correct"):
            LiveServer(apps.hello, uvicorn_config={"http2": True})

    def test_a_module_of_ones_own_is_not_a_package_to_install(self) -> None:
        with self.assertRaisesRegex(ConfigurationError, "No module named 'no_such'. Correct it"):
            LiveServer(apps.hello, uvicorn_config={"loop": "no_such.loops:make"})


class DateHeaderTests(StrictTestCase):
    """The date header moves on without anything that ticks."""

    def test_it_is_now(self) -> None:
        with LiveServer(apps.hello) as server:
            date = parsedate_to_datetime(get(server.base_url).headers["date"])
        self.assertLess(abs(date.timestamp() - time.time()), 5)

    def test_it_moves_on(self) -> None:
        with LiveServer(apps.hello) as server, Client(server.base_url) as client:
            dates = []
            for second in (0, 1, 3600):
                now = 1_700_000_000.5 + second
                with (
                    mock.patch("time.time", return_value=now),
                    mock.patch("liveserver._requests.record.perf_counter", return_value=now),
                ):
                    dates.append(client.get().headers["date"])
        self.assertEqual(
            dates,
            [
                "Tue, 14 Nov 2023 22:13:20 GMT",
                "Tue, 14 Nov 2023 22:13:21 GMT",
                "Tue, 14 Nov 2023 23:13:20 GMT",
            ],
        )

    def test_an_idle_server_does_not_wake_up(self) -> None:
        turns: list[float] = []

        class Watched(asyncio.SelectorEventLoop):
            def _run_once(self) -> None:
                super()._run_once()  # type: ignore[misc]
                turns.append(time.monotonic())

        with (
            mock.patch.object(apps, "Watched", Watched, create=True),
            LiveServer(apps.hello, uvicorn_config={"loop": "tests.helpers.apps:Watched"}) as server,
        ):
            get(server.base_url)
            before = len(turns)
            # Ten of uvicorn's ticks; nothing to wait for, as nothing must happen.
            threading.Event().wait(1.05)
            self.assertLess(len(turns) - before, 5)


class LoggingTests(StrictTestCase):
    """Records reach whoever asks for them; loggers are as they were after a stop."""

    def loggers(self) -> list[Any]:
        names = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
        found = [logging.getLogger(), *map(logging.getLogger, names)]
        return [(log.level, list(log.handlers), log.propagate, log.disabled) for log in found]

    def test_loggers_are_not_changed(self) -> None:
        before = self.loggers()
        with LiveServer(apps.hello) as server:
            get(server.base_url)
            self.assertEqual(self.loggers(), before)
        self.assertEqual(self.loggers(), before)

    def test_log_options_of_the_user_last_until_the_stop(self) -> None:
        before = self.loggers()
        config = {"log_level": "critical", "access_log": False}
        server = LiveServer(apps.hello, uvicorn_config=config)
        self.assertEqual(self.loggers(), before)
        with server:
            self.assertEqual(logging.getLogger("uvicorn.error").level, logging.CRITICAL)
            self.assertFalse(logging.getLogger("uvicorn.access").propagate)
        self.assertEqual(self.loggers(), before)

    def test_whether_uvicorn_traces_is_asked_for_each_server(self) -> None:
        log = logging.getLogger("uvicorn.error")
        self.addCleanup(log.setLevel, log.level)
        for level in (logging.INFO, TRACE_LOG_LEVEL, logging.INFO):
            log.setLevel(level)
            traces = self.assertLogs if level == TRACE_LOG_LEVEL else self.assertNoLogs
            with (
                self.subTest(level=level),
                traces("uvicorn.asgi", TRACE_LOG_LEVEL),
                LiveServer(apps.hello) as server,
            ):
                self.assertEqual(get(server.base_url).body, b"hello")

    def test_assert_logs_sees_the_access_log(self) -> None:
        with LiveServer(apps.hello) as server, Client(server.base_url) as client:
            client.get()  # on a connection that is older than the handler
            with self.assertLogs("uvicorn.access", "INFO") as caught:
                client.get("/shop?page=2")
        self.assertRegex(caught.output[0], r'"GET /shop\?page=2 HTTP/1.1" 200')

    def test_assert_logs_sees_the_lifespan(self) -> None:
        with self.assertLogs("uvicorn.error", "INFO") as caught, LiveServer(apps.hello):
            pass
        self.assertIn("INFO:uvicorn.error:Application startup complete.", caught.output)
        self.assertIn("INFO:uvicorn.error:Application shutdown complete.", caught.output)


@unittest.skipUnless(importlib.util.find_spec("freezegun"), "freezegun is not installed")
class FrozenClockTests(StrictTestCase):
    """A test that froze the clock can start, use and stop a server."""

    def test_start_request_and_stop(self) -> None:
        import freezegun

        for loop in loops():
            with self.subTest(loop=loop), freezegun.freeze_time("2001-02-03 04:05:06"):
                server = LiveServer(apps.hello, uvicorn_config={"loop": loop})
                server.start()
                with Client(server.base_url) as client:
                    date = client.get().headers["date"]
                    server.stop()
                self.assertEqual(date, "Sat, 03 Feb 2001 04:05:06 GMT")

    def test_a_start_that_takes_too_long(self) -> None:
        import freezegun

        server = LiveServer(apps.Faulty(startup=apps.hang), startup_timeout=0.1)
        with freezegun.freeze_time("2001-02-03 04:05:06"), self.assertRaises(StartupTimeout):
            server.start()

    def test_a_stop_that_has_to_cut(self) -> None:
        import freezegun

        with freezegun.freeze_time("2001-02-03 04:05:06"):
            server = LiveServer(apps.Stream(b"text/plain"), shutdown_timeout=0.1)
            server.start()
            with (
                Client(server.base_url) as client,
                client.open("/"),
                self.assertWarns(ResourceWarning),
            ):
                server.stop()


@unittest.skipUnless(importlib.util.find_spec("sse_starlette"), "sse-starlette is not installed")
class EventSourceTests(StrictTestCase):
    """sse-starlette, whose streams end for the whole process when uvicorn's exit is signalled."""

    def test_the_eleventh_server_still_streams(self) -> None:
        from sse_starlette import EventSourceResponse
        from starlette.applications import Starlette
        from starlette.routing import Route

        async def events(request: Any) -> EventSourceResponse:
            async def feed() -> Any:
                for number in range(3):
                    yield {"data": str(number)}
                await asyncio.Event().wait()

            return EventSourceResponse(feed())

        for number in range(11):
            with self.subTest(server=number):
                server = LiveServer(Starlette(routes=[Route("/", events)]))
                server.start()
                with Client(server.base_url) as client, client.open("/") as response:
                    lines = [response.readline() for _ in range(5)]
                    server.stop()
                self.assertEqual(
                    [line.strip() for line in lines[::2]], [b"data: 0", b"data: 1", b"data: 2"]
                )


class WebSocketTests(StrictTestCase):
    """An open WebSocket is closed with code 1012 at the stop."""

    @unittest.skipUnless(importlib.util.find_spec("websockets"), "websockets is not installed")
    def test_it_is_closed_as_a_service_restart(self) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        ends: list[Any] = []

        async def echo(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})
            ends.append(message["type"])

        protocols = ["websockets", "websockets-sansio"]
        if importlib.util.find_spec("wsproto"):
            protocols.append("wsproto")
        for protocol in protocols:
            with self.subTest(protocol=protocol):
                # The first of them is deprecated, and websockets says so in many places.
                warnings.simplefilter("ignore")
                server = LiveServer(echo, uvicorn_config={"ws": protocol})
                server.start()
                self.addCleanup(server.stop)
                with connect(server.ws_url, proxy=None) as client:
                    client.send("hello")
                    self.assertEqual(client.recv(timeout=5), "hello")
                    server.stop()
                    with self.assertRaises(ConnectionClosed) as closed:
                        client.recv(timeout=5)
                assert closed.exception.rcvd is not None
                self.assertEqual(closed.exception.rcvd.code, 1012)
        self.assertEqual(ends, ["websocket.disconnect"] * len(protocols))


class LateConnectionsTests(StrictTestCase):
    """Connections that arrive while the server stops are turned away, and none is left."""

    def test_a_storm_of_connections_during_the_stop(self) -> None:
        for loop in loops():
            for _ in range(20):
                server = LiveServer(apps.hello, uvicorn_config={"loop": loop})
                server.start()
                stopped = threading.Event()
                sockets: list[socket.socket] = []

                def connect(
                    port: int = server.port, stopped: Any = stopped, sockets: Any = sockets
                ) -> None:
                    while not stopped.is_set() and len(sockets) < 500:
                        try:
                            sockets.append(socket.create_connection(("127.0.0.1", port), 5))
                        except OSError:
                            return

                storm = threading.Thread(target=connect)
                storm.start()
                server.stop()
                stopped.set()
                storm.join()
                for sock in sockets:
                    sock.close()
