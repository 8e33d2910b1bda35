"""The waits on a loop, when they are cancelled or something takes a while to end."""

import asyncio
import threading
import unittest
from unittest import mock

from liveserver._aside import Gate, aside
from tests.support import StrictTestCase


class GateTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """A gate lets through who still waits."""

    async def test_one_that_opens_when_a_wait_is_cancelled(self) -> None:
        gate = Gate()
        waits = [asyncio.create_task(gate.wait()) for _ in range(3)]
        await asyncio.sleep(0)  # they begin
        waits[0].cancel()
        gate.open()  # before the cancelled one hears of it
        with self.assertRaises(asyncio.CancelledError):
            await waits[0]
        await asyncio.gather(*waits[1:])

    async def test_one_whose_waits_are_cancelled_forgets_them(self) -> None:
        gate = Gate()
        for _ in range(3):
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(gate.wait(), 0.001)
        self.assertEqual(gate._waiters, [])


class AsideTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """A function in a thread of its own."""

    async def test_its_thread_ends_before_it_returns(self) -> None:
        made: list[threading.Thread] = []

        class Slow(threading.Thread):
            """One that takes a while to end, as on a busy machine."""

            def run(self) -> None:
                made.append(self)
                super().run()
                threading.Event().wait(0.1)

        with mock.patch("liveserver._aside.threading.Thread", Slow):
            await aside(int)
        self.assertEqual([thread.is_alive() for thread in made], [False])
