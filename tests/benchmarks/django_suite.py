"""What does a Django suite cost? `python -m tests.benchmarks.django_suite --help`

200 tests in 20 classes, with Django's class and with that of `liveserver.django` in turn, each in
Django's own test runner, with a database in memory.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks._table import Answer, machine, versions

__all__ = ["measure"]

ROOT = Path(__file__).parent.parent.parent
PROJECT = "tests.helpers.django_project"

CLASSES, TESTS = 20, 10

# Of the time with Django's class, that ours may take.
MOST = 0.5

CODE = f"""
import os, sys
import requests
from django.contrib.staticfiles.testing import StaticLiveServerTestCase as Djangos
from liveserver.django import StaticLiveServerTestCase as Ours

base = Ours if os.environ["CONTENDER"] == "liveserver" else Djangos

def test(self):
    self.assertEqual(requests.get(self.live_server_url + "/sync").text, "0")

for number in range({CLASSES}):
    members = {{f"test_{{each}}": test for each in range({TESTS})}}
    globals()[f"Tests{{number}}"] = type(f"Tests{{number}}", (base,), members)
"""


def run_once(contender: str, folder: Path) -> float:
    """Run the suite; return the seconds that its runner says."""
    (folder / "timed_tests.py").write_text(CODE, "utf-8")
    env = {**os.environ, "CONTENDER": contender, "NO_PROXY": "localhost"}
    env["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, "-m", f"{PROJECT}.manage", "test", "timed_tests", "-v", "0"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    words = done.stderr.partition(f"Ran {CLASSES * TESTS} tests in ")[2].split()
    if done.returncode or not words:
        raise RuntimeError(done.stderr)
    return float(words[0].rstrip("s"))


def measure(rounds: int) -> Answer:
    """Run it so many times with each class."""
    times: dict[str, list[float]] = {"Django": [], "liveserver": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for contender, values in times.items():
                values.append(run_once(contender, Path(folder)))
    medians = {contender: statistics.median(values) for contender, values in times.items()}
    ratio = medians["liveserver"] / medians["Django"]
    word = "holds" if ratio <= MOST else "BROKEN"
    return Answer(
        f"What do {CLASSES * TESTS} tests in {CLASSES} classes of Django cost?",
        ("LiveServerTestCase of", "seconds"),
        [[contender, f"{median:.2f}"] for contender, median in medians.items()],
        [
            f"Median of {rounds} runs each.",
            f"{word}: liveserver <= {MOST} x Django (measured: {ratio:.2f} x)",
        ],
        {"median_s": medians},
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.django_suite")
    parser.add_argument("--rounds", type=int, default=3, help="runs with each (%(default)s)")
    options = parser.parse_args()
    began = time.perf_counter()
    print(f"{machine()}\n{versions()}\n\n{measure(options.rounds)}")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
