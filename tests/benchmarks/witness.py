"""What it costs that each request is written down: `python -m tests.benchmarks.witness --help`

It is a part of `throughput`: a liveserver, and the same server without its witness.
"""

import argparse

from tests.benchmarks._table import machine, versions
from tests.benchmarks.throughput import BARE, OURS, measure, witness_answer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.witness")
    parser.add_argument("--rounds", type=int, default=20, help="alternating rounds (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n")
    print(witness_answer(measure([OURS, BARE], options.rounds, options.seconds)))


if __name__ == "__main__":
    main()
