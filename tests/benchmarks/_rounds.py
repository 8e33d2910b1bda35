"""Contenders that take turns, so that whatever else the machine does hits all of them alike.

The order is shuffled anew for each round, from a fixed seed. Numbers of two runs, or of two
machines, are not comparable; the ratios of one run are.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Runner", "alternate"]

SEED = 20


@dataclass
class Runner:
    """Something that is measured again and again.

    Attributes:
        name: What the table calls it.
        cycle: Runs through it once.
        every: It takes part in each round of this many.
        warm_ups: How often it runs before, unmeasured: imports, caches and worker threads are made.
        times: What was measured, in milliseconds.
    """

    name: str
    cycle: Callable[[], None]
    every: int = 1
    warm_ups: int = 5
    times: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Measure one cycle."""
        # Each pays for the garbage that it makes itself, and for nobody else's.
        gc.collect()
        began = time.perf_counter()
        self.cycle()
        self.times.append((time.perf_counter() - began) * 1000)

    @property
    def median(self) -> float:
        """The median of all cycles in milliseconds."""
        return statistics.median(self.times)

    @property
    def tenth(self) -> float:
        """What one cycle of ten exceeds, in milliseconds."""
        return statistics.quantiles(self.times, n=10)[-1] if len(self.times) > 1 else self.median


def alternate(runners: Sequence[Runner], rounds: int) -> None:
    """Run all in turn, each of them once in each round that it takes part in."""
    for runner in runners:
        for _ in range(runner.warm_ups):
            runner.cycle()
    # What lives until now is not garbage: without it, collecting takes 1 ms and not 30.
    gc.collect()
    gc.freeze()
    shuffle = random.Random(SEED).shuffle
    for number in range(rounds):
        due = [runner for runner in runners if number % runner.every == 0]
        shuffle(due)
        for runner in due:
            runner.run()
    gc.unfreeze()
