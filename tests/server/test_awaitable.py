"""The awaitable methods of a server, for tests whose clients live on the running loop."""

import asyncio
import socket
import threading
import unittest
from importlib.util import find_spec
from typing import Any

import aiohttp

from liveserver import (
    ConfigurationError,
    IsolatedAsyncioLiveServerTestCase,
    LiveServer,
    NotRunningError,
    ShutdownError,
    StartupError,
)
from tests.helpers import apps
from tests.helpers.observed import Shop, needs_websockets
from tests.helpers.support import StrictTestCase, get, loops, run_class, until, with_loop


class AwaitableTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """astart(), astop(), arestart(), adrop_connections(), await_idle()."""

    async def test_start_and_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Recorder()
                server = LiveServer(app, **with_loop(loop))
                await server.astart()
                self.assertTrue(server.running)
                url = server.base_url
                await server.arestart()
                self.assertEqual(server.base_url, url)
                await server.await_idle(5)
                await server.astop()
                await server.astop()
                self.assertFalse(server.running)
                self.assertEqual(app.events, ["startup", "shutdown"] * 2)

    async def test_the_loop_turns_meanwhile(self) -> None:
        turned = threading.Event()

        async def slow(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.to_thread(turned.wait, 10)
            turned.clear()

        server = LiveServer(apps.Faulty(startup=slow, shutdown=slow))
        for act in (server.astart, server.arestart, server.astop):
            acting = asyncio.create_task(act())
            while not acting.done():
                turned.set()
                await asyncio.sleep(0.001)
            await acting

    async def test_what_they_raise(self) -> None:
        server = LiveServer(apps.Faulty(startup=apps.raise_trouble))
        with self.assertRaises(StartupError):
            await server.astart()
        with self.assertRaises(StartupError):
            await server.arestart()
        with self.assertRaises(NotRunningError):
            await server.adrop_connections()
        with self.assertRaisesRegex(NotRunningError, r"await_idle\(\)"):
            await server.await_idle(1)
        server = LiveServer(apps.Faulty(shutdown=apps.raise_trouble))
        await server.astart()
        with self.assertRaises(ShutdownError):
            await server.astop()

    async def test_bad_timeouts(self) -> None:
        async with LiveServer(apps.hello) as server:
            for timeout in (float("nan"), -1, "1", None):
                wrong: Any = timeout
                with self.subTest(timeout=timeout):
                    for name, attempt in (
                        ("await_idle", server.await_idle(wrong)),
                        ("acall", server.acall(int, timeout=wrong)),
                    ):
                        with self.assertRaisesRegex(
                            ConfigurationError, rf"^{name}\(\) was given timeout="
                        ):
                            await attempt
                    with self.assertRaisesRegex(ConfigurationError, r"^wait_idle\(\) was given"):
                        server.wait_idle(wrong)
                    with self.assertRaisesRegex(ConfigurationError, r"^call\(\) was given"):
                        server.call(int, timeout=wrong)
            await server.await_idle(float("inf"))
            server.wait_idle(float("inf"))
            self.assertEqual(server.call(int, timeout=float("inf")), 0)
            self.assertEqual(await server.acall(int, timeout=float("inf")), 0)

    async def test_a_pool_of_the_test_goes_on_after_a_restart(self) -> None:
        async with aiohttp.ClientSession() as session:
            for loop in loops():
                with self.subTest(loop=loop):
                    async with LiveServer(apps.hello, **with_loop(loop)) as server:
                        for act in (server.arestart, server.adrop_connections) * 5:
                            async with session.post(server.base_url) as response:  # not repeated
                                self.assertEqual(await response.text(), "hello")
                            await act()

    async def test_a_client_knows_that_its_connection_was_closed_before(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                async with LiveServer(apps.hello, **with_loop(loop)) as server:
                    reader, writer = await asyncio.open_connection(server.host, server.port)
                    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    reading = asyncio.create_task(reader.read())
                    await asyncio.sleep(0)
                    until(lambda: server.requests)
                    server.wait_idle(5)
                self.assertTrue(reading.done())
                writer.close()

    @needs_websockets
    async def test_a_client_knows_its_close_code(self) -> None:
        async with aiohttp.ClientSession() as session:
            for loop in loops():
                with self.subTest(loop=loop):
                    async with LiveServer(Shop(), **with_loop(loop)) as server:
                        client = await session.ws_connect(server.ws_url + "/echo")
                        reading = asyncio.create_task(client.receive())
                        await asyncio.sleep(0)
                    self.assertTrue(reading.done())
                    self.assertEqual(client.close_code, 1012)

    async def test_a_subclass_may_override_the_blocking_ones(self) -> None:
        called: list[str] = []

        class Mine(LiveServer):
            """It writes down what is called."""

            def start(self) -> None:
                called.append("start")
                super().start()

            def stop(self) -> None:
                called.append("stop")
                super().stop()

        async with Mine(apps.hello) as server:
            get(server.base_url)
            await server.await_idle(5)
        self.assertEqual(called, ["start", "stop"])


class InATestClassTests(StrictTestCase):
    """`self.server` of a test class, and `self.http` beside it."""

    def test_it(self) -> None:
        class Tests(IsolatedAsyncioLiveServerTestCase):
            app = apps.hello

            async def test_it(self) -> None:
                for _ in range(3):
                    async with self.http.post("/") as response:
                        assert response.status == 200
                    await self.server.arestart()

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)


class ResetTests(StrictTestCase):
    """drop_connections(): how clients see it."""

    def test_an_end_or_a_reset(self) -> None:
        for loop in loops():
            for reset in (False, True):
                with (
                    self.subTest(loop=loop, reset=reset),
                    LiveServer(apps.hello, **with_loop(loop)) as server,
                    socket.create_connection((server.host, server.port), 10) as client,
                ):
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    while b"hello" not in client.recv(1000):
                        pass
                    server.drop_connections(reset=reset)
                    if reset:
                        with self.assertRaises(ConnectionResetError):
                            client.recv(1)
                    else:
                        self.assertEqual(client.recv(1), b"")
                    self.assertEqual(get(server.base_url).status, 200)


class OwnThreadTests(StrictTestCase):
    """In a handler of the same server, each says what it was asked, and what to do instead."""

    def test_each_of_them(self) -> None:
        said: dict[str, str] = {}

        async def handler(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            for name, arguments in (
                ("start", ()),
                ("stop", ()),
                ("restart", ()),
                ("drop_connections", ()),
                ("wait_idle", (1,)),
                ("call", (int,)),
                ("astop", ()),
                ("arestart", ()),
                ("adrop_connections", ()),
                ("acall", (int,)),
            ):
                try:
                    result = getattr(server, name)(*arguments)
                    if asyncio.iscoroutine(result):
                        await result
                except Exception as error:
                    said[name] = f"{type(error).__name__}: {error}"
            await apps.answer(send, b"done")

        server = LiveServer(apps.Faulty(handler=handler))
        with server:
            get(server.base_url)
        self.assertEqual(len(said), 10)
        for name, text in said.items():
            with self.subTest(name=name):
                kind = "ConfigurationError" if "call" in name else "ShutdownError"
                self.assertTrue(text.startswith(kind), text)
                self.assertIn(f"{name}()", text)
                self.assertRegex(text, r"Call it in the test\.$|call the function directly")


@unittest.skipUnless(find_spec("trio"), "trio is not installed")
class TrioTests(StrictTestCase):
    """In a task of trio the blocking methods work, and the awaitable ones are refused."""

    def test_with(self) -> None:
        import trio

        async def main() -> None:
            with LiveServer(apps.hello) as server:
                answer = get(server.base_url)
                self.assertEqual(answer.body, b"hello")

        trio.run(main)

    def test_the_awaitable_ones_are_refused(self) -> None:
        import trio

        async def enter(server: LiveServer) -> None:
            async with server:
                pass

        async def main() -> None:
            server = LiveServer(apps.hello)
            for attempt, way_out in (
                (enter(server), "Use with;"),
                (server.astart(), r"Use start\(\);"),
                (server.arestart(), r"Use restart\(\);"),
                (server.adrop_connections(), r"Use drop_connections\(\);"),
                (server.await_idle(1), r"Use wait_idle\(\);"),
                (server.acall(int), r"Use call\(\);"),
                (server.astop(), r"Use stop\(\);"),
            ):
                with self.assertRaisesRegex(ConfigurationError, f"asyncio.*{way_out}.*trio"):
                    await attempt
            self.assertFalse(server.running)

        trio.run(main)

    def test_a_call_does_not_take_trios_context_along(self) -> None:
        import sniffio
        import trio

        async def library() -> str:
            await asyncio.sleep(0)
            return sniffio.current_async_library()

        async def main() -> None:
            with LiveServer(apps.hello) as server:
                self.assertEqual(server.call(library), "asyncio")

        trio.run(main)


class LibraryTests(unittest.TestCase):
    """The name that sniffio keeps in the context."""

    def test_a_call_forgets_it(self) -> None:
        if find_spec("sniffio") is None:
            self.skipTest("sniffio is not installed")
        import sniffio

        token = sniffio.current_async_library_cvar.set("trio")
        try:
            with LiveServer(apps.hello) as server:
                self.assertEqual(server.call(sniffio.current_async_library), "asyncio")
        finally:
            sniffio.current_async_library_cvar.reset(token)

    def test_without_a_running_loop(self) -> None:
        attempt = LiveServer(apps.hello).astart()
        with self.assertRaisesRegex(ConfigurationError, r"^astart\(\) needs asyncio's running"):
            attempt.send(None)
