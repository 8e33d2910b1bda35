"""Sync tests with requests: self.http knows the server, and any other client takes its URL.
Run it: python -m unittest examples.test_requests"""

import requests

from liveserver import LiveServerTestCase


class RequestsTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    def test_get(self) -> None:
        response = self.http.get("/health")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"message": "OK"})

    def test_post(self) -> None:
        response = self.http.post("/api/data", json={"name": "Tea"})
        self.assertEqual(response.json(), {"received": {"name": "Tea"}})

    def test_not_found(self) -> None:
        response = self.http.get("/items/999")
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.json(), {"detail": "There is no item 999."})

    def test_without_a_session(self) -> None:
        response = requests.get(f"{self.base_url}/health", timeout=5)
        self.assertEqual(response.json(), {"message": "OK"})
