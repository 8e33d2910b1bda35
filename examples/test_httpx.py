"""httpx on the server's URL, sync and async.
Run it: python -m unittest examples.test_httpx"""

import asyncio
import unittest

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerTestCase

try:
    import httpx
except ImportError:
    httpx = None  # type: ignore[assignment]  # the tests are skipped then


@unittest.skipIf(httpx is None, "needs httpx")
class HttpxTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    def setUp(self) -> None:
        super().setUp()
        self.client = self.enterContext(httpx.Client(base_url=self.base_url))

    def test_get(self) -> None:
        response = self.client.get("/health")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"message": "OK"})

    def test_post(self) -> None:
        response = self.client.post("/api/data", json={"name": "Tea"})
        self.assertEqual(response.json(), {"received": {"name": "Tea"}})


@unittest.skipIf(httpx is None, "needs httpx")
class AsyncHttpxTests(IsolatedAsyncioLiveServerTestCase):
    app = "examples.shop.main:app"

    def setUp(self) -> None:
        super().setUp()
        self.client = httpx.AsyncClient(base_url=self.base_url)
        self.addAsyncCleanup(self.client.aclose)

    async def test_two_at_once(self) -> None:
        health, missing = await asyncio.gather(
            self.client.get("/health"), self.client.get("/items/999")
        )
        self.assertEqual(health.json(), {"message": "OK"})
        self.assertEqual(missing.status_code, 404)
