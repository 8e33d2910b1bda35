"""Fixtures: a server for the whole run, its client, and a fresh server for each test that writes.
Run it: python -m pytest examples/pytest_fixtures"""

from collections.abc import Iterator

import pytest
import requests

from examples.shop.main import create_app
from liveserver import LiveServer


@pytest.fixture(scope="session")
def running_server() -> Iterator[LiveServer]:
    """Run one server for all tests; with pytest-xdist, one in each worker."""
    with LiveServer(create_app, factory=True) as server:
        yield server


@pytest.fixture
def fresh_server() -> Iterator[LiveServer]:
    """Run a server for one test, with an app and a database of its own."""
    with LiveServer(create_app, factory=True) as server:
        yield server


@pytest.fixture
def http(running_server: LiveServer) -> Iterator[requests.Session]:
    """Make a client with cookies of its own, whose URLs begin at the path."""
    with running_server.session() as session:
        yield session
