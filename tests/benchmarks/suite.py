"""What does a suite of 500 tests cost? `python -m tests.benchmarks.suite --help`

Ten classes of fifty tests, each test with one request, in each scope; and the same tests with
Starlette's `TestClient`, which has no socket, entered for each test or for each class. Both give a
test a session or client of its own; the `TestClient` of a class is one for its fifty tests.
"""

import argparse
import statistics
import time
import unittest
from collections.abc import Callable, Sequence
from typing import Any

from liveserver import LiveServerTestCase
from tests.benchmarks._common import app, check, loops
from tests.benchmarks._contenders import client_class
from tests.benchmarks._table import Answer, machine, missing_row, versions

__all__ = ["measure"]

CLASSES, TESTS = 10, 50

HEADER = ("suite of 500 tests", "ms", "ms for each test", "x TestClient, each test")
BASE = "TestClient, each test"


def live_classes(scope: str, loop: str) -> list[type[unittest.TestCase]]:
    """Make the classes whose tests ask a liveserver."""

    async def own_app(scope: Any, receive: Any, send: Any) -> None:
        # Another one for each run, so that a server of the session is started anew.
        await app(scope, receive, send)

    def test(self: Any) -> None:
        response = self.http.get("/")
        check(response.status_code, response.content)

    options = {"uvicorn_config": {"loop": loop}}
    body = {"app": own_app, "server_scope": scope, "server_options": options}
    return [suite_class(LiveServerTestCase, test, body) for _ in range(CLASSES)]


def client_classes(each_test: bool, loop: str) -> list[type[unittest.TestCase]]:
    """Make the classes whose tests ask a `TestClient`."""
    make = client_class()
    options = {"use_uvloop": loop == "uvloop"}

    def set_up(self: Any) -> None:
        self.client = self.enterContext(make(app, backend_options=options))

    def set_up_class(cls: Any) -> None:
        cls.client = cls.enterClassContext(make(app, backend_options=options))

    def test(self: Any) -> None:
        response = self.client.get("/")
        check(response.status_code, response.content)

    body = {"setUp": set_up} if each_test else {"setUpClass": classmethod(set_up_class)}
    return [suite_class(unittest.TestCase, test, body) for _ in range(CLASSES)]


def suite_class(base: type, test: Callable[[Any], None], body: dict[str, Any]) -> Any:
    """Make one class with its tests."""
    return type("Tests", (base,), {**body, **{f"test_{n}": test for n in range(TESTS)}})


SUITES: dict[str, Callable[[str], list[type[unittest.TestCase]]]] = {
    "liveserver, class scope": lambda loop: live_classes("class", loop),
    "liveserver, test scope": lambda loop: live_classes("test", loop),
    "liveserver, session scope": lambda loop: live_classes("session", loop),
    BASE: lambda loop: client_classes(True, loop),
    "TestClient, each class": lambda loop: client_classes(False, loop),
}


def timed(classes: Sequence[type[unittest.TestCase]]) -> float:
    """Run the classes as unittest does; return the milliseconds, and see that all passed."""
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
    result = unittest.TestResult()
    began = time.perf_counter()
    suite.run(result)
    took = (time.perf_counter() - began) * 1000
    if not result.wasSuccessful() or result.testsRun != CLASSES * TESTS:
        raise RuntimeError((result.errors + result.failures)[:1] or result)
    return took


def measure(loops: Sequence[str], rounds: int) -> list[Answer]:
    """Run the suites in turn, and answer for each kind of loop."""
    times: dict[tuple[str, str], list[float]] = {}
    missing: dict[str, str] = {}
    for number in range(rounds):
        for loop in loops:
            for name in list(SUITES) if number % 2 else list(SUITES)[::-1]:
                try:
                    classes = SUITES[name](loop)
                except ModuleNotFoundError as error:
                    missing[name] = str(error)
                else:
                    times.setdefault((loop, name), []).append(timed(classes))
    return [_answer(loop, times, missing, rounds) for loop in loops]


def _answer(
    loop: str, times: dict[tuple[str, str], list[float]], missing: dict[str, str], rounds: int
) -> Answer:
    medians = {
        name: statistics.median(times[loop, name]) for name in SUITES if (loop, name) in times
    }
    rows = []
    for name in SUITES:
        if name in missing:
            rows.append(missing_row(name, missing[name], len(HEADER)))
            continue
        ratio = f"{medians[name] / medians[BASE]:.2f}" if BASE in medians else ""
        each = medians[name] / (CLASSES * TESTS)
        rows.append([name, f"{medians[name]:.0f}", f"{each:.2f}", ratio])
    return Answer(
        f"What does a suite of 500 tests cost? {loop}",
        HEADER,
        rows,
        [f"{CLASSES} classes of {TESTS} tests with one request each, median of {rounds} runs."],
        {"loop": loop, "median_ms": medians},
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.suite")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each suite (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n")
    print(*measure(loops(), options.rounds), sep="\n\n")


if __name__ == "__main__":
    main()
