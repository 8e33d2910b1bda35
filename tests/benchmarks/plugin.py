"""What does the pytest plugin cost? `python -m tests.benchmarks.plugin --help`

Runs of pytest in new interpreters, by turns, with the plugin and with an empty one in its place, as
the option `-p` costs something by itself: one of a single test that uses no server, and one of many
that do not ask the session's server, on each loop. What is compiled is kept for the next run, as it
is by default: pytest itself compiles plugins, for its rewriting of assertions, and with
PYTHONDONTWRITEBYTECODE it may have to do that in each run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks._common import loops
from tests.benchmarks._table import Answer, machine, versions

__all__ = ["measure"]

TESTS = 2000

EMPTY = "def test_it(): pass\n"
WITH_SERVER = """
import pytest
from liveserver import LiveServer

async def app(scope, receive, send):
    pass

@pytest.fixture(scope="session", autouse=True)
def server():
    with LiveServer(app, uvicorn_config={"lifespan": "off", "loop": "LOOP"}) as server:
        yield server

@pytest.mark.parametrize("number", range(TESTS))
def test_it(number):
    pass
"""
# By name: the test file, its number of tests, and the milliseconds that each may take longer.
RUNS = {"one test, no server": (EMPTY, 1, 5.0)}
for _loop in loops():
    _code = WITH_SERVER.replace("LOOP", _loop).replace("TESTS", str(TESTS))
    RUNS[f"{TESTS:,} tests, a server on {_loop}"] = _code, TESTS, 0.1
# Variables that change what a run does.
_LEFT_OUT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONDONTWRITEBYTECODE")
PLUGINS = {"empty": ("-p", "empty_plugin"), "ours": ("-p", "liveserver.pytest_plugin")}


def run_once(folder: str, plugin: tuple[str, ...]) -> float:
    """Run pytest; return the milliseconds."""
    env = {name: os.environ[name] for name in os.environ if name not in _LEFT_OUT}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    env["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "compiled")
    env["PYTHONPATH"] = os.pathsep.join([folder, *sys.path])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True, timeout=120)
    return (time.perf_counter() - began) * 1000


def measure(rounds: int) -> Answer:
    """Run each so many times."""
    rows, medians = [], {}
    for name, (code, _, _) in RUNS.items():
        times: dict[str, list[float]] = {how: [] for how in PLUGINS}
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text(code, "utf-8")
            Path(folder, "empty_plugin.py").touch()
            for plugin in PLUGINS.values():
                run_once(folder, plugin)  # which compiles everything
            for number in range(rounds):
                for how in list(PLUGINS)[:: 1 if number % 2 else -1]:
                    times[how].append(run_once(folder, PLUGINS[how]))
        found = medians[name] = {how: statistics.median(values) for how, values in times.items()}
        rows.append([name, *(f"{found[how]:.0f}" for how in PLUGINS)])
    more = {name: found["ours"] - found["empty"] for name, found in medians.items()}
    claims = [claim(name, more[name] / tests, most) for name, (_, tests, most) in RUNS.items()]
    return Answer(
        "What does the pytest plugin cost?",
        ("ms", *PLUGINS),
        rows,
        [f"Median of {rounds} runs each.", *claims],
        {"median_ms": medians},
    )


def claim(name: str, found: float, most: float) -> str:
    """Say whether the plugin takes at most so many milliseconds more for each test."""
    said = f"{name}: at most {most:g} ms more for each"
    return f"{'holds' if found <= most else 'BROKEN'}: {said} (measured: {found:+.3f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plugin")
    parser.add_argument("--rounds", type=int, default=10, help="runs of each (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n\n{measure(options.rounds)}")


if __name__ == "__main__":
    main()
