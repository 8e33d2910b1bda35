"""The waits on a loop, when they are cancelled or something takes a while to end."""

import threading
import unittest
from unittest import mock

from liveserver._sync.threads import run_in_thread
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
