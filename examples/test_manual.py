"""A server by hand, without a base class: try and finally, a with block, a second start.
Run it: python -m unittest examples.test_manual"""

import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from examples.shop.main import create_app
from liveserver import LiveServer


class ManualTests(unittest.TestCase):
    def test_try_finally(self) -> None:
        server = LiveServer("examples.shop.main:app")
        server.start()
        try:
            response = requests.get(f"{server.base_url}/health", timeout=5)
            self.assertEqual(response.json(), {"message": "OK"})
        finally:
            server.stop()
        self.assertFalse(server.running)

    def test_with(self) -> None:
        with LiveServer("examples.shop.main:app") as server:
            response = requests.get(f"http://{server.host}:{server.port}/health", timeout=5)
            self.assertEqual(response.json(), {"message": "OK"})
        with self.assertRaises(requests.ConnectionError):
            requests.get(f"{server.base_url}/health", timeout=5)

    def test_second_start(self) -> None:
        folder = self.enterContext(TemporaryDirectory())
        server = LiveServer(create_app(Path(folder, "shop.db")))
        with server:
            first_url = server.base_url
            tea = {"name": "Tea", "price": 350}
            requests.post(f"{server.base_url}/items", json=tea, timeout=5).raise_for_status()
        with server:
            self.assertEqual(server.base_url, first_url)
            items = requests.get(f"{server.base_url}/items", timeout=5).json()
            self.assertEqual(items, [{"id": 1, **tea}])
