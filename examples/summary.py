"""All examples of unittest in one run; at its end, what they have shown.
Run it: python -m examples.summary"""

import functools
import subprocess
import sys
import time
import unittest
from collections.abc import Callable
from statistics import median

from liveserver import LiveServer

FAILING = "examples.failing.failures.AnsweredTests.test_background_task_raises"


def timed(method: Callable[[LiveServer], None], seconds: list[float]) -> Callable[..., None]:
    """Make a method write down how long it takes."""

    @functools.wraps(method)
    def measured(server: LiveServer) -> None:
        was_running = server.running
        began = time.perf_counter()
        method(server)
        if server.running != was_running:
            seconds.append(time.perf_counter() - began)

    return measured


def report_of_failing_test() -> str:
    """Run a test that fails on purpose; return its error, without unittest's frame."""
    done = subprocess.run(
        [sys.executable, "-m", "unittest", FAILING],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.stderr.partition("-" * 70)[2].partition("\nThe server at ")[0].strip()


def main() -> int:
    """Run the tests, then say how many servers they had, how fast these were, and show an error."""
    starts: list[float] = []
    stops: list[float] = []
    LiveServer.start = timed(LiveServer.start, starts)  # type: ignore[method-assign]
    LiveServer.stop = timed(LiveServer.stop, stops)  # type: ignore[method-assign]
    tests = unittest.defaultTestLoader.discover("examples", top_level_dir=".")
    began = time.perf_counter()
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    seconds = time.perf_counter() - began
    if starts and stops:
        both = 1000 * (median(starts) + median(stops))
        print(
            f"\nThese {result.testsRun} tests had {len(starts)} servers, and took {seconds:.0f} s."
        )
        print(f"A server and its app started and stopped in {both:.1f} ms (median).")
    print("\nOne more test fails on purpose. It looks only at the status, which is right. Then the")
    print(f"app raises an exception, and that fails the test:\n\n{report_of_failing_test()}")
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
