"""The executor of a server's loop."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from liveserver import LiveServer
from liveserver._server.executor import DaemonExecutor
from tests.helpers.support import StrictTestCase, get, loops, until


class DaemonExecutorTests(StrictTestCase):
    """It runs jobs in daemon threads, and ends them."""

    def setUp(self) -> None:
        super().setUp()
        self.executor = DaemonExecutor(lambda: None)
        self.addCleanup(self.executor.shutdown)

    def test_results_and_exceptions(self) -> None:
        self.assertEqual(self.executor.submit(divmod, 7, 2).result(5), (3, 1))
        self.assertEqual(self.executor.submit(dict, a=1).result(5), {"a": 1})
        with self.assertRaises(ZeroDivisionError):
            self.executor.submit(lambda: 1 / 0).result(5)

    def test_a_free_thread_is_used_again(self) -> None:
        for _ in range(50):
            self.executor.submit(threading.current_thread).result(5)
        self.assertLess(len(self.executor.threads()), 10)
        self.assertTrue(all(each.daemon for each in self.executor.threads()))

    def test_jobs_at_once(self) -> None:
        together = threading.Barrier(33)
        waits = [self.executor.submit(together.wait, 10) for _ in range(32)]
        late = self.executor.submit(int)
        self.assertEqual(len(self.executor.threads()), 32)
        together.wait(10)
        self.assertEqual(sorted(each.result(5) for each in waits), list(range(32)))
        self.assertEqual(late.result(5), 0)

    def test_a_job_that_is_cancelled_in_time_does_not_run(self) -> None:
        go_on, ran = threading.Event(), []
        blocks = [self.executor.submit(go_on.wait, 10) for _ in range(32)]
        cancelled = self.executor.submit(ran.append, 1)
        self.assertTrue(cancelled.cancel())
        go_on.set()
        for each in blocks:
            each.result(5)
        self.executor.shutdown()
        self.assertEqual(ran, [])

    def test_after_the_shutdown(self) -> None:
        self.executor.submit(int).result(5)
        self.executor.shutdown(wait=False)
        self.executor.shutdown()
        self.assertEqual(self.executor.threads(), [])
        with self.assertRaises(RuntimeError):
            self.executor.submit(int)

    def test_inline(self) -> None:
        self.executor.inline = True
        self.assertIs(
            self.executor.submit(threading.current_thread).result(0), threading.current_thread()
        )
        self.assertEqual(self.executor.threads(), [])

    def test_nothing_is_kept(self) -> None:
        class Thing:
            """What a job returns, or is about."""

        def fail(thing: Thing) -> None:
            raise ZeroDivisionError

        thing = Thing()
        known = weakref.ref(thing)
        self.executor.submit(lambda thing: thing, thing).result(5)
        self.executor.submit(fail, thing).exception(5)
        self.executor.submit(int).result(5)
        del thing
        gc.collect()
        self.assertIsNone(known())


class JobTests(StrictTestCase):
    """A stop waits for what the app gave to an executor, and names what remains."""

    def setUp(self) -> None:
        super().setUp()
        self.go_on = threading.Event()
        self.ended: list[int] = []

    def prepare(self) -> None:
        self.go_on.clear()
        self.ended.clear()
        # asyncio shuts an executor down that was set, when it closes the loop.
        self.pool = self.enterContext(ThreadPoolExecutor(1, "apps-own"))
        self.addCleanup(self.go_on.set)

    def job(self) -> None:
        self.go_on.wait(30)
        self.ended.append(1)

    def app(self, executor: str) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            loop = asyncio.get_running_loop()
            if executor == "set":
                loop.set_default_executor(self.pool)
            loop.run_in_executor(self.pool if executor == "given" else None, self.job)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        return app

    def test_it_ends_in_time(self) -> None:
        for loop in loops():
            for executor in ("of the loop", "set", "given"):
                with self.subTest(loop=loop, executor=executor):
                    self.prepare()
                    config = {"loop": loop, "lifespan": "off"}
                    server = LiveServer(self.app(executor), uvicorn_config=config)
                    server.start()
                    get(server.base_url)
                    with ThreadPoolExecutor(1) as pool:
                        stop = pool.submit(server.stop)
                        until(lambda server=server: not server.running)
                        self.assertFalse(stop.done())
                        self.go_on.set()
                        stop.result(5)
                    self.assertEqual(self.ended, [1])

    def test_it_does_not_end(self) -> None:
        for executor, line in (
            ("of the loop", r"worker thread liveserver-worker_0, "),
            ("set", r"job of a ThreadPoolExecutor, "),
            ("given", r"job of a ThreadPoolExecutor, "),
        ):
            with self.subTest(executor=executor):
                self.prepare()
                config = {"lifespan": "off"}
                app = self.app(executor)
                with (
                    self.assertWarnsRegex(
                        ResourceWarning,
                        rf"Cut at the stop:\n  {line}at .*test_executor\.py:\d+ in job$",
                    ),
                    LiveServer(app, shutdown_timeout=0.05, uvicorn_config=config) as server,
                ):
                    get(server.base_url)
                self.go_on.set()
                until(lambda: bool(self.ended))

    def test_what_the_pool_does_otherwise_is_not_waited_for(self) -> None:
        # The negative control.
        self.prepare()
        with LiveServer(self.app("of the loop"), uvicorn_config={"lifespan": "off"}) as server:
            self.pool.submit(self.job)
            self.go_on.set()
            get(server.base_url)
            server.wait_idle(5)
            self.go_on.clear()
            self.pool.submit(self.job)
        self.assertEqual(len(self.ended), 2)
        self.go_on.set()
