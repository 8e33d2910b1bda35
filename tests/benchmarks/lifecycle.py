"""What does a server for one test cost? `python -m tests.benchmarks.lifecycle --help`"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial

from tests.benchmarks._common import parse_options
from tests.benchmarks._contenders import (
    CONTENDERS,
    DJANGO,
    FLOOR,
    HELPER,
    LIVESERVER,
    TESTCLIENT,
    Contender,
)
from tests.benchmarks._rounds import Runner, alternate
from tests.benchmarks._table import Answer, machine, missing_row, versions

__all__ = ["Lifecycles"]

# How often a slow contender runs.
SLOW_CYCLES = 12
# False: start and stop. True: start, one request, stop.
QUESTIONS = {False: "start + stop", True: "start + one request + stop"}

HEADER = ("contender", "cycles", "median ms", "p90 ms", "x floor")

# What this project says about itself: the question, the one, the factor, and the other.
CLAIMS: Sequence[tuple[bool, Contender, float, Contender]] = (
    (False, LIVESERVER, 1.45, FLOOR),
    (False, LIVESERVER, 1 / 100, HELPER),
    (False, LIVESERVER, 1 / 100, DJANGO),
    (True, LIVESERVER, 1, TESTCLIENT),
)


class Lifecycles:
    """All contenders with some kinds of event loops, measured in turn.

    One that has no event loop is measured once, and stands in the tables of each kind.
    """

    def __init__(self, loops: Sequence[str], cycles: int) -> None:
        self._loops = loops
        self._cycles = cycles
        self._runners: dict[tuple[str, str, bool], Runner] = {}
        self._missing: dict[tuple[str, str], str] = {}
        for loop in loops:
            for contender in CONTENDERS:
                self._prepare(contender, loop)

    def _prepare(self, contender: Contender, loop: str) -> None:
        first = self._loops[0]
        if not contender.own_loop and loop != first:
            for asks in QUESTIONS:
                if (contender.name, first, asks) in self._runners:
                    shared = self._runners[contender.name, first, asks]
                    self._runners[contender.name, loop, asks] = shared
            if (contender.name, first) in self._missing:
                self._missing[contender.name, loop] = self._missing[contender.name, first]
            return
        try:
            cycle = contender.make(loop)
        except ModuleNotFoundError as error:
            self._missing[contender.name, loop] = str(error)
            return
        every = max(1, self._cycles // SLOW_CYCLES) if contender.slow else 1
        for asks in QUESTIONS:
            self._runners[contender.name, loop, asks] = Runner(
                contender.name, partial(cycle, asks), every, 1 if contender.slow else 5
            )

    def measure(self) -> None:
        """Run them all in turn until each has its number of cycles."""
        # Each once, however many tables it stands in.
        alternate(list({id(each): each for each in self._runners.values()}.values()), self._cycles)

    def answers(self, loop: str) -> list[Answer]:
        """Return the answers to both questions."""
        return [self._answer(loop, asks) for asks in QUESTIONS]

    def medians(self, loop: str, asks: bool) -> dict[str, float]:
        """Return what each contender takes in milliseconds, by its name."""
        return {
            contender.name: self._runners[contender.name, loop, asks].median
            for contender in CONTENDERS
            if (contender.name, loop, asks) in self._runners
        }

    def _answer(self, loop: str, asks: bool) -> Answer:
        medians = self.medians(loop, asks)
        rows = [self._row(contender, loop, asks) for contender in CONTENDERS]
        return Answer(
            f"What does a fresh server cost? {QUESTIONS[asks].capitalize()}, {loop}",
            HEADER,
            rows,
            [claim(medians, *each) for each in CLAIMS if each[0] is asks],
            {"loop": loop, "request": asks, "median_ms": medians},
        )

    def _row(self, contender: Contender, loop: str, asks: bool) -> list[str]:
        if (contender.name, loop) in self._missing:
            return missing_row(contender.name, self._missing[contender.name, loop], len(HEADER))
        runner = self._runners[contender.name, loop, asks]
        floor = self._runners[FLOOR.name, loop, asks].median
        return [
            contender.name,
            str(len(runner.times)),
            f"{runner.median:.2f}",
            f"{runner.tenth:.2f}",
            f"{runner.median / floor:.2f}",
        ]


def claim(
    medians: Mapping[str, float], asks: bool, one: Contender, factor: float, other: Contender
) -> str:
    """Say whether `one` takes at most `factor` times as long as `other`."""
    said = f"{one.name} <= {factor:g} x {other.name}"
    if one.name not in medians or other.name not in medians:
        return f"not measured: {said}"
    ratio = medians[one.name] / medians[other.name]
    return f"{'holds' if ratio <= factor else 'BROKEN'}: {said} (measured: {ratio:.2g})"


def main() -> None:
    """Measure, and print what was measured."""
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
    lifecycles = Lifecycles([options.loop], options.cycles)
    print(f"{machine()}\n{versions()}\n")
    lifecycles.measure()
    print(*lifecycles.answers(options.loop), sep="\n\n")


if __name__ == "__main__":
    main()
