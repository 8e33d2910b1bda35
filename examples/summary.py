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

FAILING = "examples.failing.failures.HandlerTests.test_sync_handler_raises"


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
    """Run a test that fails on purpose; return what unittest says of it, without a frame."""
    done = subprocess.run(
        [sys.executable, "-m", "unittest", FAILING],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    report = done.stderr.partition("=" * 70)[2].rpartition("-" * 70)[0]
    return report.replace("-" * 70 + "\n", "").strip()


def main() -> int:
    """Run the tests; then show a report, and say how many servers there were and how fast."""
    starts: list[float] = []
    stops: list[float] = []
    LiveServer.start = timed(LiveServer.start, starts)  # type: ignore[method-assign]
    LiveServer.stop = timed(LiveServer.stop, stops)  # type: ignore[method-assign]
    tests = unittest.defaultTestLoader.discover("examples", top_level_dir=".")
    began = time.perf_counter()
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    seconds = time.perf_counter() - began
    print(f"\nOne more test fails on purpose. Its report:\n\n{report_of_failing_test()}\n")
    if starts and stops:
        both = 1000 * (median(starts) + median(stops))
        print(
            f"The {result.testsRun} tests before it took {seconds:.0f} s, on {len(starts)} servers."
        )
        print(f"To start and stop one, with its app, took {both:.1f} ms (median).")
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
