"""Handlers that raise after their client has left, run by hand: python -m tests.closing

1,000 WebSockets and 1,000 event streams that their clients close, and whose handlers raise up to
0.2 s later. At first each has a test of its own, while 49 others stay open; then 50 are closed at a
time, in each of 20 tests. Every error has to be in the right test, once.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest import TestCase

from websockets.sync.client import connect

from liveserver import AppError, LiveServer, LiveServerTestCase
from tests.helpers import apps
from tests.helpers.support import Client, Outcome, is_wrong, loops, run_class, with_loop

OTHERS, AT_ONCE, LATEST = 49, 50, 0.2

Open = Callable[[LiveServer, str], Any]


class Closed(apps.Trouble):
    """What a handler raises after its client has left."""


async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    """Accept everything; raise after the disconnect, unless the path is `/others`."""
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    else:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    while not (await receive())["type"].endswith(".disconnect"):
        pass
    if scope["path"] != "/others":
        await asyncio.sleep(random.uniform(0, LATEST))
        raise Closed(scope["path"])


@contextmanager
def websocket(server: LiveServer, path: str) -> Iterator[None]:
    """An open WebSocket."""
    with connect(server.ws_url + path):
        yield


@contextmanager
def stream(server: LiveServer, path: str) -> Iterator[None]:
    """An event stream that has begun."""
    with Client(server.base_url) as client, client.open(path) as response:
        response.read(9)
        yield


def run(opened: Open, loop: str, tests: int, at_once: int) -> list[str]:
    """Run a suite; return what was wrong."""

    class Tests(LiveServerTestCase):
        server_options = with_loop(loop)

        @classmethod
        def create_app(cls) -> object:
            return app

        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            others = ExitStack()
            cls.addClassCleanup(others.close)
            for _ in range(OTHERS if at_once == 1 else 0):
                others.enter_context(opened(cls.server, "/others"))

    def ask(test: Any, number: int) -> None:
        with ExitStack() as all_of_them:
            for index in range(at_once):
                all_of_them.enter_context(opened(test.server, f"/{number}/{index}"))

    for number in range(tests):
        setattr(Tests, f"test_{number:04}", lambda self, number=number: ask(self, number))
    return _wrong(run_class(Tests), tests, at_once)


def _wrong(outcome: Outcome, tests: int, at_once: int) -> list[str]:
    seen: Counter[tuple[str, str]] = Counter()
    for (test, _), error in zip(outcome.errors, outcome.raised, strict=True):
        several = error.exceptions if isinstance(error, ExceptionGroup) else [error]
        name = test._testMethodName if isinstance(test, TestCase) else str(test)
        for each in several:
            right = isinstance(each, AppError) and isinstance(each.__cause__, Closed)
            seen[name, str(each.__cause__) if right else repr(each)] += 1
    wanted = Counter((f"test_{n:04}", f"/{n}/{i}") for n in range(tests) for i in range(at_once))
    wrong = [f"missing: {pair}" for pair in sorted(wanted - seen)]
    return wrong + [f"too much: {pair}" for pair in sorted(seen - wanted)]


def main() -> int:
    """Run the suites; 1 if anything was missing or in the wrong test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000, help="how many of each kind")
    arguments = parser.parse_args()
    status = 0
    for loop in loops():
        for opened in (websocket, stream):
            for at_once in (1, AT_ONCE):
                tests = arguments.clients // at_once
                what = f"{opened.__name__} on {loop}, {tests} tests of {at_once}"
                status |= is_wrong(what, partial(run, opened, loop, tests, at_once))
    return status


if __name__ == "__main__":
    sys.exit(main())
