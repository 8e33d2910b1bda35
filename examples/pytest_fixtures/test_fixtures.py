"""pytest fixtures, used with three clients; the asyncio tests need pytest-asyncio.
Run it: python -m pytest examples/pytest_fixtures"""

import httpx
import pytest
import requests

from liveserver import LiveServer


def test_requests(running_server: LiveServer) -> None:
    response = requests.get(f"{running_server.base_url}/health", timeout=5)
    assert response.json() == {"message": "OK"}


def test_session(http: requests.Session) -> None:
    assert http.get("/health").json() == {"message": "OK"}


def test_a_missing_item(http: requests.Session) -> None:
    assert http.get("/items/1").status_code == 404  # an answer, no exception of the app


def test_httpx(running_server: LiveServer) -> None:
    with httpx.Client(base_url=running_server.base_url, trust_env=False) as client:
        assert client.get("/health").json() == {"message": "OK"}


@pytest.mark.asyncio
async def test_aiohttp(running_server: LiveServer) -> None:
    async with running_server.async_session() as session, session.get("/health") as response:
        assert await response.json() == {"message": "OK"}


@pytest.mark.asyncio
async def test_httpx_in_asyncio(running_server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=running_server.base_url, trust_env=False) as client:
        assert (await client.get("/health")).json() == {"message": "OK"}


@pytest.mark.parametrize("name", ["tea", "coffee"])
def test_a_test_that_writes(fresh_server: LiveServer, name: str) -> None:
    url = f"{fresh_server.base_url}/items"
    assert requests.get(url, timeout=5).json() == []
    made = requests.post(url, json={"name": name, "price": 250}, timeout=5)
    assert made.status_code == 201
    assert [item["name"] for item in requests.get(url, timeout=5).json()] == [name]
