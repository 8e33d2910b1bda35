"""A fresh server for each test, with a fresh app and a fresh database from create_app().
So tests may write what they like: none sees what another has written."""

from collections.abc import Mapping

import requests
from fastapi import FastAPI

from examples.shop import main
from liveserver import LiveServerTestCase

TEA = {"name": "Tea", "price": 350}


class FreshServerTests(LiveServerTestCase):
    """Each test begins with an empty shop, in whatever order they run."""

    server_scope = "test"

    @classmethod
    def create_app(cls) -> FastAPI:
        return main.create_app()  # its database is in a temporary folder of its own

    def setUp(self) -> None:
        super().setUp()  # first: it starts the server
        self.session = self.enterContext(requests.Session())
        self.session.trust_env = False  # a proxy cannot reach this machine's loopback address
        self.items_url = f"{self.base_url}/items"

    def create(self, item: Mapping[str, object]) -> requests.Response:
        return self.session.post(self.items_url, json=item, timeout=5)

    def names(self) -> list[str]:
        return [item["name"] for item in self.session.get(self.items_url, timeout=5).json()]

    def test_create(self) -> None:
        response = self.create(TEA)
        self.assertEqual(response.status_code, 201)
        self.assertEqual(response.json(), {"id": 1, **TEA})
        location = f"{self.base_url}{response.headers['Location']}"
        self.assertEqual(self.session.get(location, timeout=5).json(), response.json())

    def test_replace(self) -> None:
        self.create(TEA)
        dearer = {"name": "Tea", "price": 400}
        response = self.session.put(f"{self.items_url}/1", json=dearer, timeout=5)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            self.session.get(f"{self.items_url}/1", timeout=5).json(), {"id": 1, **dearer}
        )

    def test_delete(self) -> None:
        self.create(TEA)
        response = self.session.delete(f"{self.items_url}/1", timeout=5)
        self.assertEqual(response.status_code, 204)
        self.assertEqual(response.content, b"")
        self.assertEqual(self.names(), [])

    def test_replace_and_delete_unknown_item(self) -> None:
        response = self.session.put(f"{self.items_url}/1", json=TEA, timeout=5)
        self.assertEqual(response.status_code, 404)
        response = self.session.delete(f"{self.items_url}/1", timeout=5)
        self.assertEqual(response.status_code, 404)

    def test_invalid_items_are_not_kept(self) -> None:
        for item in ({"name": "Tea"}, {"name": "", "price": 350}, {"name": "Tea", "price": -1}):
            with self.subTest(item=item):
                self.assertEqual(self.create(item).status_code, 422)
        self.assertEqual(self.names(), [])

    # These two both hold only if neither sees the other's item.

    def test_only_tea(self) -> None:
        self.assertEqual(self.names(), [])
        self.assertEqual(self.create(TEA).json()["id"], 1)
        self.assertEqual(self.names(), ["Tea"])

    def test_only_coffee(self) -> None:
        self.assertEqual(self.names(), [])
        self.assertEqual(self.create({"name": "Coffee", "price": 420}).json()["id"], 1)
        self.assertEqual(self.names(), ["Coffee"])
