"""The shop's own tests: what the module of tests of a small API looks like.
Run it: python -m unittest examples.shop.test_shop"""

from fastapi import FastAPI

from examples.shop import main
from liveserver import LiveServerTestCase

TEA = {"name": "Tea", "price": 350}


class HealthTests(LiveServerTestCase):
    """Nothing is kept here, so that one server will do."""

    app = "examples.shop.main:app"

    def test_health(self) -> None:
        response = self.http.get("/health")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"message": "OK"})

    def test_data_is_sent_back(self) -> None:
        data = {"name": "test", "values": [1, 2.5, None]}
        response = self.http.post("/api/data", json=data)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"received": data})

    def test_data_must_be_json(self) -> None:
        headers = {"Content-Type": "application/json"}
        response = self.http.post("/api/data", data="not JSON", headers=headers)
        self.assertEqual(response.status_code, 422)
        self.assertEqual(response.json()["detail"][0]["type"], "json_invalid")


class ItemTests(LiveServerTestCase):
    """Each test begins with an empty shop."""

    server_scope = "test"

    @classmethod
    def create_app(cls) -> FastAPI:
        return main.create_app()

    def names(self) -> list[str]:
        return [item["name"] for item in self.http.get("/items").json()]

    def test_create(self) -> None:
        response = self.http.post("/items", json=TEA)
        self.assertEqual(response.status_code, 201)
        self.assertEqual(response.json(), {"id": 1, **TEA})
        self.assertEqual(self.http.get(response.headers["Location"]).json(), {"id": 1, **TEA})

    def test_replace(self) -> None:
        self.http.post("/items", json=TEA)
        dearer = {"name": "Tea", "price": 400}
        response = self.http.put("/items/1", json=dearer)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.http.get("/items/1").json(), {"id": 1, **dearer})

    def test_delete(self) -> None:
        self.http.post("/items", json=TEA)
        response = self.http.delete("/items/1")
        self.assertEqual(response.status_code, 204)
        self.assertEqual(response.content, b"")
        self.assertEqual(self.names(), [])

    def test_unknown_item(self) -> None:
        for response in (
            self.http.get("/items/1"),
            self.http.put("/items/1", json=TEA),
            self.http.delete("/items/1"),
        ):
            with self.subTest(method=response.request.method):
                self.assertEqual(response.status_code, 404)
                self.assertEqual(response.json(), {"detail": "There is no item 1."})

    def test_item_id_must_be_a_number(self) -> None:
        self.assertEqual(self.http.get("/items/tea").status_code, 422)

    def test_invalid_items_are_not_kept(self) -> None:
        prices = (-1, 2**53, "350", False)
        for item in (
            {},
            {"name": "", "price": 350},
            *({"name": "Tea", "price": p} for p in prices),
        ):
            with self.subTest(item=item):
                self.assertEqual(self.http.post("/items", json=item).status_code, 422)
        self.assertEqual(self.names(), [])
