"""An app that is watched while it fails, and what the tests of that ask about it."""

import asyncio
import importlib.util
import inspect
import os
import threading
import unittest
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers import apps
from tests.helpers.support import (
    Outcome,
)

ROOT = Path(__file__).parent.parent.parent

HAS_PYTEST = importlib.util.find_spec("pytest") is not None
HAS_XDIST = HAS_PYTEST and importlib.util.find_spec("xdist") is not None
HAS_STARLETTE = importlib.util.find_spec("starlette") is not None
HAS_WEBSOCKETS = importlib.util.find_spec("websockets") is not None

needs_websockets = unittest.skipUnless(HAS_WEBSOCKETS, "websockets is not installed")
needs_starlette = unittest.skipUnless(HAS_STARLETTE, "starlette is not installed")
needs_pytest = unittest.skipUnless(HAS_PYTEST, "pytest is not installed")

Trouble = apps.Trouble


class OtherTrouble(Exception):
    """Something else that an app may raise."""


class Thing:
    """Something a handler holds, to which there can be a weak reference."""


class Shop:
    """An app that does what the path says."""

    def __init__(self) -> None:
        self.things: list[weakref.ref[Thing]] = []  # one per request that raised
        self.go_on = threading.Event()

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        what = scope["path"].split("/")[1]
        await getattr(self, f"do_{what}", self.do_anything)(scope, receive, send)

    async def do_anything(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await apps.answer(send, b"fine")

    async def do_missing(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await apps.answer(send, b"not here", status=404)

    async def do_raise(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        thing = Thing()
        self.things.append(weakref.ref(thing))
        raise Trouble(f"no item for {scope['path']}")

    async def do_other(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        raise OtherTrouble("quite another thing")

    async def do_after(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await apps.answer(send, b"whole")
        await asyncio.sleep(0.01)
        raise Trouble(f"too late for {scope['path']}")

    async def do_chain(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        try:
            raise OtherTrouble("the first thing")
        except OtherTrouble as error:
            raise Trouble("the second thing") from error

    async def do_midway(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await apps.start_response(send)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise Trouble("out of order midway")

    async def do_hang(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await asyncio.Event().wait()

    async def do_stream(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await apps.Stream()(scope, receive, send)

    async def do_later(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        """Sends an event, and raises when it is told to."""
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while not self.go_on.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        raise Trouble("raised at last")

    async def do_departed(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        raise asyncio.CancelledError

    async def do_echo(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        """Echoes what comes, in no hurry, and does not catch anything."""
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0.01)
            await send({"type": "websocket.send", "text": message["text"]})

    async def do_broken_echo(
        self, scope: apps.Scope, receive: apps.Receive, send: apps.Send
    ) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise Trouble("no echo")


def line_of(method: Callable[..., Any], code: str) -> str:
    """Where a line of code stands, as reports have it."""
    lines, first = inspect.getsourcelines(method)
    number = next(index for index, line in enumerate(lines) if code in line)
    return f"{os.path.join('tests', 'helpers', 'observed.py')}:{first + number}"


RAISE = line_of(Shop.do_raise, "raise Trouble")
AFTER = line_of(Shop.do_after, "raise Trouble")
HANG = line_of(Shop.do_hang, "await asyncio")


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def report_of(case: unittest.TestCase, outcome: Outcome, name: str) -> str:
    """The report of the one failure or error of a test."""
    found = [text for test, text in outcome.errors + outcome.failures if name in test.id()]
    case.assertEqual(len(found), 1, outcome)
    return str(found[0])
