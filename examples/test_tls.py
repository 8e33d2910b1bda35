"""https with a throw-away certificate: self.http trusts it, and other clients can be told to.
Run it: python -m unittest examples.test_tls"""

import json
import unittest
from importlib.util import find_spec
from urllib.request import urlopen

import requests

from liveserver import LiveServerTestCase


@unittest.skipUnless(find_spec("trustme"), 'needs trustme: pip install "liveserver[tls]"')
class TlsTests(LiveServerTestCase):
    app = "examples.shop.main:app"
    server_options = {"tls": True}

    def test_https(self) -> None:
        self.assertTrue(self.base_url.startswith("https://127.0.0.1:"))
        self.assertEqual(self.http.get("/health").json(), {"message": "OK"})

    def test_a_client_that_takes_a_file(self) -> None:
        response = requests.get(f"{self.base_url}/health", verify=self.server.ca_bundle, timeout=5)
        self.assertEqual(response.json(), {"message": "OK"})

    def test_a_client_that_takes_a_context(self) -> None:
        context = self.server.client_ssl_context
        with urlopen(f"{self.base_url}/health", context=context, timeout=5) as response:
            self.assertEqual(json.load(response), {"message": "OK"})

    def test_other_clients_do_not_trust_it(self) -> None:
        with self.assertRaises(requests.exceptions.SSLError):
            requests.get(f"{self.base_url}/health", timeout=5)
