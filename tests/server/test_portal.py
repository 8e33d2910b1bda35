"""`call()` and `acall()`: a function of the test on the server's loop."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from liveserver import (
    BusyTimeout,
    ConfigurationError,
    LiveServer,
    NotRunningError,
    ShutdownTimeout,
)
from tests.helpers import apps
from tests.helpers.support import (
    IsolatedAsyncioLiveServerTestCase,
    StrictTestCase,
    get,
    in_thread,
    loops,
    run_class,
    with_loop,
)

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def where() -> tuple[str, asyncio.AbstractEventLoop]:
    return threading.current_thread().name, asyncio.get_running_loop()


async def where_later() -> tuple[str, asyncio.AbstractEventLoop]:
    await asyncio.sleep(0)
    return where()


class Hanging:
    """A coroutine function that waits until it is cancelled, or let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    async def hang(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


class CallTests(StrictTestCase):
    """call() runs it in the server's thread and returns what it returns."""

    def test_functions_and_coroutine_functions(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                thread, its_loop = server.call(where)
                self.assertTrue(thread.startswith("liveserver-"), thread)
                self.assertEqual(server.call(where_later), (thread, its_loop))
                self.assertEqual(server.call(max, 1, 2), 2)
                self.assertEqual(get(server.base_url).body, b"hello")

    def test_what_it_raises(self) -> None:
        def fail(error: BaseException) -> None:
            raise error

        async def fail_later(error: BaseException) -> None:
            await asyncio.sleep(0)
            raise error

        kinds = (ValueError, TimeoutError, SystemExit, KeyboardInterrupt, asyncio.CancelledError)
        for loop in loops():
            with LiveServer(apps.hello, **with_loop(loop)) as server:
                for function in (fail, fail_later):
                    for kind in kinds:
                        with self.subTest(loop=loop, function=function.__name__, kind=kind):
                            error = kind("mine")
                            with self.assertRaises(kind) as caught:
                                server.call(function, error)
                            self.assertIs(caught.exception, error)
                self.assertTrue(server.running)

    def test_the_callers_context(self) -> None:
        def change() -> str:
            before = variable.get()
            variable.set("changed")
            return before

        token = variable.set("of the test")
        self.addCleanup(variable.reset, token)
        with LiveServer(apps.hello) as server:
            self.assertEqual(server.call(change), "of the test")
        self.assertEqual(variable.get(), "of the test")

    def test_one_that_takes_too_long_is_cancelled(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                hanging = Hanging()
                with self.assertRaises(BusyTimeout) as caught:
                    server.call(hanging.hang, timeout=0.05)
                self.assertRegex(
                    str(caught.exception),
                    r"The call of Hanging\.hang was not done within 0\.05 s: it stands at "
                    r"tests/server/test_portal\.py:\d+ in hang",
                )
                self.assertTrue(hanging.ended.wait(10))

    def test_one_that_does_not_begin_never_does(self) -> None:
        calls: list[int] = []
        begun, released = threading.Event(), threading.Event()

        def block() -> None:
            begun.set()
            released.wait(10)

        with LiveServer(apps.hello) as server:
            blocker = threading.Thread(target=server.call, args=(block,))
            blocker.start()
            self.assertTrue(begun.wait(10))
            with self.assertRaisesRegex(BusyTimeout, "not free.*test_portal.py:.* in block"):
                server.call(calls.append, 1, timeout=0.05)
            released.set()
            blocker.join(10)
            server.call(int)  # whatever was before it is done now
        self.assertEqual(calls, [])

    def test_a_blocked_loop_is_waited_for_once(self) -> None:
        begun, released = threading.Event(), threading.Event()

        def block() -> None:
            begun.set()
            released.wait(10)

        for loop in loops():
            with self.subTest(loop=loop):
                begun.clear()
                released.clear()
                server = LiveServer(apps.hello, shutdown_timeout=0.05, **with_loop(loop))
                with server, mock.patch("liveserver._options.bounds.GRACE", 0.05):
                    assert server._control.run is not None
                    portal = server._control.run.portal
                    blocker = threading.Thread(target=server.call, args=(block,))
                    blocker.start()
                    self.assertTrue(begun.wait(10))
                    self.assertFalse(portal.is_blocked())
                    server._control.finish_requests()
                    self.assertTrue(portal.is_blocked())
                    with mock.patch.object(portal, "wait_idle", side_effect=AssertionError):
                        server._control.finish_requests()
                    released.set()
                    blocker.join(10)
                    self.assertFalse(portal.is_blocked())
                    server._control.finish_requests()

    def test_ctrl_c_cancels_it(self) -> None:
        hanging = Hanging()
        with LiveServer(apps.hello) as server:

            def interrupted(*_: Any) -> None:
                hanging.begun.wait(10)
                raise KeyboardInterrupt

            wait = mock.patch("liveserver._sync.latches.Outcome.wait", side_effect=interrupted)
            with wait, self.assertRaises(KeyboardInterrupt):
                server.call(hanging.hang)
            self.assertTrue(hanging.ended.wait(10))

    def test_a_stop_ends_it(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                hanging = Hanging()
                caught: list[str] = []
                server = LiveServer(apps.hello, **with_loop(loop))
                server.start()

                def call(server: LiveServer, hanging: Hanging, caught: list[str]) -> None:
                    try:
                        server.call(hanging.hang)
                    except NotRunningError as error:
                        caught.append(str(error))

                thread = threading.Thread(target=call, args=(server, hanging, caught))
                thread.start()
                self.assertTrue(hanging.begun.wait(10))
                server.stop()
                thread.join(10)
                self.assertEqual(
                    caught, ["The server stopped before the call of Hanging.hang was done."]
                )

    def test_one_that_heeds_no_cancellation(self) -> None:
        async def hang_on(begun: threading.Event) -> None:
            while True:
                begun.set()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        for loop in loops():
            with (
                self.subTest(loop=loop),
                ThreadPoolExecutor(1) as pool,
                mock.patch("liveserver._options.bounds.GRACE", 0.1),
                mock.patch("sys.unraisablehook") as unraisable,
                self.assertNoLogs("asyncio", "WARNING"),
            ):
                begun = threading.Event()
                server = LiveServer(apps.hello, shutdown_timeout=0.1, **with_loop(loop))
                server.start()
                calling = pool.submit(server.call, hang_on, begun)
                self.assertTrue(begun.wait(10))
                with self.assertRaisesRegex(ShutdownTimeout, r"in hang_on"):
                    server.stop()
                self.assertIsInstance(calling.exception(10), NotRunningError)
                del calling
                gc.collect()
                self.assertEqual(unraisable.mock_calls, [])

    def test_a_server_that_ends_at_that_moment_refuses_it(self) -> None:
        server = LiveServer(apps.hello)
        server.start()
        run = server._control.run
        server.stop()
        with (
            mock.patch.object(server._control, "serving_run", return_value=run),
            self.assertRaisesRegex(NotRunningError, "The server stopped before the call of int"),
        ):
            server.call(int)

    def test_where_it_is_refused(self) -> None:
        server = LiveServer(apps.hello)
        with self.assertRaisesRegex(NotRunningError, r"Call call\(\) between start\(\) and stop"):
            server.call(int)
        with server, self.assertRaisesRegex(ConfigurationError, r"own thread.*await it"):
            server.call(lambda: server.call(int))

    def test_what_a_function_returned_is_not_the_function(self) -> None:
        running = LiveServer(apps.hello)
        with running:
            for server in (running, LiveServer(apps.hello)):
                for given, shown in ((where_later(), "<coroutine object where_later at"), (7, "7")):
                    with (
                        self.subTest(given=shown, running=server.running),
                        self.assertRaisesRegex(
                            ConfigurationError,
                            rf"^call\(\) was given {shown}.*, which cannot be called\. Give the "
                            r"function and its arguments, call\(func, arg\), not what it returns, "
                            r"call\(func\(arg\)\)\.$",
                        ),
                    ):
                        server.call(given)  # type: ignore[call-overload]


class AwaitedCallTests(unittest.IsolatedAsyncioTestCase, StrictTestCase):
    """acall() does the same without blocking the loop of the test."""

    async def test_functions_and_coroutine_functions(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                async with LiveServer(apps.hello, **with_loop(loop)) as server:
                    thread, _ = await server.acall(where)
                    self.assertTrue(thread.startswith("liveserver-"), thread)
                    self.assertEqual(await server.acall(where_later), await server.acall(where))

    async def test_what_it_raises(self) -> None:
        def fail() -> None:
            raise ValueError("mine")

        async with LiveServer(apps.hello) as server:
            with self.assertRaisesRegex(ValueError, "mine"):
                await server.acall(fail)

    async def test_one_that_raises_what_no_asyncio_future_takes(self) -> None:
        async with LiveServer(apps.hello) as server:
            # Out of a coroutine Python itself makes another error of it.
            with self.assertRaisesRegex(RuntimeError, "raised StopIteration"):
                await server.acall(next, iter([]))

    async def test_one_that_takes_too_long_is_cancelled(self) -> None:
        hanging = Hanging()
        async with LiveServer(apps.hello) as server:
            with self.assertRaisesRegex(BusyTimeout, "Hanging.hang was not done within 0.05 s"):
                await server.acall(hanging.hang, timeout=0.05)
            self.assertTrue(await in_thread(hanging.ended.wait, 10))

    async def test_one_whose_caller_is_cancelled_is_cancelled(self) -> None:
        hanging = Hanging()
        async with LiveServer(apps.hello) as server:
            task = asyncio.create_task(server.acall(hanging.hang))
            self.assertTrue(await in_thread(hanging.begun.wait, 10))
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(await in_thread(hanging.ended.wait, 10))

    async def test_a_stop_ends_it(self) -> None:
        hanging = Hanging()
        async with LiveServer(apps.hello) as server:
            task = asyncio.create_task(server.acall(hanging.hang))
            self.assertTrue(await in_thread(hanging.begun.wait, 10))
        with self.assertRaises(NotRunningError):
            await task

    async def test_where_it_is_refused(self) -> None:
        server = LiveServer(apps.hello)
        with self.assertRaisesRegex(NotRunningError, r"Call acall\(\) between"):
            await server.acall(int)
        with self.assertRaisesRegex(ConfigurationError, r"not what it returns, acall\(func\(arg"):
            await server.acall(where_later())  # type: ignore[arg-type]

    async def test_in_a_test_class(self) -> None:
        class Tests(IsolatedAsyncioLiveServerTestCase):
            app = apps.hello

            async def test_it(self) -> None:
                assert await self.server.acall(max, 1, 2) == 2

        outcome = await in_thread(run_class, Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
