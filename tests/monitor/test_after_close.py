"""A client that has closed or left still has a handler, whose end belongs to its test."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from liveserver import AppError, LiveServer
from tests.helpers import apps
from tests.helpers.observed import needs_websockets
from tests.helpers.support import (
    Client,
    StrictTestCase,
    each_base,
    each_base_and_scope,
    loops,
    run_class,
    with_loop,
)


class Late:
    """An app whose handlers raise a moment after their clients have left."""

    def __init__(self, kind: bytes = b"text/event-stream") -> None:
        self.kind = kind
        self.delay = 0.05

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
        elif scope["path"] == "/stream":
            headers = [(b"content-type", self.kind)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while not (await receive())["type"].endswith(".disconnect"):
            pass
        await asyncio.sleep(self.delay)
        raise apps.Trouble(f"could not save {scope['path']}")


def close_websocket(server: LiveServer) -> None:
    from websockets.sync.client import connect

    with connect(server.ws_url + "/socket"):
        pass


def leave_stream(server: LiveServer) -> None:
    with Client(server.base_url) as client:
        client.open("/stream").read(9)


def leave_request(server: LiveServer) -> None:
    with Client(server.base_url) as client:
        client.send("/request")
        while not server.requests:
            pass


class AfterCloseTests(StrictTestCase):
    """The test that caused it gets the error."""

    seconds = 60

    def check(self, base: Any, scope: str, leave: Callable[[LiveServer], None]) -> None:
        for loop in loops():
            for http in ("h11", "auto"):

                class Tests(base):  # type: ignore[misc]
                    app = Late()
                    server_scope = scope
                    server_options = {"uvicorn_config": {"loop": loop, "http": http}}

                    def test_1_it(self) -> None:
                        leave(self.server)

                    def test_2_expected(self) -> None:
                        with self.assertServerRaises(apps.Trouble):
                            leave(self.server)

                    def test_3_waits(self) -> None:
                        with self.assertServerRaises(apps.Trouble):
                            leave(self.server)
                            self.server.wait_idle(5)
                            assert not self.server.requests[-1].running

                    def test_4_innocent(self) -> None:
                        pass

                with self.subTest(loop=loop, http=http):
                    outcome = run_class(Tests)
                    self.assertEqual(len(outcome.raised), 1, outcome)
                    self.assertIn("test_1_it", outcome.errors[0][0].id())
                    self.assertIs(type(outcome.raised[0]), AppError)
                    self.assertIn("could not save", str(outcome.raised[0]))

    @needs_websockets
    @each_base_and_scope
    def test_a_websocket(self, base: Any, scope: str) -> None:
        self.check(base, scope, close_websocket)

    @each_base_and_scope
    def test_an_event_stream(self, base: Any, scope: str) -> None:
        self.check(base, scope, leave_stream)

    @each_base_and_scope
    def test_a_request(self, base: Any, scope: str) -> None:
        self.check(base, scope, leave_request)


class BoundTests(StrictTestCase):
    """Such an end is waited for a second at most, and once."""

    @each_base
    def test_what_runs_longer_is_not_waited_for_again(self, base: Any) -> None:
        times: list[float] = []

        class Tests(base):  # type: ignore[misc]
            app = Late()
            server_options = {"shutdown_timeout": 30}

            def test_1(self) -> None:
                self.app.delay = 60
                leave_stream(self.server)
                times.append(time.monotonic())

            def test_2(self) -> None:
                times.append(time.monotonic())
                self.fail("for the note")

            def test_3(self) -> None:
                times.append(time.monotonic())

        outcome = run_class(Tests)
        self.assertEqual([str(each) for each in outcome.raised], ["for the note"], outcome)
        first, second = times[1] - times[0], times[2] - times[1]
        self.assertTrue(0.5 < first < 5, times)
        self.assertLess(second, 0.5)

    @each_base
    def test_the_note_names_it_with_its_line(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Late()
            server_options = {"shutdown_timeout": 30}

            def test_it(self) -> None:
                self.app.delay = 60
                leave_stream(self.server)
                self.server.wait_idle(5)
                self.fail("for the note")

        (error,) = run_class(Tests).raised
        (note,) = error.__notes__
        self.assertRegex(
            note, r"GET /stream \u2192 200, running for \d.*, at .*test_after_close.py"
        )

    @each_base
    def test_one_that_works_in_a_thread_is_waited_for(self, base: Any) -> None:
        """Up to `shutdown_timeout`: its thread may hold a connection to a database."""
        worked = threading.Event()
        go_on = threading.Event()

        async def work(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.to_thread(go_on.wait, 10)
            worked.set()

        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=work)

            def test_it(self) -> None:
                with Client(self.base_url) as client:
                    client.send()
                    assert self.app.begun.wait(5)
                timer = threading.Timer(1.5, go_on.set)  # longer than one without a thread
                timer.start()
                self.addCleanup(timer.join)

            @classmethod
            def tearDownClass(cls) -> None:
                cls.done = worked.is_set()
                super().tearDownClass()

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertTrue(Tests.done)

    def test_a_stop_waits_for_its_thread_too(self) -> None:
        for loop in loops():
            worked = threading.Event()

            async def work(
                app: Any, receive: apps.Receive, send: apps.Send, worked: Any = worked
            ) -> None:
                await asyncio.to_thread(time.sleep, 0.3)
                worked.set()

            with self.subTest(loop=loop):
                app = apps.Faulty(handler=work)
                with (
                    LiveServer(app, **with_loop(loop)) as server,
                    Client(server.base_url) as client,
                ):
                    client.send()
                    assert app.begun.wait(5)
                    client.close()
                self.assertTrue(worked.is_set())
