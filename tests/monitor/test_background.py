"""What the app raises outside of requests fails the test in whose time it is noticed."""

import asyncio
import logging
from typing import Any

from liveserver import AppError, LiveServer, ShutdownError
from tests.helpers import apps
from tests.helpers.support import (
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    loops,
    run_class,
    with_loop,
)


async def send_mail() -> None:
    """Raise, as a job of the app."""
    raise apps.Trouble("mail server refused")


class Jobs:
    """An app that starts jobs of its own, by the path."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        getattr(self, scope["path"][1:])()
        for _ in range(3):
            await asyncio.sleep(0)  # it is done when the client has its answer
        await apps.answer(send, b"started")

    def task(self) -> None:
        asyncio.create_task(send_mail(), name="mail")  # noqa: RUF006

    def future(self) -> None:
        asyncio.get_running_loop().create_future().set_exception(apps.Trouble("no result"))

    def callback(self) -> None:
        def raise_trouble() -> None:
            raise apps.Trouble("in a callback")

        asyncio.get_running_loop().call_soon(raise_trouble)

    def generator(self) -> None:
        async def numbers() -> Any:
            try:
                yield 1
            finally:
                raise apps.Trouble("in a generator")

        async def use() -> None:
            await anext(numbers())

        self.kept.append(asyncio.create_task(use()))

    def cancelled(self) -> None:
        asyncio.create_task(asyncio.sleep(60)).cancel()

    def retrieved(self) -> None:
        task = asyncio.create_task(send_mail())
        task.add_done_callback(lambda task: task.exception())

    def left(self) -> None:
        self.kept.append(asyncio.create_task(asyncio.sleep(60)))

    def library(self) -> None:
        """An error of uvicorn's or asyncio's own, not of the app."""
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "a connection", "exception": OSError("broken")})
        loop.call_exception_handler({"message": "without an exception"})


class BackgroundTests(StrictTestCase):
    """Tasks, futures, callbacks and asynchronous generators of the app."""

    def setUp(self) -> None:
        super().setUp()
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def run_path(self, base: Any, path: str, scope: str, loop: str = "asyncio") -> list[Any]:
        class Tests(base):  # type: ignore[misc]
            app = Jobs()
            server_scope = scope
            server_options = with_loop(loop)

            def test_1_before(self) -> None:
                pass

            def test_2_it(self) -> None:
                assert get(self.base_url, path).status == 200

            def test_3_after(self) -> None:
                pass

        outcome = run_class(Tests)
        for test, _ in outcome.errors + outcome.failures:
            self.assertIn("test_2_it", test.id())
        return outcome.raised

    @each_base_and_scope
    def test_what_fails_the_test(self, base: Any, scope: str) -> None:
        for loop in loops():
            for path, expected in (
                (
                    "/task",
                    r"^the app's task mail \(send_mail\) raised Trouble: mail server ref",
                ),
                ("/future", r"^a future of the app raised Trouble: no result, at an unknown"),
                ("/callback", r"^a callback of the app raised Trouble: in a callback, at "),
                ("/generator", r"^the app's task Task-\d+ raised Trouble: in a generator, at "),
            ):
                with self.subTest(path=path, loop=loop):
                    (error,) = self.run_path(base, path, scope, loop)
                    self.assertIs(type(error), AppError)
                    self.assertRegex(str(error), expected)
                    self.assertIsInstance(error.__cause__, apps.Trouble)
                    if path in ("/task", "/callback"):
                        self.assertRegex(str(error), r"test_background\.py:\d+ in \w+$")

    @each_base_and_scope
    def test_what_does_not(self, base: Any, scope: str) -> None:
        # The negative controls.
        for path in ("/cancelled", "/retrieved", "/left", "/library"):
            with self.subTest(path=path):
                self.assertEqual(self.run_path(base, path, scope), [])

    @each_base
    def test_in_the_note_of_a_test_that_fails_by_itself(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Jobs()

            def test_it(self) -> None:
                get(self.base_url, "/task")
                self.fail("mine")

        outcome = run_class(Tests)
        (error,) = outcome.raised
        self.assertEqual(str(error), "mine")
        (note,) = error.__notes__
        self.assertIn("the app's task mail (send_mail) raised Trouble: mail server refused", note)
        self.assertEqual(note.count("    Traceback (most recent call last):"), 1)

    def test_by_hand_they_are_logged_as_ever(self) -> None:
        logging.disable(logging.NOTSET)
        with LiveServer(Jobs()) as server:
            with self.assertLogs("asyncio", logging.ERROR) as logs:
                get(server.base_url, "/task")
                server.wait_idle(5)
            self.assertIn("Task exception was never retrieved", logs.output[0])


class LifespanDeathTests(StrictTestCase):
    """A lifespan that ends while the app serves."""

    class App:
        """Its lifespan dies when it is asked to."""

        def __init__(self) -> None:
            self.die = asyncio.Event()
            self.died = False

        async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await self.die.wait()
                self.died = True
                raise apps.Trouble("the queue is gone")
            if scope["path"] == "/die":
                self.die.set()
                while not self.died:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            await apps.answer(send, b"fine")

    @each_base
    def test_fails_the_test_in_whose_time_it_died(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = self.App()

            def test_1_before(self) -> None:
                get(self.base_url)

            def test_2_it(self) -> None:
                get(self.base_url, "/die")

            def test_3_after(self) -> None:
                get(self.base_url)

        outcome = run_class(Tests)
        (error,) = outcome.raised
        self.assertIn("test_2_it", outcome.errors[0][0].id())
        self.assertIs(type(error), AppError)
        self.assertIn("the app's lifespan ended by itself", str(error))
        self.assertIn("Trouble: the queue is gone", str(error))

    @each_base
    def test_outside_of_tests_it_fails_the_stop(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = self.App()

            def test_it(self) -> None:
                get(self.base_url)

            @classmethod
            def tearDownClass(cls) -> None:
                get(cls.base_url, "/die")
                super().tearDownClass()

        (error,) = run_class(Tests).raised
        self.assertIn("lifespan ended by itself", str(error))

    def test_by_hand_it_fails_the_stop(self) -> None:
        server = LiveServer(self.App())
        server.start()
        get(server.base_url, "/die")
        with self.assertRaisesRegex(
            ShutdownError,
            r"^The app's lifespan ended by itself, \d+\.\d s before the stop: Trouble: the queue",
        ) as caught:
            server.stop()
        self.assertIsInstance(caught.exception.__cause__, apps.Trouble)

    def test_one_that_ends_without_an_exception_is_none(self) -> None:
        """It has nothing to do at the stop."""

        async def returning(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
            else:
                await apps.answer(send, b"fine")

        with LiveServer(returning) as server:
            self.assertEqual(get(server.base_url).status, 200)
