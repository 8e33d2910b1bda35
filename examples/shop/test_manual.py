"""LiveServer without a base class: by hand with try/finally, in a with block, and restarted.
A restart keeps the port, and what the app has kept in a file."""

import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from examples.shop.main import create_app
from liveserver import LiveServer


class ManualTests(unittest.TestCase):
    """The tests start and stop the server themselves."""

    def setUp(self) -> None:
        self.session = self.enterContext(requests.Session())
        self.session.trust_env = False  # a proxy cannot reach this machine's loopback address

    def add_tea(self, server: LiveServer) -> None:
        response = self.session.post(
            f"{server.base_url}/items", json={"name": "Tea", "price": 350}, timeout=5
        )
        self.assertEqual(response.status_code, 201)

    def names(self, server: LiveServer) -> list[str]:
        response = self.session.get(f"{server.base_url}/items", timeout=5)
        return [item["name"] for item in response.json()]

    def test_try_finally(self) -> None:
        server = LiveServer("examples.shop.main:app")
        server.start()
        try:
            response = self.session.get(f"{server.base_url}/health", timeout=5)
            self.assertEqual(response.json(), {"message": "OK"})
        finally:
            server.stop()
        self.assertFalse(server.running)

    def test_with(self) -> None:
        with LiveServer("examples.shop.main:create_app", factory=True) as server:
            response = self.session.get(f"http://{server.host}:{server.port}/health", timeout=5)
            self.assertEqual(response.json(), {"message": "OK"})
        with self.assertRaises(requests.ConnectionError):
            self.session.get(f"{server.base_url}/health", timeout=5)

    def test_restart_keeps_port_and_file(self) -> None:
        folder = self.enterContext(TemporaryDirectory())
        with LiveServer(create_app(Path(folder, "shop.db"))) as server:
            self.add_tea(server)
            url = server.base_url
            server.restart()
            self.assertEqual(server.base_url, url)
            self.assertEqual(self.names(server), ["Tea"])

    def test_start_after_stop_begins_empty_without_a_file(self) -> None:
        server = LiveServer(create_app())
        with server:
            self.add_tea(server)
            self.assertEqual(self.names(server), ["Tea"])
        with server:
            self.assertEqual(self.names(server), [])
