"""What does the import cost? `python -m tests.benchmarks.imports --help`

Each in a new interpreter, by turns: `import liveserver`, which a server by hand needs, and uvicorn
alone; then the test cases, and uvicorn with unittest, which every test run imports.
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

CODE = "import time; t = time.perf_counter(); {}; print((time.perf_counter() - t) * 1000)"
UVICORN, OURS = "import uvicorn", "import liveserver"
IMPORTS = (
    UVICORN,
    OURS,
    "import uvicorn, unittest",
    "from liveserver import LiveServerTestCase",
)


def import_once(statement: str) -> float:
    """Run an import in a new interpreter; return the milliseconds."""
    # Without compiled files, compiling would be all that is measured.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", CODE.format(statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env)
    return float(done.stdout)


def measure(rounds: int) -> Answer:
    """Run each import so many times."""
    times: dict[str, list[float]] = {statement: [] for statement in IMPORTS}
    for statement in IMPORTS:
        import_once(statement)  # which compiles it
    for number in range(rounds):
        for statement in IMPORTS if number % 2 else IMPORTS[::-1]:
            times[statement].append(import_once(statement))
    medians = {statement: statistics.median(values) for statement, values in times.items()}
    more = medians[OURS] - medians[UVICORN]
    word = "holds" if more <= MOST_MORE else "BROKEN"
    return Answer(
        "What does the import cost?",
        ("", "ms"),
        [[statement, f"{median:.1f}"] for statement, median in medians.items()],
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
