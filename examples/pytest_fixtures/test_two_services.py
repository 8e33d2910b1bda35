"""Two services that call each other, and a fake third party, as pytest fixtures and functions.
Run it: python -m pytest examples/pytest_fixtures"""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from examples.services import fake_payments, orders, stock
from liveserver import LiveServer


class Services(NamedTuple):
    """The servers of a test."""

    orders: LiveServer
    stock: LiveServer
    payments: LiveServer


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """Run all three; of the two that need each other's URL, bind() gives one before its start."""
    with LiveServer(fake_payments.create_app, factory=True) as of_payments:

        def create_stock_app() -> FastAPI:  # called by the start, when the other URL is known
            return stock.create_app(of_orders.base_url)

        of_stock = LiveServer(create_stock_app, factory=True)
        of_stock.bind()
        app = orders.create_app(of_stock.base_url, of_payments.base_url)
        with LiveServer(app) as of_orders, of_stock:
            yield Services(of_orders, of_stock, of_payments)


def order(services: Services, item: str, card: str) -> int:
    with services.orders.session() as session:
        return session.post("/orders", json={"item": item, "card": card}).status_code


def deliver(services: Services, item: str, count: int) -> None:
    with services.stock.session() as session:
        session.post(f"/deliveries/{item}", params={"count": count}).raise_for_status()


def test_an_order_waits_for_a_delivery(services: Services) -> None:
    assert order(services, "coffee", card="1111") == 201
    assert "1111" not in services.payments.app.state.charged
    deliver(services, "coffee", 2)
    assert "1111" in services.payments.app.state.charged


def test_the_provider_refuses_a_card(services: Services) -> None:
    deliver(services, "tea", 1)
    assert order(services, "tea", card="refused") == 402


def test_the_provider_is_out_of_order(services: Services) -> None:
    deliver(services, "cake", 1)
    with services.orders.raises(httpx.HTTPStatusError, match="503"):
        assert order(services, "cake", card="outage") == 500
