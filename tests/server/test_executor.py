"""The executor of a server's loop."""

import gc
import threading
import weakref

from liveserver._server.executor import DaemonExecutor
from tests.helpers.support import StrictTestCase


class DaemonExecutorTests(StrictTestCase):
    """It runs jobs in daemon threads, and ends them."""

    def setUp(self) -> None:
        super().setUp()
        self.executor = DaemonExecutor()
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
