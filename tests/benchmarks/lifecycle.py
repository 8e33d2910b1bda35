"""What does a server for one test cost? `python -m tests.benchmarks.lifecycle --help`

All contenders take turns in one process and one run, in an order that is shuffled anew for each
round (from a fixed seed), so that whatever else the machine does hits all of them alike. Numbers
of two runs, or of two machines, are not comparable; the ratios of one run are.
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks._common import parse_options, versions
from tests.benchmarks._contenders import (
    CONTENDERS,
    DJANGO,
    FLOOR,
    HELPER,
    LIVESERVER,
    TESTCLIENT,
    Contender,
    Cycle,
)
from tests.benchmarks._table import machine, table

SEED = 20
# A slow contender runs in each tenth round only, and at least this often.
SLOW_EVERY = 10
SLOW_LEAST = 15
# False: start and stop. True: start, one request, stop.
QUESTIONS = {False: "start + stop", True: "start + one request + stop"}


@dataclass
class Runner:
    """A contender that is ready to run, and its times in milliseconds by question."""

    contender: Contender
    cycle: Cycle
    times: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})

    def run(self, asks: bool) -> None:
        """Measure one cycle."""
        # Each pays for the garbage that it makes itself, and for nobody else's.
        gc.collect()
        began = time.perf_counter()
        self.cycle(asks)
        self.times[asks].append((time.perf_counter() - began) * 1000)

    def warm_up(self) -> None:
        """Run without measuring: imports, caches and worker threads are made now."""
        for _ in range(1 if self.contender.slow else 5):
            for asks in QUESTIONS:
                self.cycle(asks)

    def median(self, asks: bool) -> float:
        """Return the median of all cycles in milliseconds."""
        return statistics.median(self.times[asks])


def main() -> None:
    """Measure, and print what was measured."""
    options = read_options()
    runners, missing = make_runners(options.loop)
    print(f"{machine()}, event loop: {options.loop}")
    print(versions({"uvloop"}.union(*(runner.contender.packages for runner in runners))))
    for name, reason in missing.items():
        print(f"Left out: {name} ({reason})")
    measure(runners, options.cycles)
    for asks, title in QUESTIONS.items():
        print(f"\n{title}\n")
        print(table(HEADER, rows(runners, asks)))
    print("\nClaims\n")
    for line in claims({runner.contender: runner for runner in runners}):
        print(line)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lifecycle")
    parser.add_argument(
        "--cycles",
        type=int,
        default=200,
        help="of each fast contender, for each question (default: 200; under 100 is only a try)",
    )
    options = parse_options(parser)
    if options.cycles < 10:
        parser.error("--cycles: ten at least, or there is no tenth to tell")
    return options


def make_runners(loop: str) -> tuple[list[Runner], dict[str, str]]:
    """Prepare all contenders; those whose package is missing come back by name, with the reason."""
    runners: list[Runner] = []
    missing: dict[str, str] = {}
    for contender in CONTENDERS:
        try:
            runners.append(Runner(contender, contender.make(loop)))
        except ModuleNotFoundError as exc:
            missing[contender.name] = str(exc)
    return runners, missing


def measure(runners: Sequence[Runner], cycles: int) -> None:
    """Run all contenders and both questions in turn until each has its number of cycles."""
    for runner in runners:
        runner.warm_up()
    # What lives until now is not garbage: without it, collecting takes 1 ms and not 30.
    gc.collect()
    gc.freeze()
    slow_every = max(1, min(SLOW_EVERY, cycles // SLOW_LEAST))
    shuffle = random.Random(SEED).shuffle
    for number in range(cycles):
        slow_too = number % slow_every == 0
        due = [(r, asks) for r in runners for asks in QUESTIONS if slow_too or not r.contender.slow]
        shuffle(due)
        for runner, asks in due:
            runner.run(asks)


HEADER = ("contender", "cycles", "median ms", "p90 ms", "x floor")


def rows(runners: Sequence[Runner], asks: bool) -> list[tuple[str, ...]]:
    """Turn one question's times into the table's rows; the floor is the first of `runners`."""
    floor = runners[0].median(asks)
    return [
        (
            runner.contender.name,
            str(len(runner.times[asks])),
            f"{runner.median(asks):.2f}",
            f"{statistics.quantiles(runner.times[asks], n=10)[-1]:.2f}",
            f"{runner.median(asks) / floor:.1f}",
        )
        for runner in runners
    ]


def claims(by_contender: dict[Contender, Runner]) -> list[str]:
    """Check what this project says about itself against what was measured."""
    return [
        at_most(by_contender, False, LIVESERVER, 1.6, FLOOR),
        at_most(by_contender, False, LIVESERVER, 1 / 100, HELPER),
        at_most(by_contender, False, LIVESERVER, 1 / 100, DJANGO),
        at_most(by_contender, True, LIVESERVER, 1, TESTCLIENT),
    ]


def at_most(
    by_contender: dict[Contender, Runner],
    asks: bool,
    one: Contender,
    factor: float,
    other: Contender,
) -> str:
    """Say whether `one` takes at most `factor` times as long as `other`."""
    said = f"{QUESTIONS[asks]}: {one.name} <= {factor:g} x {other.name}"
    if one not in by_contender or other not in by_contender:
        return f"  not measured  {said}"
    ratio = by_contender[one].median(asks) / by_contender[other].median(asks)
    return f"  {'holds ' if ratio <= factor else 'BROKEN'}  {said} (measured: {ratio:.2g})"


if __name__ == "__main__":
    main()
