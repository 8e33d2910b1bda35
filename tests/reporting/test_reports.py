"""What a user reads when a test fails: the reports of `examples/failing` against stored ones.

`python -m tests.reporting.test_reports --write` stores them anew, with the Python that runs it;
look at the difference. Of a report is kept what the app, its tests and liveserver say: which test
failed, the lines in `examples/failing`, the functions of liveserver, the exceptions and the notes.
What libraries have between them is left out, as it differs from version to version.
"""

import os
import re
import subprocess
import sys
import unittest
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent
STORED = Path(__file__).parent / "reports"
MODULE = "examples.failing.failures"
FUNCTIONS = "examples.failing.functions"

# What the environment may say to change a report.
_SILENCED = ("FORCE_COLOR", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "PYTHONDEVMODE")

# The tree that traceback draws before the lines of an exception group.
_BRANCH = re.compile(r"^ *\+[-+]* ?")
_TREE = re.compile(r"^ *[|+] ?")
_FRAME = re.compile(r'^  File "(?P<path>.+)", line (?P<line>\d+), in (?P<function>\S+)$')
_LOCATION = re.compile(r"^(?P<path>\S+\.py):(?P<line>\d+): (?P<rest>.*)$")
_TITLE = re.compile(r"^([=_])\1+ (?P<title>.+) \1\1+$")
_WARNING = re.compile(r"ResourceWarning: .*")
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_MASKS = (
    (re.compile(r"\b\d+\.\d+ ?m?s\b"), "<time>"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "<port>"),
    (re.compile(r"(?<=port=)\d+"), "<port>"),
    (re.compile(r"\b0x[0-9a-f]+"), "<address>"),
    (re.compile(r'File ".*?(examples/failing/\w+\.py)"'), r'File "\1"'),
)


def unittest_report() -> str:
    """Run the failing tests with unittest and return what is kept of the report."""
    return _run(_of_unittest, "-m", "unittest", MODULE)


def pytest_report(module: str = MODULE) -> str:
    """Run the failing tests with pytest and return what is kept of the report."""
    options = ("-p", "liveserver.pytest_plugin", "-p", "no:cacheprovider")
    return _run(_of_pytest, "-m", "pytest", *options, module.replace(".", "/") + ".py")


def pytest_functions_report() -> str:
    """Do the same with those that are pytest functions."""
    return pytest_report(FUNCTIONS)


REPORTS = {
    "unittest.txt": unittest_report,
    "pytest.txt": pytest_report,
    "pytest_functions.txt": pytest_functions_report,
}


def _run(keep: Callable[[list[str]], Iterator[str]], *command: str) -> str:
    env = {name: value for name, value in os.environ.items() if name not in _SILENCED}
    process = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**env, "NO_COLOR": "1", "PYTHONUTF8": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=15,
    )
    text = "\n".join(keep(process.stdout.splitlines())).strip() + "\n"
    if process.returncode != 1 or "examples/failing" not in text:  # 1: tests have failed
        raise AssertionError(f"It ended with {process.returncode}:\n{process.stdout}")
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


class _Report:
    """Takes the lines of one report and keeps those that do not depend on libraries.

    Of exceptions that led to another one only those are kept that passed through the app or its
    test; the last is always kept. What libraries make of each other's is theirs.
    """

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._exception: list[str] = []
        self._concerns_us = False
        self._take_source = self._in_frame = self._native = False
        self._arrow = ""  # pytest's line with the arrow: whose it is, is said below it
        self._raised: list[str] = []  # what pytest has between the two

    def end(self) -> list[str]:
        """Return what was kept."""
        self._end_exception("")
        return self._kept

    def _end_exception(self, chained: str) -> None:
        if self._concerns_us or not chained:
            self._kept += [*self._exception, *self._raised, *([chained] if chained else [])]
        self._exception, self._raised, self._concerns_us = [], [], False

    def _place(self, path: str, line: str) -> str:
        """Say where a frame of this project is; an empty string for others."""
        found = re.search(r"(examples/failing|liveserver)/\w+\.py$", path.replace("\\", "/"))
        if not found:
            return ""
        if found[1] == "liveserver":
            return found[0]
        self._concerns_us = True
        return f"{found[0]}:{line}"

    def add_of_python(self, raw: str) -> None:
        """Take a line of a traceback in Python's own format."""
        line = _TREE.sub("", _BRANCH.sub("", raw))
        frame = _FRAME.match(line)
        if frame:
            place = self._place(frame["path"], frame["line"])
            self._in_frame, self._take_source = True, bool(place)
            if place:
                self._exception.append(f"  {place} in {frame['function']}")
        elif self._in_frame and line.startswith("    "):
            # Below the source are carets, other ones in each version of Python.
            if self._take_source:
                self._exception.append(line)
            self._take_source = False
        elif line in _CHAINED:
            self._end_exception(line)
        elif line.startswith("Ran "):
            self._exception += ["", line]  # the summary of unittest
        elif line.strip(" -0123456789") and "Traceback (most recent call last)" not in line:
            self._in_frame = False
            self._exception.append(line)
        elif _BRANCH.match(raw) and line.strip():
            self._end_exception("")  # of one exception in a group

    def add_of_pytest(self, line: str) -> None:
        """Take a line of a traceback in pytest's format; groups it shows in Python's."""
        if not line.startswith("E "):  # the app's own, in a note
            self._native = self._native or "Traceback (most recent call last)" in line
        location = _LOCATION.match(line)
        if self._native:
            self.add_of_python(line)
        elif location:
            place = self._place(location["path"], location["line"])
            if place and self._arrow:
                self._exception.append(self._arrow)
            self._exception += self._raised
            if place:
                self._exception.append(f"{place}: {location['rest']}".rstrip())
            self._arrow, self._raised = "", []
            self._take_source = bool(place) and location["rest"].startswith("in ")
        elif line.startswith("> "):
            self._arrow = line
        elif line.startswith("E "):
            self._raised.append(line)
        elif self._take_source:
            self._exception.append(line)
            self._take_source = False
        elif line in _CHAINED:
            self._end_exception(line)


def _of_unittest(lines: list[str]) -> Iterator[str]:
    report = _Report()
    in_progress = True
    for line in lines:
        warning = _WARNING.search(line)
        if line.startswith("====="):
            in_progress = False
            yield from [*report.end(), ""]
            report = _Report()
        elif line == "-" * 70 and not in_progress:
            yield from report.end()
            report = _Report()
        elif not in_progress:
            report.add_of_python(line)
        elif warning or line.startswith("  GET "):
            yield warning[0] if warning else line
    yield from report.end()


def _of_pytest(lines: list[str]) -> Iterator[str]:
    report = _Report()
    section = ""
    in_log = False
    for line in lines:
        title = _TITLE.match(line)
        if title:
            section = title["title"] if line.startswith("=") else section
            in_log = False
            yield from report.end()
            report = _Report()
            if section != "test session starts":
                yield from ["", title["title"]]
        elif section == "short test summary info":
            yield line.partition(" - ")[0]  # the rest is cut to fit the terminal
        elif re.match(r"-+ Captured ", line):
            in_log = True  # uvicorn's, with the app's traceback
        elif section in ("ERRORS", "FAILURES") and not in_log:
            report.add_of_pytest(line)


@unittest.skipUnless(find_spec("fastapi"), "fastapi is not installed")
@unittest.skipUnless(
    find_spec("websockets") or find_spec("wsproto"), "no WebSocket library is installed"
)
class ReportTests(StrictTestCase):
    """The reports say what went wrong, and at which line of the app."""

    maxDiff = None

    def check(self, name: str) -> None:
        self.assertEqual(REPORTS[name](), (STORED / name).read_text("utf-8"))

    def test_unittest(self) -> None:
        self.check("unittest.txt")

    @unittest.skipUnless(find_spec("pytest"), "pytest is not installed")
    def test_pytest(self) -> None:
        self.check("pytest.txt")

    @unittest.skipUnless(find_spec("pytest"), "pytest is not installed")
    def test_pytest_functions(self) -> None:
        self.check("pytest_functions.txt")


def main() -> None:
    """Store the reports as they are now, if that is what was asked for."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.reporting.test_reports --write")
    STORED.mkdir(exist_ok=True)
    for name, report in REPORTS.items():
        (STORED / name).write_text(report(), "utf-8")


if __name__ == "__main__":
    main()
