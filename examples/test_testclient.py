"""One suite for FastAPI's TestClient and for the one on the wire, and what only the wire shows.
Run it: python -m unittest examples.test_testclient"""

import asyncio
import unittest
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient as InProcess

from examples.shop.main import create_app
from liveserver.testclient import TestClient as OnTheWire

wrong = FastAPI()


@wrong.get("/events")
async def events() -> StreamingResponse:
    """Send events for ever."""

    async def lines() -> AsyncIterator[str]:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines(), media_type="text/event-stream")


@wrong.get("/short")
async def short() -> Response:
    """Announce more than there is, a fault."""
    return Response(b"four", headers={"Content-Length": "40"})


class SuiteTests(unittest.TestCase):
    """The suite; the class below runs it again on the wire."""

    client_class: Any = InProcess

    def setUp(self) -> None:
        self.client = self.enterContext(self.client_class(create_app()))

    def test_add_an_item(self) -> None:
        made = self.client.post("/items", json={"name": "Tea", "price": 350})
        self.assertEqual(made.status_code, 201)
        self.assertEqual(self.client.get("/items").json(), [made.json()])

    def test_an_item_that_is_not_there(self) -> None:
        self.assertEqual(self.client.get("/items/1").status_code, 404)


class SuiteOnTheWireTests(SuiteTests):
    """The same tests; with pytest, `liveserver_testclient = true` needs not even this class."""

    client_class = OnTheWire


class OnlyOnTheWireTests(unittest.TestCase):
    """What a client in process does not see. An endless stream it cannot read before 1.9."""

    def setUp(self) -> None:
        self.client = OnTheWire(wrong)
        self.addCleanup(self.client.close)

    def test_read_an_endless_stream_and_leave_it(self) -> None:
        with self.client.stream("GET", "/events") as response:
            self.assertEqual(next(response.iter_lines()), "data: tick")

    def test_a_wrong_content_length(self) -> None:
        self.assertEqual(InProcess(wrong).get("/short").content, b"four")
        with self.assertRaisesRegex(Exception, "Content-Length"):
            self.client.get("/short")
