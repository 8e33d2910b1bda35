"""One server for the whole class, the default scope: started once, read by every test.
The client is a `requests` session, and the class itself has `base_url` for setUpClass."""

from typing import Any, ClassVar

import requests

from liveserver import LiveServerTestCase


class ClassScopeTests(LiveServerTestCase):
    """The tests only read what setUpClass wrote, so that they can share one server."""

    app = "examples.shop.main:app"

    session: ClassVar[requests.Session]
    tea: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # first: it starts the server
        cls.session = cls.enterClassContext(requests.Session())
        cls.session.trust_env = False  # a proxy cannot reach this machine's loopback address
        response = cls.session.post(
            f"{cls.base_url}/items", json={"name": "Tea", "price": 350}, timeout=5
        )
        response.raise_for_status()
        cls.tea = response.json()

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.base_url}{path}", timeout=5)

    def test_health(self) -> None:
        response = self.get("/health")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"message": "OK"})

    def test_data_is_sent_back(self) -> None:
        data = {"name": "test", "values": [1, 2.5, None]}
        response = self.session.post(f"{self.base_url}/api/data", json=data, timeout=5)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"received": data})

    def test_data_must_be_json(self) -> None:
        response = self.session.post(
            f"{self.base_url}/api/data",
            data="not JSON",
            headers={"Content-Type": "application/json"},
            timeout=5,
        )
        self.assertEqual(response.status_code, 422)
        self.assertEqual(response.json()["detail"][0]["type"], "json_invalid")

    def test_list(self) -> None:
        self.assertEqual(self.get("/items").json(), [self.tea])

    def test_get(self) -> None:
        self.assertEqual(self.get(f"/items/{self.tea['id']}").json(), self.tea)

    def test_unknown_item(self) -> None:
        response = self.get("/items/999")
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.json(), {"detail": "There is no item 999."})

    def test_item_id_must_be_a_number(self) -> None:
        self.assertEqual(self.get("/items/tea").status_code, 422)

    def test_all_tests_have_the_server_of_the_class(self) -> None:
        self.assertIs(self.server, type(self).server)
        self.assertTrue(self.server.running)
