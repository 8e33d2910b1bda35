"""Server-Sent Events: a stream that never ends, read by asyncio tests and by sync ones.
Run it: python -m unittest examples.test_event_stream"""

import json
from typing import Any

import aiohttp

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerTestCase

TEA = {"name": "Tea", "price": 350}


async def next_event(stream: aiohttp.ClientResponse) -> tuple[str, Any]:
    """Read one event: its name and its data."""
    event, data = (await stream.content.readuntil(b"\n\n")).decode().split("\n")[:2]
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


class AsyncEventTests(IsolatedAsyncioLiveServerTestCase):
    app = "examples.shop.main:app"

    async def test_every_subscriber_hears_of_changes(self) -> None:
        async with self.http.get("/events") as first, self.http.get("/events") as second:
            for stream in (first, second):
                self.assertEqual(stream.content_type, "text/event-stream")
                self.assertEqual(await next_event(stream), ("subscribed", {}))

            async with self.http.post("/items", json=TEA) as response:
                tea = await response.json()
            for stream in (first, second):
                self.assertEqual(await next_event(stream), ("created", tea))

            async with self.http.delete(f"/items/{tea['id']}"):
                self.assertEqual(await next_event(first), ("deleted", tea))


class EventTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    def test_a_subscriber_hears_of_changes(self) -> None:
        with self.http.get("/events", stream=True) as stream:
            # In pieces as small as this, else requests waits until it has more of them.
            lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
            self.assertEqual([next(lines) for _ in range(3)], ["event: subscribed", "data: {}", ""])
            self.http.post("/items", json=TEA)
            self.assertEqual(next(lines), "event: created")
            self.assertIn('"name":"Tea"', next(lines))
