"""What an app's lifespan does, and what the user hears of it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

from liveserver import LiveServer, ShutdownError, ShutdownTimeout, StartupError, StartupTimeout
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, loops, until

HERE = r"tests/uvicorn/test_lifespan.py:\d+"


class Trouble(Exception):
    """An exception that nobody else raises."""


def lifespan_app(startup: Any = None, shutdown: Any = None) -> Any:
    """Make an app whose lifespan awaits a function of `receive` and `send` in each phase."""

    async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] != "lifespan":
            return await apps.answer(send, b"hello")
        for name, step in (("startup", startup), ("shutdown", shutdown)):
            if name == "shutdown" or step is None:
                await receive()
            if step is not None:
                await step(receive, send)
            await send({"type": f"lifespan.{name}.complete"})

    return app


async def raise_trouble(receive: apps.Receive, send: apps.Send) -> None:
    raise Trouble("no database")


async def receive_and_raise(receive: apps.Receive, send: apps.Send) -> None:
    await receive()
    raise Trouble("no database")


async def receive_and_exit(receive: apps.Receive, send: apps.Send) -> None:
    await receive()
    raise SystemExit(3)


async def hang(receive: apps.Receive, send: apps.Send) -> None:
    await asyncio.Event().wait()


class StartupTests(StrictTestCase):
    """The lifespan's startup decides whether the server starts."""

    def refused(self, app: Any, **options: Any) -> StartupError:
        for loop in loops():
            server = LiveServer(app, uvicorn_config={"loop": loop, **options})
            with self.assertRaises(StartupError) as caught:
                server.start()
            self.assertFalse(server.running)
        return caught.exception

    def test_an_app_without_lifespan_is_served(self) -> None:
        for lifespan in ("auto", "off"):
            with LiveServer(apps.without_lifespan, uvicorn_config={"lifespan": lifespan}) as server:
                self.assertEqual(get(server.base_url).status, 200)

    def test_raising_before_receive_means_no_lifespan(self) -> None:
        with LiveServer(lifespan_app(raise_trouble)) as server:
            self.assertEqual(get(server.base_url).status, 200)

    def test_with_lifespan_on_raising_before_receive_is_a_failure(self) -> None:
        error = self.refused(lifespan_app(raise_trouble), lifespan="on")
        self.assertIsInstance(error.__cause__, Trouble)

    def test_raising_after_receive_is_a_failed_start(self) -> None:
        error = self.refused(lifespan_app(receive_and_raise))
        self.assertIsInstance(error.__cause__, Trouble)
        self.assertIn("Trouble: no database", str(error))

    def test_leaving_by_system_exit_is_a_failed_start(self) -> None:
        error = self.refused(lifespan_app(receive_and_exit))
        self.assertIsInstance(error.__cause__, SystemExit)

    def test_the_message_of_startup_failed_is_the_reason(self) -> None:
        async def fail(receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no disk"})
            await receive()  # an app that goes on listening

        error = self.refused(lifespan_app(fail))
        self.assertIn("no disk", str(error))
        self.assertIsNone(error.__cause__)

    def test_an_exception_with_startup_failed_is_the_cause(self) -> None:
        async def fail(receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "a long traceback"})
            raise Trouble("no database")

        error = self.refused(lifespan_app(fail))
        self.assertIsInstance(error.__cause__, Trouble)
        self.assertNotIn("a long traceback", str(error))

    def test_a_message_of_another_name_is_a_failed_start(self) -> None:
        async def misspell(receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.completed"})

        self.assertIn("lifespan.startup.completed", str(self.refused(lifespan_app(misspell))))

    def test_a_startup_that_hangs_is_ended_and_named(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = lifespan_app(hang)
                server = LiveServer(app, startup_timeout=0.05, uvicorn_config={"loop": loop})
                with self.assertRaises(StartupTimeout) as caught:
                    server.start()
                self.assertEqual(caught.exception.seconds, 0.05)
                self.assertRegex(str(caught.exception), f"{HERE} in hang")
                self.assertIn("startup_timeout", str(caught.exception))

    def test_a_startup_that_hangs_in_a_generator_ends_it_too(self) -> None:
        for loop in loops():
            closed: list[str] = []

            @contextlib.asynccontextmanager
            async def connected(closed: list[str] = closed) -> AsyncIterator[None]:
                try:
                    await asyncio.Event().wait()
                    yield
                finally:
                    await asyncio.sleep(0)
                    closed.append("here")

            async def connect(
                receive: apps.Receive, send: apps.Send, make: Any = connected
            ) -> None:
                await receive()
                async with make():
                    await send({"type": "lifespan.startup.complete"})

            with self.subTest(loop=loop), self.assertNoLogs("asyncio", "WARNING"):
                app = lifespan_app(connect)
                server = LiveServer(app, startup_timeout=0.05, uvicorn_config={"loop": loop})
                with self.assertRaises(StartupTimeout):
                    server.start()
                self.assertEqual(closed, ["here"])

    def test_a_startup_that_blocks_the_loop_is_named(self) -> None:
        unblock = threading.Event()

        async def block(receive: apps.Receive, send: apps.Send) -> None:
            unblock.wait(10)

        server = LiveServer(lifespan_app(block), startup_timeout=0.05)
        with self.assertRaisesRegex(StartupTimeout, r"test_lifespan.py:\d+ in block"):
            server.start()
        unblock.set()  # now it ends by itself; the test case checks that nothing is left

    def test_a_server_starts_after_a_failed_start(self) -> None:
        failures = [Trouble("once")]

        async def fail_once(receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            if failures:
                raise failures.pop()

        server = LiveServer(lifespan_app(fail_once))
        with self.assertRaises(StartupError):
            server.start()
        with server:
            self.assertEqual(get(server.base_url).status, 200)

    def test_a_factory_that_raises_is_a_failed_start(self) -> None:
        def broken() -> object:
            raise Trouble("no settings")

        with self.assertRaisesRegex(StartupError, "could not be built.*no settings") as caught:
            LiveServer(broken, factory=True).start()
        self.assertIsInstance(caught.exception.__cause__, Trouble)


class ShutdownTests(StrictTestCase):
    """The lifespan's shutdown is always run, and its failure is not a line in a log."""

    def test_raising_is_a_shutdown_error(self) -> None:
        server = LiveServer(lifespan_app(shutdown=raise_trouble))
        server.start()
        with self.assertRaisesRegex(ShutdownError, "no database") as caught:
            server.stop()
        self.assertIsInstance(caught.exception.__cause__, Trouble)
        self.assertFalse(server.running)
        server.stop()  # it is said once

    def test_shutdown_failed_is_a_shutdown_error(self) -> None:
        async def fail(receive: apps.Receive, send: apps.Send) -> None:
            await send({"type": "lifespan.shutdown.failed", "message": "queue not empty"})
            await asyncio.Event().wait()

        server = LiveServer(lifespan_app(shutdown=fail))
        server.start()
        with self.assertRaisesRegex(ShutdownError, "queue not empty"):
            server.stop()

    def test_a_lifespan_that_died_meanwhile_is_a_shutdown_error(self) -> None:
        async def die(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] != "lifespan":
                served.set()
                return await apps.answer(send, b"hello")
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await served.wait()
            raise Trouble("background loop")

        served = asyncio.Event()
        server = LiveServer(die)
        server.start()
        self.assertEqual(get(server.base_url).status, 200)
        with self.assertRaisesRegex(ShutdownError, "background loop"):
            server.stop()

    def test_a_shutdown_that_hangs_is_ended_and_named(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = lifespan_app(shutdown=hang)
                server = LiveServer(app, shutdown_timeout=0.05, uvicorn_config={"loop": loop})
                server.start()
                with self.assertRaises(ShutdownTimeout) as caught:
                    server.stop()
                self.assertEqual(caught.exception.seconds, 0.05)
                self.assertRegex(
                    "\n".join(caught.exception.pending),
                    rf"^lifespan, at {HERE} in hang$",
                )

    def test_a_worker_thread_can_be_used_in_the_shutdown(self) -> None:
        said: list[str] = []

        async def in_worker(receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.to_thread(said.append, "closed")

        with LiveServer(lifespan_app(shutdown=in_worker)):
            pass
        self.assertEqual(said, ["closed"])

    def test_a_task_of_the_app_is_cancelled(self) -> None:
        ended: list[str] = []

        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("task")

        async def spawn(receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            tasks.append(asyncio.create_task(forever()))

        tasks: list[asyncio.Task[None]] = []
        with LiveServer(lifespan_app(spawn)) as server:
            get(server.base_url)
        self.assertEqual(ended, ["task"])

    def test_a_task_that_exits_ends_the_server_and_is_told(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                events: list[str] = []

                async def leave() -> None:
                    raise SystemExit(7)

                async def app(scope: Any, receive: Any, send: Any) -> None:
                    if scope["type"] == "lifespan":
                        await apps.lifespan(receive, send)
                        events.append("shutdown")  # noqa: B023
                    else:
                        await apps.answer(send, b"bye")
                        tasks.append(asyncio.create_task(leave()))  # noqa: B023

                tasks: list[asyncio.Task[None]] = []
                server = LiveServer(app, uvicorn_config={"loop": loop})
                server.start()
                get(server.base_url)
                until(lambda: not server.running)  # noqa: B023  # it ends before anybody stops it
                with self.assertRaisesRegex(ShutdownError, "SystemExit") as caught:
                    server.stop()
                self.assertIsInstance(caught.exception.__cause__, SystemExit)
                self.assertEqual(events, ["shutdown"])
                self.assertIsInstance(tasks[0].exception(), SystemExit)
