"""One server for all classes that share an app, for an app that is slow to start.
Run it: python -m unittest examples.test_session_scope"""

from liveserver import LiveServer, LiveServerTestCase

servers: set[LiveServer] = set()


class ShopTestCase(LiveServerTestCase):
    """What the classes share. The server starts at the first test and stops with the process."""

    app = "examples.shop.main:app"
    server_scope = "session"

    def setUp(self) -> None:
        super().setUp()
        servers.add(self.server)


class HealthTests(ShopTestCase):
    def test_health(self) -> None:
        self.assertEqual(self.http.get("/health").json(), {"message": "OK"})

    def test_the_server_is_shared(self) -> None:
        self.assertEqual(servers, {self.server})


class ItemTests(ShopTestCase):
    def test_an_item(self) -> None:
        # Others may have written to the same shop: look at nothing but your own.
        made = self.http.post("/items", json={"name": "Tea", "price": 350}).json()
        self.assertEqual(self.http.get(f"/items/{made['id']}").json(), made)

    def test_the_server_is_shared(self) -> None:
        self.assertEqual(servers, {self.server})
