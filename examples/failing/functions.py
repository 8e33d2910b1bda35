"""pytest functions that fail on purpose, as the classes beside them do: read their reports.
Run it: python -m pytest examples/failing/functions.py"""

from collections.abc import Iterator

import pytest
import requests

from liveserver import LiveServer


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with (
        LiveServer("examples.failing.app:app") as orders,
        LiveServer("examples.failing.supplier:app") as supplier,
    ):
        orders.app.state.supplier_url = supplier.base_url
        yield orders


@pytest.fixture
def http(server: LiveServer) -> Iterator[requests.Session]:
    with server.session(timeout=5) as session:
        yield session


@pytest.fixture
def prices(http: requests.Session) -> None:
    http.post("/prices")


def test_handler_raises(http: requests.Session) -> None:
    assert http.get("/orders/3").status_code == 200


def test_nobody_looks_at_the_response(http: requests.Session) -> None:
    http.get("/orders/2/total")


def test_background_task_raises(http: requests.Session) -> None:
    assert http.post("/orders/1/receipt").status_code == 202


def test_wrong_status(http: requests.Session) -> None:
    assert http.get("/prices/tea").status_code == 200


def test_the_other_service_raises(http: requests.Session) -> None:
    assert http.get("/stock/Coffee").status_code == 200


def test_of_a_fixture_that_raises(prices: None, http: requests.Session) -> None:
    assert http.get("/prices/Tea").json() == 350
