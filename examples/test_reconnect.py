"""A client that connects again by itself, tested with drop_connections() and restart().
Run it: python -m unittest examples.test_reconnect"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import aiohttp

from liveserver import IsolatedAsyncioLiveServerTestCase


async def follow(base_url: str) -> AsyncGenerator[str, None]:
    """Tell what happens in the shop; when the connection breaks, connect again."""
    async with aiohttp.ClientSession(base_url) as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get("/events") as stream:
                    async for line in stream.content:
                        if line.startswith(b"event: "):
                            yield line.decode().removeprefix("event: ").strip()
            await asyncio.sleep(0.05)  # do not try too often


class FollowTests(IsolatedAsyncioLiveServerTestCase):
    app = "examples.shop.main:app"

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.enterAsyncContext(asyncio.timeout(20))
        self.events = await self.enterAsyncContext(aclosing(follow(self.base_url)))
        self.assertEqual(await anext(self.events), "subscribed")

    async def test_no_interruption(self) -> None:
        await self.assertHearsOfAnItem()

    async def test_the_network_fails(self) -> None:
        self.server.drop_connections()
        self.assertEqual(await anext(self.events), "subscribed")  # for the second time
        await self.assertHearsOfAnItem()

    async def test_the_server_restarts(self) -> None:
        await asyncio.to_thread(self.server.restart)
        self.assertEqual(await anext(self.events), "subscribed")
        await self.assertHearsOfAnItem()

    async def assertHearsOfAnItem(self) -> None:
        async with self.http.post("/items", json={"name": "Tea", "price": 350}) as response:
            self.assertEqual(response.status, 201)
        self.assertEqual(await anext(self.events), "created")
