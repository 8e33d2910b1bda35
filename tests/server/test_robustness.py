"""What a review once broke: odd objects, failing stops, Ctrl-C, forks, and what a run leaves."""

import asyncio
import http.client
import importlib.util
import logging
import os
import signal
import ssl
import tempfile
import threading
import time
import unittest
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

from liveserver import (
    ConfigurationError,
    LiveServer,
    ShutdownError,
    ShutdownTimeout,
    StartupError,
    StartupTimeout,
)
from liveserver._server.loop_thread import LoopThread
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, get, in_thread, loops, with_loop
from tests.server.test_process import LIFESPAN_APP, ProcessTestCase


def thread_of(server: LiveServer) -> threading.Thread:
    """The thread of a server that runs."""
    return next(each for each in threading.enumerate() if each.name == f"liveserver-{server.port}")


def ends(thread: threading.Thread, seconds: float = 2.0) -> bool:
    """Wait for the end of a thread; a bound, not a sleep."""
    deadline = time.monotonic() + seconds
    # Not is_alive(): a join that Ctrl-C interrupts makes Python 3.11 take the thread for ended.
    while thread in threading.enumerate() and time.monotonic() < deadline:
        thread.join(0.01)
    return thread not in threading.enumerate()


class Odd:
    """An app that awaits in a method of its own, and keeps under `_tasks` what are no tasks."""

    def __init__(self, tasks: object, where: str = "handler") -> None:
        self._tasks = tasks
        self.where = where
        self.begun = threading.Event()

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            if self.where == "startup":
                await receive()
                await self.work()
            await apps.lifespan(receive, send)
        else:
            if self.where == "scope":
                scope.clear()
            await self.work()

    async def work(self) -> None:
        self.begun.set()
        await asyncio.Event().wait()


class OddProperty(Odd):
    """The same, with a `_tasks` that cannot even be read."""

    @property
    def _tasks(self) -> object:
        raise RuntimeError("outside of its context")

    @_tasks.setter
    def _tasks(self, value: object) -> None:
        pass


class DiagnosisTests(StrictTestCase):
    """Whatever the app's objects are, saying where it stands does not fail."""

    def stop_with_a_request(self, app: Odd, loop: str) -> None:
        server = LiveServer(app, shutdown_timeout=0.1, **with_loop(loop))
        server.start()
        thread = thread_of(server)
        with Client(server.base_url) as client:
            client.send("/odd")
            self.assertTrue(app.begun.wait(10))
            with self.assertWarnsRegex(ResourceWarning, r"GET /odd, .*test_robustness.py:\d+ in"):
                server.stop()
        self.assertTrue(ends(thread), "the server was left behind")

    def test_a_request_with_tasks_that_are_none(self) -> None:
        for loop in loops():
            for app in (Odd(None), Odd(3), Odd(asyncio.Queue()), OddProperty(None)):
                with self.subTest(loop=loop, tasks=vars(app).get("_tasks", "property")):
                    self.stop_with_a_request(app, loop)

    def test_a_request_that_emptied_its_scope(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                self.stop_with_a_request(Odd(set(), where="scope"), loop)

    def test_a_startup_with_tasks_that_are_none(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                before = set(threading.enumerate())
                server = LiveServer(Odd(3, "startup"), startup_timeout=0.1, **with_loop(loop))
                with self.assertRaisesRegex(StartupTimeout, r"test_robustness.py:\d+ in work"):
                    server.start()
                for thread in set(threading.enumerate()) - before:
                    self.assertTrue(ends(thread), "the server was left behind")


class FailingStopTests(StrictTestCase):
    """A stop that fails still ends all that can be ended."""

    def failing_stop(self, app: apps.Faulty, loop: str) -> ShutdownTimeout:
        """Fail to stop a server, and check that it is gone all the same."""
        self.addCleanup(app.blocked.released.set)
        server = LiveServer(app, shutdown_timeout=0.1, **with_loop(loop))
        server.start()
        thread = thread_of(server)
        with self.assertRaises(ShutdownTimeout) as caught:
            server.stop()
        self.assertTrue(ends(thread), "the server was left behind")
        self.assertNotIn("left behind", str(caught.exception))
        server.stop()  # there is nothing left to stop
        return caught.exception

    def test_a_lifespan_that_swallows_its_cancellation(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                error = self.failing_stop(apps.Faulty(shutdown=apps.hang_for_all_that), loop)
                self.assertRegex(str(error), r"lifespan, at .*apps.py:\d+ in hang_for_all_that")

    def test_a_task_that_swallows_its_cancellation_after_a_failure(self) -> None:
        async def start_a_task(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            app.task = asyncio.create_task(  # type: ignore[attr-defined]
                apps.hang_for_all_that(app, receive, send)
            )

        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(startup=start_a_task, shutdown=apps.raise_trouble)
                error = self.failing_stop(app, loop)
                self.assertRegex(str(error), r"task .*apps.py:\d+ in hang_for_all_that")
                # What the lifespan raised before is not lost.
                self.assertIsInstance(error.__cause__, ShutdownError)
                assert error.__cause__ is not None
                self.assertIsInstance(error.__cause__.__cause__, apps.Trouble)

    def test_a_cut_request_where_warnings_are_errors(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(handler=apps.hang, shutdown=apps.raise_trouble)
                server = LiveServer(app, shutdown_timeout=0.1, **with_loop(loop))
                server.start()
                with Client(server.base_url) as client:
                    client.send("/")
                    self.assertTrue(app.begun.wait(5))
                    with self.assertRaisesRegex(ShutdownError, "Trouble: out of order") as caught:
                        server.stop()
                self.assertIsInstance(caught.exception.__context__, ResourceWarning)
                self.assertFalse(server.running)

    def test_a_worker_that_the_lifespan_leaves_is_named(self) -> None:
        released = threading.Event()

        async def leave_a_worker(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            asyncio.get_running_loop().run_in_executor(None, released.wait, 30)
            await asyncio.sleep(0.2)  # longer than the stop waits before it looks at requests

        for loop in loops():
            with self.subTest(loop=loop):
                released.clear()
                app = apps.Faulty(shutdown=leave_a_worker)
                server = LiveServer(app, shutdown_timeout=0.5, **with_loop(loop))
                server.start()
                thread = thread_of(server)
                with self.assertWarnsRegex(ResourceWarning, "worker thread liveserver-worker_0"):
                    server.stop()
                released.set()
                self.assertTrue(ends(thread))

    def test_no_time_for_requests_is_still_some_for_the_lifespan(self) -> None:
        async def take_a_moment(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.sleep(0.05)

        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(shutdown=take_a_moment)
                with LiveServer(app, shutdown_timeout=0, **with_loop(loop)):
                    pass

    def test_a_worker_that_is_idle_is_not_cut(self) -> None:
        async def use_a_worker(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.to_thread(int)

        shutdown = ThreadPoolExecutor.shutdown

        def shutdown_late(pool: ThreadPoolExecutor, wait: bool = True, **kwargs: Any) -> None:
            """As on a busy machine, where the worker is told but takes a while to wake up."""
            if wait:
                threading.Event().wait(0.2)
                shutdown(pool, wait, **kwargs)

        for loop in loops():
            with (
                self.subTest(loop=loop),
                mock.patch.object(ThreadPoolExecutor, "shutdown", shutdown_late),
                LiveServer(apps.Faulty(shutdown=use_a_worker), **with_loop(loop)),
            ):
                pass


class Hanging:
    """An app with an event stream that is cancelled, says so, and hangs on until it is again."""

    def __init__(self, on_cancel: Callable[[], None] = lambda: None) -> None:
        self.on_cancel = on_cancel
        self.ended = False

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        try:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.on_cancel()
                await asyncio.Event().wait()
        finally:
            self.ended = True


class InterruptTests(StrictTestCase):
    """What Ctrl-C interrupts can be called again, and then does what it should."""

    def stop_again(self, server: LiveServer, thread: threading.Thread) -> None:
        with warnings.catch_warnings():  # that requests were cut
            warnings.simplefilter("ignore", ResourceWarning)
            server.stop()
        self.assertTrue(ends(thread), "the server was forgotten")
        with self.assertRaises(ConnectionRefusedError):
            get(server.base_url)
        # The port is free again too.
        with server:
            self.assertTrue(server.running)

    @unittest.skipUnless(hasattr(signal, "pthread_kill"), "no such signals on this system")
    def test_a_stop_while_it_waits_for_a_request(self) -> None:
        def interrupt_the_test() -> None:
            ident = threading.main_thread().ident
            assert ident is not None
            signal.pthread_kill(ident, signal.SIGINT)

        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, usual)
        for loop in loops():
            with self.subTest(loop=loop):
                # Cancelled by the stop, which then waits for it: there it is interrupted.
                app = Hanging(interrupt_the_test)
                server = LiveServer(app, **with_loop(loop))
                server.start()
                thread = thread_of(server)
                with Client(server.base_url) as client, client.open("/"):
                    with self.assertRaises(KeyboardInterrupt):
                        server.stop()
                    self.stop_again(server, thread)
                self.assertTrue(app.ended)

    def test_a_stop_at_each_of_its_first_steps(self) -> None:
        for loop in loops():
            for owner, name in ((LoopThread, "post"), (threading.Thread, "join")):
                with self.subTest(loop=loop, step=name):
                    app = Hanging()
                    server = LiveServer(app, **with_loop(loop))
                    server.start()
                    thread = thread_of(server)
                    with Client(server.base_url) as client, client.open("/"):
                        with (
                            interrupted_once(owner, name),
                            self.assertRaises(KeyboardInterrupt),
                        ):
                            server.stop()
                        self.stop_again(server, thread)
                    self.assertTrue(app.ended)

    def test_a_stop_that_is_called_again_says_what_was_wrong(self) -> None:
        again = threading.Event()

        async def fail_late(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.to_thread(again.wait, 10)
            raise apps.Trouble("out of order")

        for loop in loops():
            with self.subTest(loop=loop):
                again.clear()
                server = LiveServer(apps.Faulty(shutdown=fail_late), **with_loop(loop))
                server.start()
                with (
                    interrupted_once(threading.Thread, "join"),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    server.stop()
                again.set()
                with self.assertRaisesRegex(ShutdownError, "Trouble: out of order"):
                    server.stop()

    def test_a_stop_that_is_interrupted_does_not_wait_for_a_request(self) -> None:
        down = threading.Event()

        async def shutdown(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            down.set()

        for loop in loops():
            with self.subTest(loop=loop):
                down.clear()
                app = apps.Faulty(shutdown=shutdown, handler=apps.hang_for_all_that)
                self.addCleanup(app.blocked.released.set)
                server = LiveServer(app, **with_loop(loop))
                server.start()
                thread = thread_of(server)
                with Client(server.base_url) as client:
                    client.send("/")
                    self.assertTrue(app.begun.wait(5))
                    with (
                        interrupted_once(threading.Thread, "join"),
                        self.assertRaises(KeyboardInterrupt),
                    ):
                        server.stop()
                    self.assertTrue(down.wait(5), "the app was not shut down")
                app.blocked.released.set()
                self.stop_again(server, thread)

    def test_a_start_before_there_is_a_thread(self) -> None:
        server = LiveServer(apps.hello)
        with (
            mock.patch("liveserver._server.control.LoopThread", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            server.start()
        with server:  # its port is free again
            self.assertEqual(get(server.base_url).body, b"hello")


def interrupted_once(owner: type, name: str) -> Any:
    """Have the first call of a method raise KeyboardInterrupt, as a signal would."""
    method = getattr(owner, name)
    interrupts: list[type[BaseException]] = [KeyboardInterrupt]

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if interrupts:
            raise interrupts.pop()
        return method(*args, **kwargs)

    return mock.patch.object(owner, name, interrupted)


class OwnThreadTests(StrictTestCase):
    """The app cannot start or stop the server that it runs on, whenever it tries."""

    def test_in_the_lifespan(self) -> None:
        for phase in ("startup", "shutdown"):
            for method in ("stop", "start", "restart"):
                for loop in loops():
                    with self.subTest(phase=phase, method=method, loop=loop):
                        self.check(phase, method, loop)

    def check(self, phase: str, method: str, loop: str) -> None:
        said: list[str] = []

        async def call(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            try:
                getattr(server, method)()
            except ShutdownError as error:
                said.append(str(error))

        server = LiveServer(
            apps.Faulty(**{phase: call}),
            startup_timeout=1,
            shutdown_timeout=0.1,
            **with_loop(loop),
        )
        with server:
            pass
        self.assertEqual(len(said), 1)
        self.assertIn("in its own thread", said[0])


class CancelledAsyncWithTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """A cancelled `async with` ends what it began before it ends itself."""

    async def test_at_its_end_it_waits_for_the_stop(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        async def stop_slowly(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            begun.set()
            await asyncio.to_thread(go_on.wait, 10)
            raise apps.Trouble("out of order")

        server = LiveServer(apps.Faulty(shutdown=stop_slowly))
        await server.__aenter__()
        thread = thread_of(server)
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        self.addCleanup(go_on.set)
        self.assertTrue(await in_thread(begun.wait, 10))
        for _ in range(2):  # impatient users cancel twice
            leaving.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
            self.assertFalse(leaving.done(), "it did not wait for the stop")
        go_on.set()
        with self.assertRaises(asyncio.CancelledError) as caught:
            await leaving
        # What the app did wrong meanwhile is not lost.
        self.assertIsInstance(caught.exception.__cause__, ShutdownError)
        self.assertFalse(server.running)
        self.assertTrue(ends(thread), "the server was left behind")

    async def test_at_its_beginning_it_stops_only_what_has_started(self) -> None:
        go_on, stopping = threading.Event(), threading.Event()

        class Late(LiveServer):
            """Its start is overtaken by whatever can overtake it."""

            def start(self) -> None:
                assert go_on.wait(10)
                super().start()

            def stop(self) -> None:
                if threading.current_thread() is not starting:
                    stopping.set()
                super().stop()

        starting: threading.Thread | None = None
        server = Late(apps.hello)
        known = set(threading.enumerate())
        entering = asyncio.create_task(server.__aenter__())
        self.addCleanup(go_on.set)
        await asyncio.sleep(0)  # it begins
        (starting,) = set(threading.enumerate()) - known
        entering.cancel()
        early = await in_thread(stopping.wait, 0.1)
        self.addAsyncCleanup(in_thread, LiveServer.stop, server)
        self.assertFalse(early, "the stop came before the start")
        go_on.set()
        with self.assertRaises(asyncio.CancelledError):
            await entering
        self.assertTrue(stopping.is_set())
        self.assertFalse(server.running)

    async def test_at_its_beginning_it_keeps_why_the_start_failed(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        async def fail_slowly(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            begun.set()
            await asyncio.to_thread(go_on.wait, 10)
            raise apps.Trouble("out of order")

        server = LiveServer(apps.Faulty(startup=fail_slowly))
        entering = asyncio.create_task(server.__aenter__())
        self.addCleanup(go_on.set)
        self.assertTrue(await in_thread(begun.wait, 10))
        entering.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with self.assertRaises(asyncio.CancelledError) as caught:
            await entering
        self.assertIsInstance(caught.exception.__cause__, StartupError)


class LateFailureTests(StrictTestCase):
    """What the app raises after it said that its shutdown is complete is a failure too."""

    def test_in_the_lifespan(self) -> None:
        async def raise_at_once() -> None:
            raise apps.Trouble("out of order")

        async def raise_soon() -> None:
            for _ in range(3):
                await asyncio.sleep(0)  # it still puts things in order
            await raise_at_once()

        async def raise_when_cancelled() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await raise_at_once()

        for last in (raise_at_once, raise_soon, raise_when_cancelled):

            async def app(
                scope: apps.Scope,
                receive: apps.Receive,
                send: apps.Send,
                *,
                last: Any = last,
            ) -> None:
                await apps.lifespan(receive, send)
                await last()

            for loop in loops():
                with self.subTest(last=last.__name__, loop=loop):
                    server = LiveServer(app, **with_loop(loop))
                    server.start()
                    with self.assertRaisesRegex(ShutdownError, "out of order") as caught:
                        server.stop()
                    self.assertIsInstance(caught.exception.__cause__, apps.Trouble)

    def test_an_exit_in_a_task_that_is_cancelled(self) -> None:
        tasks: list[asyncio.Task[None]] = []

        async def exit_when_cancelled() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise SystemExit(3) from None

        async def start_it(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            tasks.append(asyncio.create_task(exit_when_cancelled()))

        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.Faulty(startup=start_it), **with_loop(loop))
                server.start()
                with self.assertRaisesRegex(ShutdownError, "SystemExit: 3"):
                    try:
                        server.stop()
                    finally:
                        tasks.pop().exception()  # seen, so that asyncio does not complain
                # What the lifespan raised comes before it.
                server = LiveServer(apps.Faulty(start_it, apps.raise_trouble), **with_loop(loop))
                server.start()
                with self.assertRaisesRegex(ShutdownError, "Trouble: out of order"):
                    try:
                        server.stop()
                    finally:
                        tasks.pop().exception()

    def test_a_task_that_a_cancelled_task_started_can_clean_up(self) -> None:
        cleaned: list[str] = []
        tasks: list[asyncio.Task[None]] = []

        async def flush() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)  # needs a loop
                cleaned.append("flush")

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                tasks.append(asyncio.create_task(flush()))

        async def start_it(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            tasks.append(asyncio.create_task(work()))

        for loop in loops():
            with self.subTest(loop=loop):
                with LiveServer(apps.Faulty(startup=start_it), **with_loop(loop)):
                    cleaned.clear()
                self.assertEqual(cleaned, ["flush"])


class RunsApartTests(StrictTestCase):
    """Runs, servers and configurations do not get into each other's way."""

    def test_a_stuck_request_of_an_earlier_run_is_not_of_the_next(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                self.check_stuck(loop)

    def check_stuck(self, loop: str) -> None:
        stuck, begun = apps.Blocked(), threading.Event()

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            if scope["path"] == "/stuck":
                return stuck.wait()
            begun.set()
            await asyncio.Event().wait()

        self.addCleanup(stuck.released.set)
        server = LiveServer(app, shutdown_timeout=0.1, **with_loop(loop))
        server.start()
        thread = thread_of(server)
        with Client(server.base_url) as first, Client(server.base_url) as second:
            first.send("/stuck")
            self.assertTrue(stuck.begun.wait(10))
            with self.assertRaisesRegex(ShutdownTimeout, "GET /stuck"):
                server.stop()
            server.start()
            second.send("/other")
            self.assertTrue(begun.wait(10))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                server.stop()
            said = "\n".join(str(each.message) for each in caught)
            self.assertIn("GET /other", said)
            self.assertNotIn("/stuck", said)
            stuck.released.set()
            self.assertTrue(ends(thread), "it did not end when it could")

    def test_loggers_are_put_back_after_servers_that_overlap(self) -> None:
        def state() -> list[Any]:
            found = [logging.getLogger(name) for name in ("uvicorn.error", "uvicorn.access")]
            return [(log.level, list(log.handlers), log.propagate) for log in found]

        for log in map(logging.getLogger, ("uvicorn.error", "uvicorn.access")):
            self.addCleanup(log.setLevel, log.level)
            self.addCleanup(setattr, log, "handlers", list(log.handlers))
            self.addCleanup(setattr, log, "propagate", log.propagate)
        usual = state()
        for order in ((0, 1), (1, 0)):
            with self.subTest(order=order):
                servers = (
                    LiveServer(
                        apps.hello, uvicorn_config={"log_level": "critical", "access_log": False}
                    ),
                    LiveServer(apps.hello, uvicorn_config={"log_level": "error"}),
                )
                for server in servers:
                    server.start()
                for place in order:
                    servers[place].stop()
                self.assertEqual(state(), usual)

    def test_a_configuration_is_not_taken_for_one_that_is_equal(self) -> None:
        # 1 == True, and only one of them is right.
        for name, right, wrong in (("backlog", 1, True), ("date_header", True, 1)):
            with self.subTest(name=name):
                LiveServer(apps.hello, uvicorn_config={name: right})
                with self.assertRaisesRegex(ConfigurationError, f"{name}={wrong} is not valid"):
                    LiveServer(apps.hello, uvicorn_config={name: wrong})


@unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
class ForkedStopTests(ProcessTestCase):
    """A stop in a forked child is a matter of the child."""

    def test_the_parent_goes_on(self) -> None:
        for loop in loops():
            code = f"""{LIFESPAN_APP}
import warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
server = LiveServer(app, shutdown_timeout=1, uvicorn_config={{"loop": "{loop}"}})
server.start()
child = os.fork()
if not child:
    server.stop()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0, "the stop in the child failed"
assert get(server.base_url).status == 200
server.stop()
"""
            with self.subTest(loop=loop):
                self.assertEqual(self.run_script(code), (0, "shutdown\n", ""))


class HeadersTests(StrictTestCase):
    """The headers of the app and those of uvicorn arrive."""

    def test_those_that_can_be_iterated_only_once(self) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            headers = iter([(b"x-once", b"1"), (b"content-length", b"2")])
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})

        for loop in loops():
            with self.subTest(loop=loop), LiveServer(app, **with_loop(loop)) as server:
                answer = get(server.base_url)
                self.assertEqual(answer.headers["x-once"], "1")
                self.assertEqual(answer.headers["content-length"], "2")
                self.assertEqual(answer.body, b"ok")

    def test_those_of_uvicorn_when_time_stands_still_at_its_beginning(self) -> None:
        for loop in loops():
            with (
                self.subTest(loop=loop),
                mock.patch("time.time", return_value=0.0),  # what freezegun does, among others
                LiveServer(apps.hello, **with_loop(loop)) as server,
            ):
                answer = get(server.base_url)
                self.assertEqual(answer.headers["date"], "Thu, 01 Jan 1970 00:00:00 GMT")
                self.assertEqual(answer.headers["server"], "uvicorn")


@unittest.skipUnless(importlib.util.find_spec("trustme"), "trustme is not installed")
class TLSTests(StrictTestCase):
    """A client that keeps its TLS connection does not hold the stop up."""

    def setUp(self) -> None:
        import trustme

        super().setUp()
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "certificate.pem")
        self.config = {"ssl_certfile": str(folder / "certificate.pem")}
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)

    def serve(self, app: Any, loop: str) -> tuple[LiveServer, http.client.HTTPSConnection]:
        """Start a server, and connect a client that stays."""
        config = {**self.config, "loop": loop}
        server = LiveServer(app, shutdown_timeout=4, uvicorn_config=config)
        server.start()
        self.addCleanup(server.stop)
        client = http.client.HTTPSConnection(
            server.host, server.port, timeout=10, context=self.trust
        )
        self.addCleanup(client.close)
        return server, client

    def test_an_idle_connection(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server, client = self.serve(apps.hello, loop)
                client.request("GET", "/")
                self.assertEqual(client.getresponse().read(), b"hello")
                begun = time.monotonic()
                server.stop()
                self.assertLess(time.monotonic() - begun, 2)

    def test_a_connection_whose_request_ends_during_the_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                self.check_busy(loop)

    def check_busy(self, loop: str) -> None:
        begun = threading.Event()
        held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def slow(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            await apps.start_response(send, length=4)
            await send({"type": "http.response.body", "body": b"do", "more_body": True})
            go_on = asyncio.Event()
            held.append((asyncio.get_running_loop(), go_on))
            begun.set()
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"ne"})

        server, client = self.serve(slow, loop)
        client.request("GET", "/")
        response = client.getresponse()
        self.assertTrue(begun.wait(10))
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while server.running:
            pass
        turning, go_on = held.pop()
        turning.call_soon_threadsafe(go_on.set)
        self.assertEqual(response.read(), b"done")
        stopping.join(2)
        late = stopping.is_alive()
        client.close()
        stopping.join(10)
        self.assertFalse(late, "the stop waited for the client's goodbye")
