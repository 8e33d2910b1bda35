"""The waits on a loop, when they are cancelled or something takes a while to end."""

import threading
import unittest
from unittest import mock

from liveserver._sync.latches import Outcome
from liveserver._sync.threads import DaemonThread, _Started, run_in_thread
from tests.helpers.support import StrictTestCase


class RunInThreadTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """A function in a thread of its own."""

    async def test_its_thread_ends_before_it_returns(self) -> None:
        made: list[threading.Thread] = []

        class Slow(threading.Thread):
            """One that takes a while to end, as on a busy machine."""

            def run(self) -> None:
                made.append(self)
                super().run()
                threading.Event().wait(0.1)

        with mock.patch("liveserver._sync.threads.threading.Thread", Slow):
            await run_in_thread(int)
        self.assertEqual([thread.is_alive() for thread in made], [False])


class DaemonThreadTests(StrictTestCase):
    """A thread whose start is interrupted."""

    def test_a_ctrl_c_while_it_begins_does_not_hold_it_up(self) -> None:
        done = threading.Event()

        def interrupted(_started: _Started) -> None:
            raise KeyboardInterrupt

        thread = DaemonThread(done.set, "interrupted")
        with mock.patch.object(_Started, "wait", interrupted):
            self.assertRaises(KeyboardInterrupt, thread.start)
        self.assertTrue(done.wait(10))
        thread.join(10)
        self.assertFalse(thread.is_alive())

    def test_the_time_for_an_outcome_begins_with_it(self) -> None:
        outcome: Outcome[None] = Outcome()
        waited, release = threading.Event(), threading.Event()
        thread = DaemonThread(lambda: release.wait(10), "late")
        begin, waits = thread._bootstrap_inner, []  # type: ignore[attr-defined]

        def begin_late() -> None:
            waited.wait(10)
            begin()

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            waited.set()
            return False

        thread._bootstrap_inner = begin_late  # type: ignore[attr-defined]
        thread.start()
        with mock.patch.object(outcome, "wait", wait):
            self.assertFalse(thread.wait_for(outcome, 0.1))
            self.assertFalse(thread.wait_for(outcome, 10))
        release.set()
        thread.join(10)
        self.assertEqual(waits, [0.1, 0.1, 10])

    def test_its_event_does_not_wait(self) -> None:
        started = _Started()
        self.assertFalse(started.wait())
        started.set()
        self.assertTrue(started.wait())

    def test_a_thread_that_never_begins_is_not_waited_for(self) -> None:
        thread = DaemonThread(lambda: None, "never")
        with (
            mock.patch("threading.Thread.start", side_effect=RuntimeError),
            self.assertRaises(RuntimeError),
        ):
            thread.start()
        self.assertFalse(thread.wait_begun(float("inf")))
        self.assertFalse(thread.wait_for(Outcome(), 0.01))

    def test_its_start_does_not_wait_for_it(self) -> None:
        release = threading.Event()
        thread = DaemonThread(lambda: None, "usual")
        begin = thread._bootstrap_inner  # type: ignore[attr-defined]
        thread._bootstrap_inner = lambda: (release.wait(10), begin())  # type: ignore[attr-defined]
        thread.start()
        self.assertIsNone(thread.ident)
        self.assertFalse(thread.is_alive())
        self.assertFalse(thread.wait_begun(0.01))
        release.set()
        self.assertTrue(thread.wait_begun(10))
        thread.join(10)
        self.assertFalse(thread.is_alive())
