"""A Flask app, which speaks WSGI: it is recognised, and tested like any other.
Run it: python -m unittest examples.flask_guestbook.test_guestbook"""

import unittest
from importlib.util import find_spec

from liveserver import LiveServerTestCase


@unittest.skipUnless(find_spec("flask"), "needs flask")
@unittest.skipUnless(find_spec("a2wsgi"), 'needs a2wsgi: pip install "liveserver[wsgi]"')
class GuestbookTests(LiveServerTestCase):
    app = "examples.flask_guestbook.app:create_app"
    server_scope = "test"
    server_options = {"factory": True}  # the app is what the function returns

    def test_sign(self) -> None:
        self.http.post("/login", data={"name": "Ann"})
        response = self.http.post("/entries", json={"text": "Hello"})
        self.assertEqual(response.status_code, 201)
        self.assertEqual(self.http.get("/entries").json(), ["Ann: Hello"])

    def test_sign_without_a_name(self) -> None:
        with self.assertServerRaises(KeyError):
            self.http.post("/entries", json={"text": "Hello"})
        self.assertEqual(self.http.get("/entries").json(), [])
