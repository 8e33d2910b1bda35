"""A test for each operation of the shop's OpenAPI schema; schemathesis makes its requests.
Run it: python -m pytest examples/pytest_fixtures"""

from collections.abc import Iterator
from typing import Any

import pytest

from examples.shop.main import create_app
from liveserver import LiveServer

pytest.importorskip("schemathesis", reason="needs schemathesis")

import hypothesis
import schemathesis
from schemathesis.specs.openapi.checks import allow_header_conformance

# pytest asks for the operations before any server runs, so the app gives its schema itself.
schema = schemathesis.openapi.from_dict(create_app().openapi())


@pytest.fixture(scope="module")
def shop_server() -> Iterator[LiveServer]:
    """Run a server for the tests of this file, which leave many items."""
    with LiveServer(create_app(":memory:")) as server:
        yield server


@schema.exclude(path="/events").parametrize()  # its response has no end
@hypothesis.settings(max_examples=20, derandomize=True, deadline=None, database=None)
def test_it_answers_as_the_schema_says(
    case: "schemathesis.Case[Any]", shop_server: LiveServer
) -> None:
    with shop_server.session() as http:
        case.call_and_validate(
            base_url=shop_server.base_url,
            session=http,
            # Where paths have a route for each method, Starlette's Allow has those of the first.
            excluded_checks=[allow_header_conformance],
        )
