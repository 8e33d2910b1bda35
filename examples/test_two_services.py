"""Two services that call each other, and a fake third party, each on a real server.
Run it: python -m unittest examples.test_two_services"""

from typing import ClassVar

import httpx
from fastapi import FastAPI

from examples.services import fake_payments, orders, stock
from liveserver import LiveServer, LiveServerTestCase


class TwoServicesTests(LiveServerTestCase):
    """The class's own server is that of the orders; the others start beside it."""

    stock: ClassVar[LiveServer]
    payments: ClassVar[LiveServer]

    @classmethod
    def create_app(cls) -> FastAPI:
        return orders.create_app(cls.stock.base_url, cls.payments.base_url)

    @classmethod
    def setUpClass(cls) -> None:
        cls.payments = cls.enterClassContext(LiveServer(fake_payments.create_app, factory=True))
        # Each of the two needs the other's URL: bind() gives one to the stock before its start.
        cls.stock = LiveServer(lambda: stock.create_app(cls.base_url), factory=True)
        cls.addClassCleanup(cls.stock.stop)
        cls.stock.bind()
        super().setUpClass()  # starts the server of the orders
        cls.stock.start()

    def order(self, item: str, card: str = "4242") -> int:
        return self.http.post("/orders", json={"item": item, "card": card}).status_code

    def deliver(self, item: str, count: int) -> int:
        with self.stock.session() as session:
            waited: int = session.post(f"/deliveries/{item}", params={"count": count}).json()
        return waited

    def test_an_order_waits_for_a_delivery(self) -> None:
        self.assertEqual(self.order("coffee", card="1111"), 201)
        self.assertNotIn("1111", self.payments.app.state.charged)
        self.assertEqual(self.deliver("coffee", 2), 1)  # the stock asks the orders, these the stock
        self.assertIn("1111", self.payments.app.state.charged)

    def test_the_provider_refuses_a_card(self) -> None:
        self.deliver("tea", 1)
        self.assertEqual(self.order("tea", card="refused"), 402)

    def test_the_provider_is_out_of_order(self) -> None:
        # The app does not handle that: its exception would fail the test, if none was expected.
        self.deliver("cake", 1)
        with self.assertServerRaises(httpx.HTTPStatusError, self.server) as caught:
            self.assertEqual(self.order("cake", card="outage"), 500)
        self.assertIn("503", str(caught.exception))
