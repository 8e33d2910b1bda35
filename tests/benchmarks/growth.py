"""Does anything pile up? `python -m tests.benchmarks.growth --help`

Thousands of fresh servers, one after another in one process, as a large suite with a server for
each test would have them. Open descriptors, threads, memory and time must stay where they were
after the first few; ends with exit status 1 if one of them does not. And hundreds at once, to see
what one costs that runs.
"""

import argparse
import contextlib
import gc
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from liveserver import LiveServer
from tests.benchmarks._common import app, ask, parse_options
from tests.benchmarks._table import Answer, machine, versions

__all__ = ["answer_at_once", "answer_one_after_another", "at_once", "in_new_process", "run"]

T = TypeVar("T")

# Numbers are ordinals of servers: at 10 all that is made once is made, from 100 on memory too.
SETTLED = 10
WARM = 100
THOUSAND = 1000
TIMED = 300
MARKS = (SETTLED, WARM, THOUSAND, 5000)

AT_ONCE = (1, 10, 100, 300)

# MiB from number 100 to number 1000. uvloop keeps pools of handles that grow for some time.
MOST_GROWTH = {"asyncio": 2.0, "uvloop": 12.0}
# The median of the last servers' time by that of the early ones.
MOST_SLOWER = 1.5

MIB = 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """What the process holds after a number of servers, or with them.

    Attributes:
        number: How many servers.
        descriptors: How many are open; None where the system does not list them.
        threads: How many run.
        memory: What it occupies, in MiB.
        time: What one server took, in milliseconds: the median since the last reading.
    """

    number: int
    descriptors: int | None
    threads: int
    memory: float
    time: float = 0.0

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        descriptors = "unknown" if self.descriptors is None else str(self.descriptors)
        number, threads = str(self.number), str(self.threads)
        return (number, descriptors, threads, f"{self.memory:.1f}", f"{self.time:.2f}")


def in_new_process(function: Callable[..., T], *args: Any) -> T:
    """Call a function in a process that has done nothing else before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result(600)


# --- one after another --------------------------------------------------------------------------


def run(servers: int, loop: str) -> tuple[list[Reading], list[float]]:
    """Run fresh servers one after another.

    Returns:
        The readings, and each server's time in milliseconds.
    """
    marks = {*(mark for mark in MARKS if mark < servers), *range(THOUSAND, servers, THOUSAND)}
    marks.add(servers)
    readings: list[Reading] = []
    times: list[float] = []
    for number in range(1, servers + 1):
        began = time.perf_counter()
        one_server(loop)
        times.append((time.perf_counter() - began) * 1000)
        if number in marks:
            since = readings[-1].number if readings else 0
            readings.append(read(number, statistics.median(times[since:])))
    return readings, times


def one_server(loop: str) -> None:
    """Start a fresh server, ask it once, stop it."""
    server = LiveServer(app, uvicorn_config={"loop": loop})
    server.start()
    try:
        ask(server.port)
    finally:
        server.stop()


def medians(times: Sequence[float]) -> tuple[float, float]:
    """Return the median time of the early servers, and of the last ones, in milliseconds."""
    return statistics.median(times[WARM : WARM + TIMED]), statistics.median(times[-TIMED:])


def broken_bounds(readings: Sequence[Reading], slower: float, most_growth: float) -> list[str]:
    """Say which bounds do not hold."""
    at = {reading.number: reading for reading in readings}
    first, last = at[SETTLED], readings[-1]
    growth = at[THOUSAND].memory - at[WARM].memory
    broken = []
    if first.descriptors != last.descriptors:
        broken.append(f"BROKEN: descriptors, from {first.descriptors} to {last.descriptors}")
    if first.threads != last.threads:
        broken.append(f"BROKEN: threads, from {first.threads} to {last.threads}")
    if growth >= most_growth:
        broken.append(f"BROKEN: memory, {growth:.2f} MiB more; the bound is {most_growth:g} MiB")
    if slower > MOST_SLOWER:
        broken.append(f"BROKEN: time, {slower:.2f} times as long; the bound is {MOST_SLOWER:g}")
    return broken


def answer_one_after_another(
    loop: str, readings: Sequence[Reading], times: Sequence[float]
) -> Answer:
    """Answer what piles up, for at least a thousand servers."""
    early, late = medians(times)
    broken = broken_bounds(readings, late / early, MOST_GROWTH[loop])
    shown = [each for each in readings if each.number in (*MARKS, readings[-1].number)]
    return Answer(
        f"Does anything pile up, server after server, each asked once? {loop}",
        ("after", "descriptors", "threads", "memory MiB", "ms each"),
        [each.row() for each in shown],
        [
            f"Of numbers {WARM + 1}-{WARM + TIMED} one took {early:.2f} ms, of the last {TIMED} "
            f"{late:.2f} ms, ratio {late / early:.2f} (medians).",
            *(broken or ["All bounds hold."]),
        ],
        {"loop": loop, "readings": [asdict(each) for each in readings], "broken": broken},
    )


# --- at once ------------------------------------------------------------------------------------


def at_once(counts: Sequence[int], loop: str) -> list[Reading | str]:
    """Have several servers run at once; read while they do, or say why they cannot."""
    allow_descriptors()
    one_server(loop)
    found: list[Reading | str] = []
    for count in counts:
        try:
            found.append(_together(count, loop))
        except Exception as error:
            found.append(f"{count}: {type(error).__name__}: {error}")
    return found


def _together(count: int, loop: str) -> Reading:
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(LiveServer(app, uvicorn_config={"loop": loop}))
            for _ in range(count)
        ]
        took = time.perf_counter() - began
        for server in servers:
            ask(server.port)
        reading = read(count)
        began = time.perf_counter()
    took += time.perf_counter() - began
    return replace(reading, time=took * 1000 / count)


def allow_descriptors() -> None:
    """Let this process have as many as the system allows: 300 servers need 1,200."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on all systems
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def answer_at_once(loop: str, found: Sequence[Reading | str]) -> Answer:
    """Answer what servers cost that run at the same time."""
    readings = [each for each in found if isinstance(each, Reading)]
    notes = list(_slopes(readings)) + [each for each in found if isinstance(each, str)]
    return Answer(
        f"What do servers cost that run at once? {loop}",
        ("servers", "descriptors", "threads", "memory MiB", "start + stop, ms each"),
        [each.row() for each in readings],
        notes,
        {"loop": loop, "readings": [asdict(each) for each in readings]},
    )


def _slopes(readings: Sequence[Reading]) -> Iterator[str]:
    if len(readings) > 1:
        first, last = readings[0], readings[-1]
        more = last.number - first.number
        memory = (last.memory - first.memory) / more * 1024
        yield f"Each more takes {memory:.0f} KiB"
        if first.descriptors is not None and last.descriptors is not None:
            yield f"and {(last.descriptors - first.descriptors) / more:.1f} descriptors."


# --- what a process holds -----------------------------------------------------------------------


def read(number: int, took: float = 0.0) -> Reading:
    """Read what the process holds now."""
    # What is only waiting for the collector is not held.
    gc.collect()
    return Reading(number, open_descriptors(), threading.active_count(), resident() / MIB, took)


def open_descriptors() -> int | None:
    """Count this process's open descriptors, where the system lists them."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            return len(os.listdir(folder))
    return None


def resident() -> int:
    """Return the memory that this process occupies in bytes; outside of Linux the most so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> int:
    """Run the servers, print what was read on the way, return the exit status."""
    options = read_options()
    print(f"{machine()}\n{versions()}\n")
    after = answer_one_after_another(options.loop, *run(options.servers, options.loop))
    print(after, end="\n\n")
    # In a process of its own, as memory that was freed is not always given back.
    print(answer_at_once(options.loop, in_new_process(at_once, AT_ONCE, options.loop)))
    return 1 if after.figures["broken"] else 0


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth")
    parser.add_argument("--servers", type=int, default=THOUSAND, help="default and least: 1000")
    options = parse_options(parser)
    if options.servers < THOUSAND:
        parser.error(f"--servers: {THOUSAND} at least, memory is compared between {WARM} and there")
    return options


if __name__ == "__main__":
    sys.exit(main())
