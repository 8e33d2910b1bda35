"""Report what the tests did not reach: python -m tests.coverage_report FILE

FILE is that of `python -m tests.suite --coverage FILE`. Each line and branch must be reached.
Python 3.11 does not record a jump out of a `finally`, so it reports branches as missed that the
tests take: there the report is shown, and not judged.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

JUDGES = sys.version_info >= (3, 12)


def main() -> int:
    """Print the report; not 0 if something is not reached and this Python can tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the data to report on")
    file = parser.parse_args().file.absolute()

    def coverage(*arguments: str) -> int:
        env = {**os.environ, "COVERAGE_FILE": str(file)}
        command = [sys.executable, "-m", "coverage", *arguments]
        return subprocess.run(command, env=env, check=False).returncode

    status = coverage("combine", "--quiet")
    if status:
        return status
    if JUDGES:
        return coverage("report")
    status = coverage("report", "--fail-under=0")
    python = ".".join(map(str, sys.version_info[:2]))
    print(f"NOT JUDGED: Python {python} does not record every branch; 3.12 and later do.")
    return status


if __name__ == "__main__":
    sys.exit(main())
