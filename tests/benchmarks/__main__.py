"""All measurements, in a few minutes: `python -m tests.benchmarks --help`

Prints a table for each question, and draws the chart of the first one. The contenders of a question
take turns in one run; ratios of one run can be compared with those of another, times cannot.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import growth, imports, suite, throughput, whole
from tests.benchmarks._chart import chart
from tests.benchmarks._common import loops
from tests.benchmarks._contenders import FLOOR, LIVESERVER
from tests.benchmarks._table import Answer, cores, installed, machine, versions
from tests.benchmarks.lifecycle import QUESTIONS, Lifecycles

CHART = Path(__file__).parent / "chart.svg"

SERVERS = 5000


def main() -> None:
    """Measure, print, and write the files."""
    options = read_options()
    began = time.perf_counter()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}\n{versions()}")
    answers = []
    for name in options.only:
        for answer in QUESTIONERS[name](options):
            answers.append(answer)
            print(f"\n\n{answer}", flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(as_figures(answers), indent=2) + "\n", "utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", default=CHART, help="the chart (%(default)s)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=QUESTIONERS,
        default=list(QUESTIONERS),
        metavar="QUESTION",
        help=f"measure only some: {', '.join(QUESTIONERS)}",
    )
    return parser.parse_args()


def lifecycle(options: argparse.Namespace) -> Iterator[Answer]:
    """What does a fresh server cost?"""
    lifecycles = Lifecycles(loops(), 150)
    lifecycles.measure()
    for loop in loops():
        yield from lifecycles.answers(loop)
    options.chart.write_text(draw(lifecycles), "utf-8")


def draw(lifecycles: Lifecycles) -> str:
    """Draw what a fresh server costs, on asyncio's loop, which everybody has."""
    medians = [lifecycles.medians("asyncio", asks) for asks in QUESTIONS]
    names = sorted(medians[0], key=lambda name: medians[0][name])
    title = "A fresh server for a test (logarithmic scale)"
    bars = {name: [each[name] for each in medians] for name in names if name != FLOOR.name}
    return chart(title, list(QUESTIONS.values()), bars, LIVESERVER.name)


def whole_tests(_: argparse.Namespace) -> Iterator[Answer]:
    """What does a whole test cost?"""
    yield whole.measure(loops(), 150)


def requests(_: argparse.Namespace) -> Iterator[Answer]:
    """How many requests per second, and what does the witness cost?"""
    found = throughput.measure(100, 0.05)
    yield throughput.answer(found)
    yield throughput.witness_answer(found)


def suites(_: argparse.Namespace) -> Sequence[Answer]:
    """What does a suite of 500 tests cost?"""
    return suite.measure(loops(), 3)


def piled_up(_: argparse.Namespace) -> Iterator[Answer]:
    """Does anything pile up, and what do many at once cost?"""
    for loop in loops():
        one = growth.in_new_process(growth.run, SERVERS, loop)
        yield growth.answer_one_after_another(loop, *one)
        found = growth.in_new_process(growth.at_once, growth.AT_ONCE, loop)
        yield growth.answer_at_once(loop, found)


def imported(_: argparse.Namespace) -> Iterator[Answer]:
    """What does the import cost?"""
    yield imports.measure(20)


QUESTIONERS: dict[str, Callable[[argparse.Namespace], Iterator[Answer] | Sequence[Answer]]] = {
    "lifecycle": lifecycle,
    "whole": whole_tests,
    "throughput": requests,
    "suite": suites,
    "growth": piled_up,
    "imports": imported,
}


def as_figures(answers: Sequence[Answer]) -> dict[str, object]:
    """Return all that was measured, and with what, as JSON can hold it."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "python": sys.version,
        "machine": machine(),
        "cores": cores(),
        "packages": installed(),
        "answers": [
            {"question": each.question, "notes": list(each.notes), "figures": each.figures}
            for each in answers
        ],
    }


if __name__ == "__main__":
    main()
