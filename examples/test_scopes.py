"""One server for the class, for tests that only read; a fresh one for each test that writes.
Run it: python -m unittest examples.test_scopes"""

import requests
from fastapi import FastAPI

from examples.shop.main import create_app
from liveserver import LiveServerTestCase


class ReadingTests(LiveServerTestCase):
    """The server starts once, setUpClass fills the shop, and all tests read that."""

    app = "examples.shop.main:app"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # first: it starts the server
        for name, price in [("Tea", 350), ("Coffee", 420)]:
            item = {"name": name, "price": price}
            requests.post(f"{cls.base_url}/items", json=item, timeout=5).raise_for_status()

    def test_list(self) -> None:
        names = [item["name"] for item in self.http.get("/items").json()]
        self.assertEqual(names, ["Tea", "Coffee"])

    def test_one(self) -> None:
        self.assertEqual(
            self.http.get("/items/2").json(), {"id": 2, "name": "Coffee", "price": 420}
        )

    def test_unknown(self) -> None:
        self.assertEqual(self.http.get("/items/3").status_code, 404)


class WritingTests(LiveServerTestCase):
    """Each test has a server, an app and a database of its own, so no other sees what it writes."""

    server_scope = "test"

    @classmethod
    def create_app(cls) -> FastAPI:
        return create_app()

    def setUp(self) -> None:
        super().setUp()  # first: it starts the server
        self.tea = self.http.post("/items", json={"name": "Tea", "price": 350}).json()

    def test_add(self) -> None:
        coffee = self.http.post("/items", json={"name": "Coffee", "price": 420}).json()
        self.assertEqual(self.http.get("/items").json(), [self.tea, coffee])

    def test_change(self) -> None:
        dearer = {"name": "Tea", "price": 400}
        self.http.put("/items/1", json=dearer)
        self.assertEqual(self.http.get("/items").json(), [{"id": 1, **dearer}])

    def test_delete(self) -> None:
        self.http.delete("/items/1")
        self.assertEqual(self.http.get("/items").json(), [])
