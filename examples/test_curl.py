"""curl, or any other program, run by the test against the server.
Run it: python -m unittest examples.test_curl"""

import json
import shutil
import subprocess
import unittest

from liveserver import LiveServerTestCase


@unittest.skipUnless(shutil.which("curl"), "needs curl")
class CurlTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    def curl(self, *arguments: str) -> str:
        command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "10", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def test_get(self) -> None:
        self.assertEqual(json.loads(self.curl(f"{self.base_url}/health")), {"message": "OK"})

    def test_post(self) -> None:
        item = '{"name": "Tea", "price": 350}'
        json_type = "Content-Type: application/json"
        made = self.curl(f"{self.base_url}/items", "--header", json_type, "--data", item)
        self.assertEqual(json.loads(made)["name"], "Tea")

    def test_not_found(self) -> None:
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            self.curl(f"{self.base_url}/items/999")
        self.assertIn("404", caught.exception.stderr)
