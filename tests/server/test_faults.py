"""The fault matrix: each fault in each way of running a server, see `tests/helpers/faults.py`.

Trials spend most of their time in waiting for a bound to pass, so three processes share them. Each
trial looks for what it left behind in its own process.
"""

import faulthandler
import multiprocessing
import unittest
from concurrent.futures import Future, ProcessPoolExecutor
from typing import ClassVar

from tests.helpers.faults import FAULTS, try_fault, ways

PROCESSES = 3
SECONDS_PER_FAULT = 60


def problems_of(number: int) -> dict[str, list[str]]:
    """Try a fault in each way; a hang ends the process, with the stacks of all threads."""
    faulthandler.dump_traceback_later(SECONDS_PER_FAULT, exit=True)
    try:
        return {way[0]: try_fault(FAULTS[number], way).problems for way in ways()}
    finally:
        faulthandler.cancel_dump_traceback_later()


class FaultTests(unittest.TestCase):
    """No fault hangs, loses its exception, leaves something behind or harms the next server."""

    maxDiff = None
    trials: ClassVar["dict[int, Future[dict[str, list[str]]]]"] = {}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        pool = ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"))
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.trials = {number: pool.submit(problems_of, number) for number in range(len(FAULTS))}

    def check(self, number: int) -> None:
        # Those that were asked for earlier may all come first.
        bound = SECONDS_PER_FAULT * (number + 1)
        for way, problems in self.trials[number].result(bound).items():
            with self.subTest(way=way):
                self.assertEqual(problems, [])


def _add(number: int) -> None:
    def test(self: FaultTests) -> None:
        self.check(number)

    name = "".join(sign if sign.isalnum() else "_" for sign in FAULTS[number].name)
    test.__name__ = f"test_{name}"
    test.__doc__ = FAULTS[number].name
    setattr(FaultTests, test.__name__, test)


for _number in range(len(FAULTS)):
    _add(_number)
