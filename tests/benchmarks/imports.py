"""What does the import cost? `python -m tests.benchmarks.imports --help`

Each in a new interpreter, by turns: `import liveserver`, and `import uvicorn`, which it needs.
"""

import argparse
import os
import statistics
import subprocess
import sys

from tests.benchmarks._table import Answer, machine, versions

__all__ = ["measure"]

# Milliseconds that liveserver may take beside uvicorn.
MOST_MORE = 15.0

CODE = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1000)"
MODULES = ("uvicorn", "liveserver")


def import_once(module: str) -> float:
    """Import a module in a new interpreter; return the milliseconds."""
    # Without compiled files, compiling would be all that is measured.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", CODE.format(module)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env)
    return float(done.stdout)


def measure(rounds: int) -> Answer:
    """Import each module so many times."""
    times: dict[str, list[float]] = {module: [] for module in MODULES}
    for module in MODULES:
        import_once(module)  # which compiles it
    for number in range(rounds):
        for module in MODULES if number % 2 else MODULES[::-1]:
            times[module].append(import_once(module))
    medians = {module: statistics.median(values) for module, values in times.items()}
    more = medians["liveserver"] - medians["uvicorn"]
    word = "holds" if more <= MOST_MORE else "BROKEN"
    return Answer(
        "What does the import cost?",
        ("import", "ms"),
        [[module, f"{median:.1f}"] for module, median in medians.items()],
        [
            f"Median of {rounds} new interpreters each.",
            f"{word}: liveserver <= uvicorn + {MOST_MORE:g} ms (measured: {more:+.1f} ms)",
        ],
        {"median_ms": medians},
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.imports")
    parser.add_argument("--rounds", type=int, default=20, help="imports of each (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n\n{measure(options.rounds)}")


if __name__ == "__main__":
    main()
