"""FastAPI's dependency overrides: the bank that the app asks is replaced by the test.
Run it: python -m unittest examples.test_dependency_overrides"""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException

from liveserver import LiveServerTestCase

shop_app = FastAPI()


async def dollars_per_euro() -> float:
    """Ask the bank for its rate of exchange."""
    raise ConnectionError("There is no bank where the tests run.")


@shop_app.get("/dollars/{euros}")
async def dollars(euros: float, rate: Annotated[float, Depends(dollars_per_euro)]) -> float:
    return euros * rate


class PriceTests(LiveServerTestCase):
    app = shop_app

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(shop_app.dependency_overrides.clear)

    def test_price_in_dollars(self) -> None:
        shop_app.dependency_overrides[dollars_per_euro] = lambda: 1.25
        self.assertEqual(self.http.get("/dollars/4").json(), 5.0)

    def test_the_bank_is_closed(self) -> None:
        def closed() -> float:
            raise HTTPException(503, "The bank is closed.")

        shop_app.dependency_overrides[dollars_per_euro] = closed
        response = self.http.get("/dollars/4")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json(), {"detail": "The bank is closed."})

    def test_without_an_override(self) -> None:
        with self.assertServerRaises(ConnectionError):
            self.http.get("/dollars/4")
