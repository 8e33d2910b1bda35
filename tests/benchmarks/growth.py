"""Does anything pile up? `python -m tests.benchmarks.growth --help`

Thousands of fresh servers, one after another in one process, as a large suite with a server for
each test would have them. Open descriptors, threads, memory and time must stay where they were
after the first few. Ends with exit status 1 if one of them does not.
"""

import argparse
import gc
import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from liveserver import LiveServer
from tests.benchmarks._common import app, ask, parse_options, versions
from tests.benchmarks._table import machine, table

# Numbers are ordinals of servers: at 10 all that is made once is made, from 100 on memory too.
SETTLED = 10
WARM = 100
THOUSAND = 1000
TIMED = 300

# MiB from number 100 to number 1000. uvloop keeps pools of handles that grow for some time.
MOST_GROWTH = {"asyncio": 2.0, "uvloop": 12.0}
# The median of the last servers' time by that of the early ones.
MOST_SLOWER = 1.5

MIB = 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """What the process holds after a number of servers."""

    number: int
    descriptors: int | None
    threads: int
    memory: float

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        descriptors = "unknown" if self.descriptors is None else str(self.descriptors)
        return (str(self.number), descriptors, str(self.threads), f"{self.memory:.2f}")


def main() -> int:
    """Run the servers, print what was read on the way, return the exit status."""
    options = read_options()
    print(f"{machine()}, event loop: {options.loop}")
    print(versions(("liveserver", "uvicorn", "uvloop", "httptools", "h11")), end="\n\n")
    readings, times = run(options.servers, options.loop)
    print(table(("after", "descriptors", "threads", "memory MiB"), [r.row() for r in readings]))
    early, late = medians(times)
    print(
        f"\nstart + one request + stop, median of numbers {WARM + 1}-{WARM + TIMED}: {early:.2f} ms"
    )
    print(f"of the last {TIMED}: {late:.2f} ms, ratio {late / early:.2f}\n")
    broken = broken_bounds(readings, late / early, MOST_GROWTH[options.loop])
    print("\n".join(broken) or "All bounds hold.")
    return 1 if broken else 0


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth")
    parser.add_argument("--servers", type=int, default=THOUSAND, help="default and least: 1000")
    options = parse_options(parser)
    if options.servers < THOUSAND:
        parser.error(f"--servers: {THOUSAND} at least, memory is compared between {WARM} and there")
    return options


def run(servers: int, loop: str) -> tuple[list[Reading], list[float]]:
    """Run fresh servers one after another.

    Returns:
        The readings, and each server's time in milliseconds.
    """
    marks = {SETTLED, WARM, servers, *range(THOUSAND, servers, THOUSAND)}
    readings: list[Reading] = []
    times: list[float] = []
    for number in range(1, servers + 1):
        began = time.perf_counter()
        one_server(loop)
        times.append((time.perf_counter() - began) * 1000)
        if number in marks:
            readings.append(read(number))
    return readings, times


def one_server(loop: str) -> None:
    """Start a fresh server, ask it once, stop it."""
    server = LiveServer(app, uvicorn_config={"loop": loop})
    server.start()
    try:
        ask(server.port)
    finally:
        server.stop()


def read(number: int) -> Reading:
    """Read what the process holds now."""
    # What is only waiting for the collector is not held.
    gc.collect()
    return Reading(number, open_descriptors(), threading.active_count(), resident() / MIB)


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


if __name__ == "__main__":
    sys.exit(main())
