"""Django's models on one side, a real ASGI server on the other, by Django's own test runner.
Run it: python examples/django_notes/manage.py test notes"""

import importlib.util
import shutil
import tempfile
import unittest
from pathlib import Path

from django.contrib.auth.models import User
from django.test import modify_settings, override_settings

from liveserver.django import StaticLiveServerTestCase
from notes.models import Note

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def needs(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"needs {' and '.join(missing)}")


class NoteTests(StaticLiveServerTestCase):
    """One server for the class.

    The import is all that differs from Django's own class, which speaks WSGI. It is a
    `TransactionTestCase`: what a test writes is committed, so that the server sees it, and the
    tables are emptied after each test.
    """

    def test_the_server_reads_what_the_test_made(self):
        made = Note.objects.create(text="buy milk")
        self.assertEqual(self.http.get("/notes").json(), {"notes": ["buy milk"]})
        self.assertEqual(self.http.get(f"/notes/{made.pk}").json(), {"text": "buy milk"})

    def test_the_test_reads_what_the_server_made(self):
        response = self.http.post("/notes", json={"text": "call mother"})
        self.assertEqual(response.status_code, 201)
        self.assertEqual(Note.objects.get(pk=response.json()["id"]).text, "call mother")

    def test_each_test_begins_with_empty_tables(self):
        self.assertEqual(self.http.get("/notes").json(), {"notes": []})

    def test_a_note_that_is_not_there(self):
        self.assertEqual(self.http.get("/notes/99").status_code, 404)

    def test_a_streaming_view(self):
        Note.objects.bulk_create(Note(text=f"note {number}") for number in range(100))
        with self.http.get("/notes/export", stream=True) as response:
            lines = list(response.iter_lines(decode_unicode=True))
        self.assertEqual(lines, [f"note {number}" for number in range(100)])

    def test_a_view_that_raises(self):
        # The client gets a 500, as from Django's class; here it would also fail the test.
        with self.assertServerRaises(KeyError) as caught:
            self.assertEqual(self.http.post("/notes", json={}).status_code, 500)
        self.assertEqual(caught.request.path, "/notes")

    async def test_in_a_coroutine(self):
        await Note.objects.acreate(text="in a coroutine")
        self.assertEqual(self.http.get("/notes").json(), {"notes": ["in a coroutine"]})

    def test_static_files(self):
        response = self.http.get("/static/notes/style.css")
        self.assertEqual(response.headers["content-type"], "text/css")
        self.assertIn("serif", response.text)

    def test_media_files(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        Path(folder, "photo.txt").write_text("a photo")
        with override_settings(MEDIA_ROOT=folder):
            self.assertEqual(self.http.get("/media/photo.txt").text, "a photo")


class PageTests(StaticLiveServerTestCase):
    """Forms and users."""

    def setUp(self):
        super().setUp()
        User.objects.create_user("ada", password="secret")

    def post(self, path, **fields):
        """Send the form of a page, with the token that the page has set as a cookie."""
        self.http.get(path)
        token = self.http.cookies.get("csrftoken")
        return self.http.post(path, data={**fields, "csrfmiddlewaretoken": token})

    def test_who_has_logged_in_may_write(self):
        self.assertTrue(self.http.get("/").url.endswith("/login?next=/"))
        self.post("/login", username="ada", password="secret")
        self.assertIn("<li>buy milk</li>", self.post("/", text="buy milk").text)
        self.assertEqual(Note.objects.get().text, "buy milk")

    def test_a_form_without_its_token(self):
        fields = {"username": "ada", "password": "secret"}
        self.assertEqual(self.http.post("/login", data=fields).status_code, 403)

    @needs("selenium")
    @unittest.skipUnless(BROWSER and DRIVER, "needs chromium and chromedriver")
    def test_in_a_browser(self):
        from selenium import webdriver
        from selenium.webdriver.common.by import By

        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        self.addCleanup(browser.quit)  # runs before the tables are emptied
        browser.implicitly_wait(10)

        browser.get(self.live_server_url)
        browser.find_element(By.NAME, "username").send_keys("ada")
        browser.find_element(By.NAME, "password").send_keys("secret\n")
        browser.find_element(By.NAME, "text").send_keys("buy milk\n")
        self.assertEqual(browser.find_element(By.TAG_NAME, "li").text, "buy milk")
        body = browser.find_element(By.TAG_NAME, "body")
        self.assertEqual(body.value_of_css_property("font-family"), "serif")


@modify_settings(MIDDLEWARE={"remove": "django.middleware.csrf.CsrfViewMiddleware"})
class MiddlewareTests(StaticLiveServerTestCase):
    """Settings of one class hold for its server, middleware too."""

    def test_no_token_is_asked_for(self):
        response = self.http.post("/", allow_redirects=False)
        self.assertEqual(response.headers["location"], "/login?next=/")


class StreamTests(StaticLiveServerTestCase):
    """What Django's own class cannot do."""

    def test_an_event_stream(self):
        with self.http.get("/notes/events", stream=True) as response:
            lines = filter(None, response.iter_lines(decode_unicode=True))
            self.assertEqual(next(lines), "data: 0")
            Note.objects.create(text="buy milk")
            self.assertEqual(next(lines), "data: 1")

    @needs("channels", "websockets")
    def test_a_websocket(self):
        from websockets.sync.client import connect

        url = f"{self.server.ws_url}/ws/notes"
        with connect(url, origin=self.live_server_url) as socket:
            socket.send("buy milk")
            self.assertEqual(socket.recv(timeout=10), "1")
        self.assertEqual(Note.objects.get().text, "buy milk")


class FreshServerTests(StaticLiveServerTestCase):
    """A fresh server for each test, on the same database."""

    server_scope = "test"

    def test_one(self):
        Note.objects.create(text="one")
        self.assertEqual(self.http.get("/notes").json(), {"notes": ["one"]})

    def test_two(self):
        self.http.post("/notes", json={"text": "two"})
        self.assertEqual([note.text for note in Note.objects.all()], ["two"])
