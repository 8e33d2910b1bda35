"""Coroutine tests with aiohttp: concurrent requests, an event stream, a WebSocket.
The server runs in a thread and has its own loop, so it answers while a test waits."""

import asyncio
import json
import unittest
from importlib.util import find_spec
from typing import Any

import aiohttp
from fastapi import FastAPI

from examples.shop import main
from liveserver import IsolatedAsyncioLiveServerTestCase

needs_websockets = unittest.skipUnless(
    find_spec("websockets") or find_spec("wsproto"),
    "uvicorn serves WebSockets only with the package websockets or wsproto",
)


class AsyncioTests(IsolatedAsyncioLiveServerTestCase):
    """Each test has its own server; the session's timeout bounds every request."""

    server_scope = "test"

    @classmethod
    def create_app(cls) -> FastAPI:
        return main.create_app()

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.session = await self.enterAsyncContext(
            aiohttp.ClientSession(
                self.base_url, timeout=aiohttp.ClientTimeout(total=10), raise_for_status=True
            )
        )

    async def create(self, name: str) -> Any:
        async with self.session.post("/items", json={"name": name, "price": 350}) as response:
            return await response.json()

    async def test_concurrent_requests(self) -> None:
        names = [f"Tea {number}" for number in range(20)]
        created = await asyncio.gather(*map(self.create, names))
        self.assertEqual([item["name"] for item in created], names)

        async with self.session.get("/items") as response:
            items = await response.json()
        self.assertEqual(items, sorted(created, key=lambda item: item["id"]))

    async def test_event_stream_tells_of_changes(self) -> None:
        async with self.session.get("/events") as events:
            self.assertEqual(events.content_type, "text/event-stream")
            self.assertEqual(await next_event(events), ("subscribed", {}))

            tea = await self.create("Tea")
            self.assertEqual(await next_event(events), ("created", tea))

            async with self.session.delete(f"/items/{tea['id']}"):
                pass
            self.assertEqual(await next_event(events), ("deleted", tea))

    async def test_every_subscriber_gets_the_change(self) -> None:
        async with self.session.get("/events") as first, self.session.get("/events") as second:
            await asyncio.gather(next_event(first), next_event(second))
            tea = await self.create("Tea")
            self.assertEqual(await next_event(first), ("created", tea))
            self.assertEqual(await next_event(second), ("created", tea))

    @needs_websockets
    async def test_chat(self) -> None:
        async with self.session.ws_connect("/ws?name=Ann") as ann:
            self.assertEqual(await next_message(ann), ("joined", "Ann", ""))

            async with self.session.ws_connect("/ws?name=Bob") as bob:
                self.assertEqual(await next_message(ann), ("joined", "Bob", ""))
                self.assertEqual(await next_message(bob), ("joined", "Bob", ""))
                await bob.send_str("Hello")
                self.assertEqual(await next_message(ann), ("said", "Bob", "Hello"))
                self.assertEqual(await next_message(bob), ("said", "Bob", "Hello"))

            self.assertEqual(await next_message(ann), ("left", "Bob", ""))

    @needs_websockets
    async def test_chat_refuses_an_empty_name(self) -> None:
        with self.assertRaises(aiohttp.ClientResponseError) as caught:
            await self.session.ws_connect("/ws?name=")
        self.assertEqual(caught.exception.status, 403)


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, Any]:
    """Read one server-sent event: its name and its data."""
    block = (await response.content.readuntil(b"\n\n")).decode()
    event, data = block.rstrip("\n").split("\n")
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def next_message(websocket: aiohttp.ClientWebSocketResponse) -> tuple[str, str, str]:
    """Read one chat message: its kind, who it is about, and the text."""
    message = await websocket.receive_json(timeout=5)
    return message["kind"], message["name"], message["text"]
