"""Whatever a request waits in, the report names the line of the app that it stands at."""

import asyncio
import importlib.util
import threading
import unittest
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from liveserver import BusyTimeout, LiveServer, NotRunningError
from liveserver._reporting.await_chain import waits_for_thread
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, get, loops

HERE = r"tests/reporting/test_await_chain\.py"


class Stuck:
    """Something to wait for, in a thread or on a loop, until the test lets go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()

    def block(self) -> None:
        self.begun.set()
        self.released.wait(10)

    async def pause(self) -> None:
        self.begun.set()
        while not self.released.is_set():  # noqa: ASYNC110  # a threading.Event, for every loop
            await asyncio.sleep(0.01)

    async def nested(self) -> None:
        await self.pause()

    async def generator(self) -> AsyncIterator[bytes]:
        yield b"first"
        await self.pause()

    def blocking_generator(self) -> Iterator[bytes]:
        yield b"first"
        self.block()

    async def for_loop(self) -> None:
        async for _ in self.generator():
            pass

    async def gather(self) -> None:
        await asyncio.gather(asyncio.sleep(0), self.pause())

    async def task_group(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pause())

    async def wait_for(self) -> None:
        await asyncio.wait_for(self.pause(), 10)

    async def wait(self) -> None:
        await asyncio.wait([asyncio.create_task(self.pause())])

    async def shield(self) -> None:
        await asyncio.shield(self.pause())

    async def a_task(self) -> None:
        await asyncio.create_task(self.pause())

    async def to_thread(self) -> None:
        await asyncio.to_thread(self.block)

    async def blocked_by_a_child(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.blocked_loop())

    async def blocked_loop(self) -> None:
        self.block()


# What a handler awaits -> the function of the app that it stands in.
SHAPES: dict[str, str] = {
    "pause": "pause",
    "nested": "pause",
    "for_loop": "pause",
    "gather": "pause",
    "task_group": "pause",
    "wait_for": "pause",
    "wait": "pause",
    "shield": "pause",
    "a_task": "pause",
    "to_thread": "block",
    "blocked_loop": "block",
    "blocked_by_a_child": "block",
}


def awaiting(handler: Callable[[], Awaitable[None]]) -> Any:
    """Make an app whose requests await a function."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        await handler()
        await apps.answer(send, b"")

    return app


class StandingTests(StrictTestCase):
    """BusyTimeout, as all reports do, follows a request to the line it stands at."""

    def assert_stands(self, app: Any, stuck: Stuck, function: str, loop: str) -> None:
        with LiveServer(app, uvicorn_config={"loop": loop}) as server, Client(server.base_url) as c:
            try:
                c.send("/stuck")
                self.assertTrue(stuck.begun.wait(10))
                with self.assertRaises(BusyTimeout) as caught:
                    server.wait_idle(0.02)
            finally:
                stuck.released.set()
            server.wait_idle(10)
        self.assertEqual(len(caught.exception.pending), 1, caught.exception.pending)
        self.assertRegex(
            caught.exception.pending[0],
            rf"^GET /stuck, open \d+\.\d s, at {HERE}:\d+ in {function}$",
        )
        self.assertIn(caught.exception.pending[0], str(caught.exception))

    def test_awaits_of_every_shape(self) -> None:
        for shape, function in SHAPES.items():
            for loop in loops():
                with self.subTest(shape=shape, loop=loop):
                    stuck = Stuck()
                    app = awaiting(getattr(stuck, shape))
                    self.assert_stands(app, stuck, function, loop)

    @unittest.skipUnless(importlib.util.find_spec("starlette"), "Starlette is not installed")
    def test_handlers_of_starlette(self) -> None:
        from starlette.applications import Starlette
        from starlette.background import BackgroundTask
        from starlette.responses import PlainTextResponse, StreamingResponse
        from starlette.routing import Route

        def make(stuck: Stuck) -> dict[str, tuple[Any, str]]:
            def sync_handler(request: Any) -> Any:
                stuck.block()
                return PlainTextResponse("")

            async def stream(request: Any) -> Any:
                return StreamingResponse(stuck.generator())

            async def sync_stream(request: Any) -> Any:
                return StreamingResponse(stuck.blocking_generator())

            async def background(request: Any) -> Any:
                return PlainTextResponse("", background=BackgroundTask(stuck.pause))

            async def sync_background(request: Any) -> Any:
                return PlainTextResponse("", background=BackgroundTask(stuck.block))

            return {
                "sync handler": (sync_handler, "block"),
                "stream": (stream, "pause"),
                "sync stream": (sync_stream, "block"),
                "background task": (background, "pause"),
                "sync background task": (sync_background, "block"),
            }

        for name in make(Stuck()):
            for loop in loops():
                with self.subTest(handler=name, loop=loop):
                    stuck = Stuck()
                    handler, function = make(stuck)[name]
                    app = Starlette(routes=[Route("/stuck", handler)])
                    self.assert_stands(app, stuck, function, loop)


class WaitsForThreadTests(StrictTestCase):
    """Whether a task waits for a worker thread, also by other tasks."""

    def test_by_two_tasks_that_await_the_same(self) -> None:
        go_on = threading.Event()

        async def await_all(*awaited: Any) -> None:
            await asyncio.gather(*awaited)

        async def look(in_thread: bool) -> bool:
            loop = asyncio.get_running_loop()
            work: asyncio.Future[Any] = loop.create_future()
            if in_thread:
                work = loop.run_in_executor(None, go_on.wait, 10)
            inner = asyncio.create_task(await_all(work))
            both = [await_all(inner) for _ in range(2)]
            outer = asyncio.create_task(await_all(*both))
            for _ in range(5):
                await asyncio.sleep(0)
            found = waits_for_thread(outer)
            go_on.set()
            if not in_thread:
                work.set_result(True)
            await outer
            return found

        for loop in loops():
            with LiveServer(apps.hello, uvicorn_config={"loop": loop}) as server:
                for in_thread in (True, False):
                    with self.subTest(loop=loop, in_thread=in_thread):
                        go_on.clear()
                        self.assertEqual(server.call(look, in_thread), in_thread)
        self.assertFalse(waits_for_thread(None))


class WaitIdleTests(StrictTestCase):
    """wait_idle() returns when nothing runs that has an end."""

    def test_it_waits_for_what_runs_after_the_response(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                done: list[int] = []

                async def app(scope: Any, receive: Any, send: Any, done: Any = done) -> None:
                    if scope["type"] == "lifespan":
                        return await apps.lifespan(receive, send)
                    await apps.answer(send, b"")
                    for _ in range(20):
                        await asyncio.sleep(0)
                    done.append(1)

                with LiveServer(app, uvicorn_config={"loop": loop}) as server:
                    for number in range(1, 51):
                        get(server.base_url)
                        server.wait_idle(10)
                        self.assertEqual(len(done), number)

    def test_what_was_sent_before_counts_as_begun(self) -> None:
        app = apps.Recorder()
        with LiveServer(app) as server, Client(server.base_url) as client:
            for number in range(1, 51):
                client.send()
                server.wait_idle(10)
                self.assertEqual(app.requests, number)
                client.receive()

    def test_an_event_stream_is_not_waited_for(self) -> None:
        with (
            LiveServer(apps.Stream()) as server,
            Client(server.base_url) as client,
            client.open("/") as response,
        ):
            self.assertEqual(response.readline(), b"data: 1\n")
            server.wait_idle(10)

    def test_a_stop_ends_the_wait(self) -> None:
        app = apps.Faulty(handler=apps.long_poll)
        server = LiveServer(app, shutdown_timeout=0.1)
        server.start()
        with Client(server.base_url) as client:
            client.send()
            self.assertTrue(app.begun.wait(10))
            waiting = threading.Thread(target=server.wait_idle, args=(10,))
            waiting.start()
            with self.assertWarns(ResourceWarning):
                server.stop()
            waiting.join(5)
            self.assertFalse(waiting.is_alive())

    def test_it_needs_a_running_server(self) -> None:
        for method in (lambda s: s.wait_idle(1), lambda s: s.drop_connections()):
            with self.assertRaisesRegex(NotRunningError, r"not running.*between start\(\) and"):
                method(LiveServer(apps.hello))


class AwaitIdleTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """await_idle() is the same for asyncio tests."""

    async def test_the_loop_goes_on(self) -> None:
        app = apps.Faulty(handler=apps.long_poll)
        async with LiveServer(app) as server:
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with self.assertRaisesRegex(BusyTimeout, "GET /, open .* in long_poll"):
                await server.await_idle(0.05)
            waiting = asyncio.create_task(server.await_idle(10))
            await asyncio.sleep(0)
            writer.close()  # the client leaves, so the request ends, while the other task waits
            await writer.wait_closed()
            await waiting


class DropConnectionsTests(StrictTestCase):
    """drop_connections() cuts what is open, and the server goes on."""

    def test_clients_are_cut_and_can_come_back(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Recorder()
                with LiveServer(app, uvicorn_config={"loop": loop}) as server:
                    with Client(server.base_url) as one, Client(server.base_url) as two:
                        one.get()
                        two.get()
                        server.drop_connections()
                        for client in (one, two):
                            with self.assertRaises(ConnectionError):
                                client.get()
                            client.close()
                            self.assertEqual(client.get().status, 200)
                    self.assertTrue(server.running)
                    self.assertEqual(app.events, ["startup"])

    def test_the_app_sees_a_disconnect(self) -> None:
        app = apps.Stream()
        with LiveServer(app) as server, Client(server.base_url) as client, client.open("/"):
            server.drop_connections()
            server.wait_idle(10)
            self.assertEqual(app.ended, "disconnect")

    def test_a_pooled_client_gets_through_after_a_restart(self) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        with LiveServer(apps.hello) as server, requests.Session() as session:
            session.trust_env = False
            session.mount("http://", HTTPAdapter(max_retries=1))
            for again in (server.restart, server.drop_connections):
                self.assertEqual(session.get(server.base_url, timeout=5).status_code, 200)
                again()
                self.assertEqual(session.get(server.base_url, timeout=5).status_code, 200)
