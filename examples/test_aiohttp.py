"""Coroutine tests with aiohttp: the server has a thread and a loop of its own, beside the test's.
Run it: python -m unittest examples.test_aiohttp"""

import asyncio

import aiohttp

from liveserver import IsolatedAsyncioLiveServerTestCase


class AiohttpTests(IsolatedAsyncioLiveServerTestCase):
    app = "examples.shop.main:app"

    async def test_get(self) -> None:
        async with self.http.get("/health") as response:
            self.assertEqual(response.status, 200)
            self.assertEqual(await response.json(), {"message": "OK"})

    async def test_many_at_once(self) -> None:
        async def echo(number: int) -> int:
            async with self.http.post("/api/data", json={"number": number}) as response:
                received: int = (await response.json())["received"]["number"]
                return received

        self.assertEqual(await asyncio.gather(*map(echo, range(50))), list(range(50)))

    async def test_a_session_of_your_own(self) -> None:
        async with (
            aiohttp.ClientSession(self.base_url, raise_for_status=True) as session,
            session.get("/health") as response,
        ):
            self.assertEqual(await response.json(), {"message": "OK"})
