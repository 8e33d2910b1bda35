"""Tests that fail on purpose, by each kind of mistake that an app can make: read their reports.
Run it: python -m unittest examples.failing.failures"""

import asyncio
import unittest
from collections.abc import Mapping
from importlib.util import find_spec
from typing import ClassVar

import aiohttp
import requests

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServer, LiveServerTestCase


class OrdersTestCase(LiveServerTestCase):
    """What the classes below share; it has no tests of its own."""

    app = "examples.failing.app:app"

    session: ClassVar[requests.Session]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # first: it starts the server
        cls.session = cls.enterClassContext(requests.Session())
        cls.session.trust_env = False  # a proxy cannot reach this machine's loopback address

    def get(
        self, path: str, timeout: float = 5, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        return self.session.get(f"{self.base_url}{path}", timeout=timeout, headers=headers)


class HandlerTests(OrdersTestCase):
    """The app raises before it has answered: the client gets a 500."""

    def test_sync_handler_raises(self) -> None:
        self.assertEqual(self.get("/orders/3").status_code, 200)

    def test_async_handler_raises(self) -> None:
        response = self.get("/orders/2/total")
        self.assertEqual(response.json(), 0)

    def test_dependency_raises(self) -> None:
        response = self.get("/basket", headers={"X-Customer": "guest"})
        response.raise_for_status()

    def test_two_requests_raise_and_nobody_looks(self) -> None:
        for number in (3, 4):
            self.get(f"/orders/{number}")


class AnsweredTests(OrdersTestCase):
    """The app raises when the client has its answer, or a part of it."""

    def test_background_task_raises(self) -> None:
        response = self.session.post(f"{self.base_url}/orders/1/receipt", timeout=5)
        self.assertEqual(response.status_code, 202)

    def test_stream_breaks_off(self) -> None:
        lines = self.get("/orders.csv").text.splitlines()
        self.assertEqual(len(lines), 2)


class StatusTests(OrdersTestCase):
    """The app raises nothing: it gives another answer."""

    def test_wrong_status(self) -> None:
        self.assertEqual(self.get("/prices/tea").status_code, 200)


class HangingTests(OrdersTestCase):
    """The app raises nothing: it gives no answer, and the client loses patience."""

    def test_handler_hangs(self) -> None:
        response = self.get("/kitchen", timeout=0.2)
        self.assertEqual(response.text, "ready")


class TwoServicesTests(OrdersTestCase):
    """The app asks another service, and that one raises: both exceptions are reported."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        supplier = cls.enterClassContext(LiveServer("examples.failing.supplier:app"))
        cls.server.app.state.supplier_url = supplier.base_url

    def test_the_other_service_raises(self) -> None:
        self.assertEqual(self.get("/stock/Coffee").status_code, 200)


class SetUpTests(OrdersTestCase):
    """The app raises before the first test, and nobody looks at the response: the class fails."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.session.post(f"{cls.base_url}/prices", timeout=5)

    def test_price(self) -> None:
        self.assertEqual(self.get("/prices/Tea").json(), 350)


@unittest.skipUnless(
    find_spec("websockets") or find_spec("wsproto"),
    "uvicorn serves WebSockets only with the package websockets or wsproto",
)
class WebSocketTests(IsolatedAsyncioLiveServerTestCase):
    """The app raises in a WebSocket handler: the client sees the connection close."""

    app = "examples.failing.app:app"

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        timeout = aiohttp.ClientTimeout(total=10)
        self.client = await self.enterAsyncContext(
            aiohttp.ClientSession(self.base_url, timeout=timeout)
        )

    async def test_websocket_handler_raises(self) -> None:
        async with asyncio.timeout(5), self.client.ws_connect("/tracking") as tracking:
            await tracking.send_str("2")
            cities = [message.data async for message in tracking]
        self.assertIn("Vienna", cities)
