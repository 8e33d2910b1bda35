"""An exception in the app fails the test, unless the test says that it is right.
Run it: python -m unittest examples.test_expected_errors"""

from liveserver import LiveServerTestCase


class ExpectedErrorTests(LiveServerTestCase):
    app = "examples.failing.app:app"

    def test_an_unknown_order(self) -> None:
        with self.assertServerRaises(KeyError) as caught:
            response = self.http.get("/orders/3")
        self.assertEqual(response.status_code, 500)
        self.assertEqual(caught.exception.args, (3,))
        self.assertEqual(caught.request.path, "/orders/3")

    def test_an_exception_after_the_response(self) -> None:
        with self.assertServerRaisesRegex(ConnectionRefusedError, "receipt of Tea"):
            response = self.http.post("/orders/1/receipt")
        self.assertEqual(response.status_code, 202)

    def test_a_block_in_which_nothing_is_raised(self) -> None:
        with (
            self.assertRaisesRegex(AssertionError, "KeyError"),
            self.assertServerRaises(KeyError),
        ):
            self.http.get("/orders/1")


class LenientTests(LiveServerTestCase):
    """No exception fails these tests; they stand in the notes of failing ones."""

    app = "examples.failing.app:app"
    raise_server_errors = False

    def test_a_client_that_has_to_live_with_a_500(self) -> None:
        self.assertEqual(self.http.get("/orders/3").status_code, 500)
        self.server.wait_idle(timeout=5)  # the response may come before the end of the request
        self.assertEqual(self.server.requests[-1].error, "KeyError: 3")
