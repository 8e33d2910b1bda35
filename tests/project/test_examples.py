"""Each example says what it shows and how to run it, and stands in the index."""

import ast
import importlib.util
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from examples.summary import report_of_failing_test, timed
from liveserver import LiveServer
from tests.helpers.observed import HAS_PYTEST
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
# Files that are examples themselves, and not a part of the app of one.
NAMES = ("test_*.py", "tests.py", "failures.py", "conftest.py", "demo_server.py")

ROW = re.compile(r"^\| .+ \| \[(?P<name>\S+)\]\((?P<link>\S+)\) \| `(?P<command>[^`]+)` \|$", re.M)


def commands() -> dict[str, str]:
    """The command that each example names in its second line, by the example's path."""
    found = {}
    for pattern in NAMES:
        for path in EXAMPLES.rglob(pattern):
            lines = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()
            assert len(lines) == 2, f"{path} does not open with two lines"
            assert lines[1].startswith("Run it: "), f"{path} does not say how to run it"
            found[path.relative_to(EXAMPLES).as_posix()] = lines[1].removeprefix("Run it: ")
    return found


class ExamplesTests(StrictTestCase):
    def test_the_index_has_each_example_and_its_command(self) -> None:
        rows = list(ROW.finditer((EXAMPLES / "README.md").read_text("utf-8")))
        self.assertEqual({row["link"]: row["command"] for row in rows}, commands())
        self.assertEqual([row["name"] for row in rows], [row["link"] for row in rows])

    def test_each_command_runs_that_example(self) -> None:
        for example, command in commands().items():
            with self.subTest(example=example):
                python, *options, target = re.sub(r" test \w+$", "", command).split()
                self.assertEqual(python, "python")
                if options == ["-m", "pytest"] or target.endswith("manage.py"):
                    folder = (ROOT / target).parent if target.endswith(".py") else ROOT / target
                    self.assertTrue((ROOT / target).exists())
                    self.assertTrue((EXAMPLES / example).is_relative_to(folder))
                else:
                    self.assertIn(options, (["-m"], ["-m", "unittest"]))
                    self.assertEqual(f"{target.replace('.', '/')}.py", f"examples/{example}")

    @unittest.skipUnless(HAS_PYTEST, "pytest is not installed")
    @unittest.skipIf(importlib.util.find_spec("pytest_asyncio"), "pytest-asyncio is installed")
    def test_pytest_says_which_plugin_the_fixtures_need(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "examples/pytest_fixtures"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
        self.assertEqual(done.stdout.strip(), "")
        self.assertEqual(done.stderr.strip(), "ERROR: Missing required plugins: pytest-asyncio")


class SummaryTests(StrictTestCase):
    """What `python -m examples.summary` says at its end."""

    seconds = 60

    def test_it_counts_servers_that_start_and_stop(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise NotImplementedError

        starts: list[float] = []
        stops: list[float] = []
        start = timed(LiveServer.start, starts)
        stop = timed(LiveServer.stop, stops)
        server = LiveServer(app)
        for act in (stop, start, stop, stop):
            act(server)
        self.assertEqual((len(starts), len(stops)), (1, 1))
        self.assertGreater(starts[0], 0)

    @unittest.skipUnless(importlib.util.find_spec("fastapi"), "fastapi is not installed")
    def test_it_shows_the_report_of_a_test_that_fails_on_purpose(self) -> None:
        lines = report_of_failing_test().splitlines()
        self.assertLess(len(lines), 13)
        self.assertRegex(lines[0], "^FAIL: test_sync_handler_raises ")
        self.assertIn("AssertionError: 500 != 200", lines)
        self.assertRegex("\n".join(lines), "\n  GET /orders/3 → 500 in .*, raised KeyError: 3, at ")
