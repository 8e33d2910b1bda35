"""What does a whole test cost that has a server of its own? `python -m tests.benchmarks.whole`

A `unittest.TestCase` with one request, run by itself: what it costs to make the test's server and
its session, to ask once and to bring all down. The floor does the same by hand: in `setUp` it
starts a bare asyncio server in a thread, the test makes a `requests.Session` with `trust_env` off
and gives `get` the whole URL and a timeout, and cleanups close the one and stop the other. The
server speaks HTTP/1.1 as uvicorn does, with the same headers and with the connection kept, so that
the client has the same work.
"""

import argparse
import unittest
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import aiohttp
import requests

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerTestCase
from tests.benchmarks._common import HOST, app, check, loop_factory, loops
from tests.benchmarks._contenders import BareServer
from tests.benchmarks._rounds import Runner, alternate
from tests.benchmarks._table import Answer, machine, versions

__all__ = ["measure"]

SECONDS = 30.0  # liveserver's own default

# The aim of this project: so many times the floor.
MOST = 1.3


class Bare(unittest.TestCase):
    """The floor."""

    new_loop: Any

    def setUp(self) -> None:
        self.server = BareServer(type(self).new_loop)
        self.addCleanup(self.server.stop)
        self.server.start()

    def test_one_request(self) -> None:
        session = requests.Session()
        self.addCleanup(session.close)
        session.trust_env = False
        response = session.get(f"http://{HOST}:{self.server.port}/", timeout=SECONDS)
        check(response.status_code, response.content)


class AsyncBare(unittest.IsolatedAsyncioTestCase):
    """The floor for asyncio tests."""

    new_loop: Any

    def setUp(self) -> None:
        self.server = BareServer(type(self).new_loop)
        self.addCleanup(self.server.stop)
        self.server.start()

    async def test_one_request(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS, sock_read=SECONDS)
        base_url = f"http://{HOST}:{self.server.port}"
        async with (
            aiohttp.ClientSession(base_url, timeout=timeout) as session,
            session.get("/") as response,
        ):
            check(response.status, await response.read())


class Live(LiveServerTestCase):
    """The same with liveserver."""

    app = app
    server_scope = "test"

    def test_one_request(self) -> None:
        response = self.http.get("/")
        check(response.status_code, response.content)


class AsyncLive(IsolatedAsyncioLiveServerTestCase):
    """The same for asyncio tests."""

    app = app
    server_scope = "test"

    async def test_one_request(self) -> None:
        async with self.http.get("/") as response:
            check(response.status, await response.read())


KINDS: Sequence[tuple[str, type[unittest.TestCase], type[unittest.TestCase]]] = (
    ("requests", Bare, Live),
    ("asyncio test, aiohttp", AsyncBare, AsyncLive),
)


def run_one(test_class: Callable[[str], unittest.TestCase]) -> None:
    """Run the test, and see that it passed."""
    result = unittest.TestResult()
    test_class("test_one_request").run(result)
    if not result.wasSuccessful():
        raise RuntimeError((result.errors + result.failures)[0][1])


def runner(name: str, base: type[unittest.TestCase], loop: str) -> Runner:
    """Prepare a test class whose server runs on a kind of loop."""
    options = {"uvicorn_config": {"loop": loop}}
    more = {"new_loop": staticmethod(loop_factory(loop)), "server_options": options}
    return Runner(name, partial(run_one, type(base.__name__, (base,), more)))


def measure(loops: Sequence[str], cycles: int) -> Answer:
    """Measure each kind of test on each kind of loop."""
    pairs = [
        (f"{kind}, server on {loop}", runner("floor", floor, loop), runner("live", live, loop))
        for kind, floor, live in KINDS
        for loop in loops
    ]
    alternate([each for _, *both in pairs for each in both], cycles)
    rows = [
        [name, f"{floor.median:.2f}", f"{live.median:.2f}", f"{live.median / floor.median:.3f}"]
        for name, floor, live in pairs
    ]
    notes = [f"Median of {cycles} tests each, by turns. The aim is {MOST:g}."]
    figures = {
        name: {"floor_ms": floor.median, "liveserver_ms": live.median}
        for name, floor, live in pairs
    }
    return Answer(
        "What does a whole test cost, with a server of its own and one request?",
        ("client", "bare server ms", "liveserver ms", "ratio"),
        rows,
        notes,
        figures,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.whole")
    parser.add_argument("--cycles", type=int, default=300, help="of each (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n\n{measure(loops(), options.cycles)}")


if __name__ == "__main__":
    main()
