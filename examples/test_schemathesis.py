"""Property-based tests: schemathesis makes requests of an API's OpenAPI schema, and checks answers.
Run it: python -m unittest examples.test_schemathesis"""

import unittest
from typing import TYPE_CHECKING, Any

from examples.shop.main import create_app
from liveserver import LiveServerTestCase

try:
    import schemathesis
    from hypothesis import given, settings
    from schemathesis.core.failures import FailureGroup
    from schemathesis.core.result import Ok
except ImportError:
    schemathesis = None  # type: ignore[assignment]  # the tests are skipped then

if TYPE_CHECKING:
    import requests
    from schemathesis.schemas import APIOperation


def check(operation: "APIOperation[Any, Any, Any, Any]", http: "requests.Session") -> None:
    """Make requests of one operation, right ones and wrong ones."""
    right, wrong = map(operation.as_strategy, schemathesis.GenerationMode)

    # The same requests in each run, and few enough for some seconds.
    @settings(max_examples=30, derandomize=True, deadline=None, database=None)
    @given(case=right | wrong)
    def run(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(session=http)

    run()


@unittest.skipIf(schemathesis is None, "needs schemathesis")
class ShopTests(LiveServerTestCase):
    @classmethod
    def create_app(cls) -> object:
        return create_app(":memory:")

    def test_each_operation_answers_as_the_schema_says(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.base_url}/openapi.json")
        operations = schema.exclude(path="/events").get_all_operations()  # that one has no end
        for operation in [result.ok() for result in operations if isinstance(result, Ok)]:
            with self.subTest(operation.label):
                check(operation, self.http)


@unittest.skipIf(schemathesis is None, "needs schemathesis")
class MistakeTests(LiveServerTestCase):
    app = "examples.failing.app:app"

    def test_a_handler_that_fails_is_found(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.base_url}/openapi.json")
        operation = schema["/orders/{number}"]["GET"]
        with self.server.raises(KeyError) as caught, self.assertRaises(FailureGroup) as found:
            check(operation, self.http)
        self.assertIn("Server error", str(found.exception))  # with a curl line that repeats it
        self.assertEqual(caught.request.status, 500)
