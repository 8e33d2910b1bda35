"""Where a task, a thread or an exception stands, in the cases that are rare."""

import asyncio
import importlib
import sysconfig
import threading
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any
from unittest import mock

from liveserver import LiveServer
from liveserver._reporting.await_chain import _step
from liveserver._reporting.frames import app_frames
from liveserver._reporting.tracebacks import last_lines
from liveserver._reporting.wording import raised_at, standing, thread_standing
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, loops, with_loop

HERE = r"tests/reporting/test_wording\.py:\d+ in "
UNKNOWN = "at an unknown line"


class Hostile:
    """Something to await that cannot be looked at."""

    def __await__(self) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return None  # as a bare yield: not now

    @property
    def cr_frame(self) -> Any:
        raise RuntimeError("outside of its context")


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def deep(left: int) -> None:
    if left:
        await deep(left - 1)
    await wait_for_ever()


class TaskTests(StrictTestCase):
    """A task of the server's loop."""

    def look(self, make: Callable[[], Coroutine[Any, Any, None]], loop: str, turns: int = 3) -> str:
        """Start a coroutine on a server's loop, let some turns pass, and say where it stands."""

        async def begin() -> str:
            task = asyncio.get_running_loop().create_task(make())
            for _ in range(turns):
                await asyncio.sleep(0)
            try:
                return standing(task, threading.current_thread())
            finally:
                task.cancel()

        with LiveServer(apps.hello, **with_loop(loop)) as server:
            return server.call(begin)

    def test_each(self) -> None:
        for name, make, turns, pattern in (
            ("the negative control", wait_for_ever, 3, f"at {HERE}wait_for_ever"),
            ("one that has not begun", wait_for_ever, 0, f"at {HERE}wait_for_ever"),
            ("a deep one", lambda: deep(300), 3, f"at {HERE}deep"),
            ("one without a line of the app", lambda: asyncio.sleep(60), 3, r"tasks\.py:\d+ in sl"),
            ("one that cannot be looked at", self.wait_for_hostile, 3, UNKNOWN),
        ):
            for loop in loops():
                with self.subTest(name, loop=loop):
                    self.assertRegex(self.look(make, loop, turns), pattern)

    async def wait_for_hostile(self) -> None:
        await Hostile()

    def test_one_that_waits_for_a_worker_thread_among_others(self) -> None:
        begun, released = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            released.wait(10)

        async def wait_for_worker() -> None:
            await asyncio.to_thread(work)

        async def look() -> str:
            task = asyncio.get_running_loop().create_task(wait_for_worker())
            while not begun.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            # The newest thread comes first where one looks for the worker.
            other = threading.Thread(target=released.wait, args=(10,))
            other.start()
            try:
                return standing(task, threading.current_thread())
            finally:
                released.set()
                other.join()
                await task

        for loop in loops():
            begun.clear()
            released.clear()
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                self.assertRegex(server.call(look), f"at {HERE}work")

    def test_one_that_waits_for_a_job_that_no_worker_thread_has_begun(self) -> None:
        begun, released = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            released.wait(10)

        async def wait_in_the_queue(pool: ThreadPoolExecutor) -> None:
            await asyncio.get_running_loop().run_in_executor(pool, int)

        async def look() -> str:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(work)
                begun.wait(10)
                task = asyncio.get_running_loop().create_task(wait_in_the_queue(pool))
                await asyncio.sleep(0)
                try:
                    return standing(task, threading.current_thread())
                finally:
                    released.set()
                    await task

        for loop in loops():
            begun.clear()
            released.clear()
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                self.assertRegex(server.call(look), f"at {HERE}wait_in_the_queue")

    def test_none(self) -> None:
        self.assertEqual(standing(None, threading.current_thread()), UNKNOWN)

    def test_an_async_generator_that_has_ended(self) -> None:
        async def numbers() -> Any:
            yield 1

        async def look() -> Any:
            generator = numbers()
            suspended = generator.asend(None)
            found = _step(suspended)[0]
            self.assertEqual([number async for number in generator], [1])
            suspended.close()
            ended = generator.asend(None)
            self.assertEqual(_step(ended), (None, None))
            ended.close()
            return found.f_code.co_name

        self.assertEqual(asyncio.run(look()), "numbers")


class ThreadTests(StrictTestCase):
    """A thread."""

    def test_one_that_runs_and_one_that_has_ended(self) -> None:
        begun, released = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            released.wait(10)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            self.assertTrue(begun.wait(10))
            self.assertRegex(thread_standing(thread), f"at {HERE}work")
        finally:
            released.set()
            thread.join()
        self.assertEqual(thread_standing(thread), UNKNOWN)


class ExceptionTests(StrictTestCase):
    """An exception."""

    def test_of_a_group_its_first(self) -> None:
        async def fail() -> None:
            raise ValueError("the first")

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())

        with LiveServer(app) as server:
            self.assertEqual(get(server.base_url).status, 500)
            server.wait_idle(5)
            (request,) = server.requests
        assert request.exception is not None
        self.assertRegex(request.error, r"^ExceptionGroup: unhandled errors in a TaskGroup")
        self.assertRegex(raised_at(request.exception), f"at {HERE}fail")

    def test_on_another_drive_than_the_working_folder(self) -> None:
        error = caught(lambda: int("guest"))
        for relpath, expected in (
            (mock.DEFAULT, "at tests/reporting/test_wording"),
            (ValueError("path is on mount 'D:'"), f"at {__file__}:"),
        ):
            with self.subTest(expected), mock.patch("os.path.relpath") as patched:
                patched.side_effect = None if relpath is mock.DEFAULT else relpath
                patched.return_value = "tests/reporting/test_wording.py"
                self.assertIn(expected, raised_at(error))

    def test_in_a_folder_whose_name_begins_like_that_of_a_library(self) -> None:
        path = f"{sysconfig.get_path('stdlib')}_of_mine/app.py"
        scope: dict[str, Any] = {}
        exec(compile("def fail(): int('guest')", path, "exec"), scope)
        self.assertRegex(raised_at(caught(scope["fail"])), r"_of_mine/app\.py:1 in fail")

    def test_in_the_machinery_of_an_import(self) -> None:
        error = caught(lambda: importlib.import_module("tests.no_such_module"))
        self.assertRegex(raised_at(error), f"at {HERE}<lambda>")

    def test_of_a_long_text_the_end(self) -> None:
        lines = [f"line {number}" for number in range(41)]
        for text, expected in (
            (lines[:40], ["ValueError: line 0", *lines[1:40]]),
            (lines, ["...", *lines[1:]]),
        ):
            with self.subTest(lines=len(text)):
                shown = last_lines(ValueError("\n".join(text)))
                self.assertEqual(shown.splitlines(), expected)

    def test_its_frames_begin_with_the_apps(self) -> None:
        error = caught(lambda: asyncio.run(wait_and_fail()))
        names = [frame.name for frame in traceback.extract_tb(app_frames(error.__traceback__))]
        self.assertEqual(names[0], "caught")
        # Where there are none of the app, all are kept.
        only_library = without_own(error.__traceback__)
        self.assertIsNotNone(only_library)
        self.assertIs(app_frames(only_library), only_library)


async def wait_and_fail() -> None:
    await asyncio.wait_for(asyncio.Future(), 0)


def caught(function: Callable[[], Any]) -> BaseException:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


def without_own(rest: TracebackType | None) -> TracebackType | None:
    """The last of a traceback's frames, which are the library's."""
    kept = rest
    while rest is not None:
        if rest.tb_frame.f_code.co_filename == __file__:
            kept = rest.tb_next
        rest = rest.tb_next
    return kept
