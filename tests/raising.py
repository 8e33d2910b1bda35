"""Suites of tests that all raise, to the end: python -m tests.raising [--tests 3000]

Two threads that format tracebacks at the same time can end a process on Python 3.11. So this runs
many raising tests, under pytest with its log capture on, classes and functions, and under unittest.
It looks whether every test got its own error.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

from tests.helpers.support import is_wrong, loops

ROOT = Path(__file__).parent.parent

SUITE = """
import http.client, unittest
from urllib.parse import urlsplit
from liveserver import LiveServerTestCase

def deeper(path, depth):
    if depth:
        return deeper(path, depth - 1)
    raise ValueError(f"nothing at {path}")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"].startswith("/late"):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"whole"})
    deeper(scope["path"], 3)

class Tests(LiveServerTestCase):
    server_options = {"uvicorn_config": {"loop": LOOP}}

    @classmethod
    def create_app(cls):
        return app

    def ask(self):
        number = int(self._testMethodName.rpartition("_")[2])
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", f"/{'late' if number % 2 else 'raise'}/{number}")
        connection.getresponse().read()

for number in range(TESTS):
    setattr(Tests, f"test_{number:05}", lambda self: self.ask())
"""

# The same as pytest functions, each with the server of the session.
FUNCTIONS = (
    SUITE.partition("class Tests")[0]
    + """
import pytest
from liveserver import LiveServer

@pytest.fixture(scope="session")
def server():
    with LiveServer(app, uvicorn_config={"loop": LOOP}) as server:
        yield server

def make(number):
    def test(server):
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        connection.request("GET", f"/{'late' if number % 2 else 'raise'}/{number}")
        connection.getresponse().read()
        connection.close()
    return test

for number in range(TESTS):
    globals()[f"test_{number:05}"] = make(number)
"""
)

# Each error of a report, under the heading of its test.
_ERROR = r"liveserver\.AppError: GET /\w+/(\d+) "
_UNITTEST = re.compile(rf"(?m)^ERROR: test_(\d+) |^{_ERROR}")
_PYTEST = re.compile(rf"(?m)^_+ (?:Tests\.)?test_(\d+) _+$|^(?:E +)?{_ERROR}")


def run(runner: str, loop: str, tests: int, tb: str = "auto") -> list[str]:
    """Run a suite; return what was wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = (
            (FUNCTIONS if runner == "functions" else SUITE)
            .replace("TESTS)", f"{tests})")
            .replace("LOOP", repr(loop))
        )
        (folder / "test_raising.py").write_text(suite, "utf-8")
        options = ["unittest", "test_raising"]
        if runner != "unittest":
            options = ["pytest", "-q", "-p", "no:cacheprovider", "--log-level=DEBUG", f"--tb={tb}"]
        # Files, as a report of thousands of errors is long.
        with (folder / "report").open("w+", encoding="utf-8") as report:
            status = subprocess.run(
                [sys.executable, "-X", "faulthandler", "-m", *options],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "80"},
                stdout=report,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            report.seek(0)
            text = report.read()
    return _wrong(runner, status, text, tests)


def _wrong(runner: str, status: int, text: str, tests: int) -> list[str]:
    wrong = [] if status == 1 else [f"it ended with {status}: {text[-2000:]}"]
    summary = f"FAILED (errors={tests})" if runner == "unittest" else f"{tests} failed"
    if summary not in text[-200:]:
        wrong.append(f"no {summary!r} at the end: {text[-200:]!r}")
    seen: Counter[tuple[int, int]] = Counter()
    current = -1
    for found in (_UNITTEST if runner == "unittest" else _PYTEST).finditer(text):
        if found[1] is not None:
            current = int(found[1])
        else:
            seen[current, int(found[2])] += 1
    wanted = Counter((number, number) for number in range(tests))
    wrong += [f"missing: {pair}" for pair in sorted(wanted - seen)]
    wrong += [f"too much: {pair}" for pair in sorted(seen - wanted)]
    for bad in ("SystemError", "Fatal Python error", "INTERNALERROR"):
        if bad in text:
            wrong.append(f"{bad} in the report")
    return wrong


def main() -> int:
    """Run the suites; 1 if anything was missing or in the wrong test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=3000, help="how many under pytest")
    parser.add_argument("--unittest-tests", type=int, default=1000, help="how many under unittest")
    runners = ["pytest", "functions", "unittest"]
    parser.add_argument("--runner", choices=runners, help="only this one")
    parser.add_argument("--tb", default="auto", help="pytest's --tb; native is five times as fast")
    arguments = parser.parse_args()
    runs = [("pytest", "asyncio", arguments.tests)]
    runs += [("functions", loop, arguments.tests) for loop in loops()]
    runs += [("unittest", loop, arguments.unittest_tests) for loop in loops()]
    status = 0
    for runner, loop, tests in runs:
        if arguments.runner in (None, runner):
            what = f"{runner} on {loop}, {tests} tests"
            status |= is_wrong(what, partial(run, runner, loop, tests, arguments.tb))
    return status


if __name__ == "__main__":
    sys.exit(main())
