"""Run the test modules, as many at a time as there are processors: python -m tests.suite

Most tests wait more than they work. Each module has a process of its own, with the -W and -X dev of
this one, and is shown if it fails. At the end stands why tests were skipped.
With --coverage FILE it is measured what those modules reach that add something to it; with
COVERAGE_FILE=FILE, `coverage combine` and `coverage report` then say what.
"""

import argparse
import ast
import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

# The longest ones, which begin first. Here and below, a module in a folder goes by its last name.
LONG = [
    "test_docs",
    "test_command_line",
    "test_faults",
    "test_robustness",
    "test_pause",
    "test_session_servers",
    "test_debugger",
    "test_races",
    "test_runners",
    "test_app_errors",
]

# They try in more ways what other tests reach too, or look at the text of the package, or fork
# beside many threads, of which one may hold a lock of coverage.py that its child waits for.
NOT_MEASURED = {
    "test_coverage_py",
    "test_docs",
    "test_docstrings",
    "test_faults",
    "test_forks",
    "test_layering",
    "test_records",
    "test_reference",
    "test_reports",
    "test_runners",
    "test_states",
}

# Of unittest's summary.
TESTS, SKIPPED = r"Ran (\d+) tests? in [\d.]+s", r"skipped=(\d+)\)$"

# The end of a skipped test's line: the repr() of the reason.
REASON = r"""\bskipped ('.*'|".*")$"""


class Ran(NamedTuple):
    """What came of a module."""

    name: str
    status: int
    seconds: float
    output: str

    @property
    def failed(self) -> bool:
        """Whether a test did, or it did not come to its end.

        That all were skipped, which unittest says by 5, is no failure.
        """
        return self.status not in (0, 5) or self.count(TESTS) is None

    def count(self, pattern: str) -> int | None:
        """A number of unittest's summary; None if it is not there."""
        # Another thread may have written something at the beginning of its line.
        found = re.findall(pattern, self.output, re.MULTILINE)
        return int(found[-1]) if found else None

    def skipped(self) -> Counter[str]:
        """How many tests were skipped, by reason."""
        reasons = re.findall(REASON, self.output, re.MULTILINE)
        return Counter(ast.literal_eval(each) for each in reasons)


def last(name: str) -> str:
    """The last name of a module: test_one of tests.folder.test_one."""
    return name.rpartition(".")[2]


def modules() -> list[str]:
    """All test modules, in the order in which they should begin."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return sorted(names, key=lambda name: (*LONG, last(name)).index(last(name)))


def chosen(wanted: list[str]) -> list[str]:
    """The modules of these names, full or last; all if there are none."""
    every = modules()
    for name in wanted:
        if not any(name in (each, last(each)) for each in every):
            raise SystemExit(f"There is no test module {name!r}.")
    return [each for each in every if not wanted or each in wanted or last(each) in wanted]


def run(name: str, flags: list[str], data: Path | None) -> Ran:
    """Run a module in a process, which is measured if there is a file for that."""
    env = dict(os.environ)
    if data is not None:
        env["COVERAGE_FILE"] = str(data.absolute())
        flags = [*flags, "-m", "coverage", "run"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *flags, "-m", "unittest", "-v", name],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        timeout=600,
        check=False,
    )
    return Ran(name, done.returncode, time.perf_counter() - started, done.stdout)


def main() -> int:
    """Run them, print a line for each, and the report of those that fail; 1 if one did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", type=Path, metavar="FILE", help="measure them")
    parser.add_argument("modules", nargs="*", help="test_one test_two, by default all")
    arguments = parser.parse_args()
    if arguments.coverage:
        arguments.coverage.parent.mkdir(parents=True, exist_ok=True)
        for old in arguments.coverage.parent.glob(f"{arguments.coverage.name}*"):
            old.unlink()
    flags = ["-X", "dev"] if sys.flags.dev_mode else []
    flags += [f"-W{each}" for each in sys.warnoptions]

    def run_one(name: str) -> Ran:
        return run(name, flags, None if last(name) in NOT_MEASURED else arguments.coverage)

    started = time.perf_counter()
    ran: list[Ran] = []
    with ThreadPoolExecutor(1 + (os.cpu_count() or 1)) as pool:
        for done in pool.map(run_one, chosen(arguments.modules)):
            ran.append(done)
            verdict = "FAILED" if done.failed else "ok"
            print(f"{verdict:7} {done.seconds:6.1f} s  {done.name}", flush=True)
            if done.failed:
                print(done.output, flush=True)
    failed = [each.name for each in ran if each.failed]
    tests = sum(each.count(TESTS) or 0 for each in ran)
    skipped = sum(each.count(SKIPPED) or 0 for each in ran)
    seconds = time.perf_counter() - started
    reasons = sum((each.skipped() for each in ran), Counter[str]())
    if reasons:
        print("\nSkipped:")
        for reason, number in reasons.most_common():
            print(f"{number:5}  {reason}")
    print(f"\nRan {tests} tests in {seconds:.0f} s, {skipped} of them skipped.")
    print(f"FAILED: {' '.join(failed)}" if failed else "OK")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
