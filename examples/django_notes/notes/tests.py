"""Django's models on one side, a real ASGI server on the other, by Django's own test runner.
Run it: python examples/django_notes/manage.py test notes"""

import tempfile
from pathlib import Path

from django.test import override_settings

from liveserver.django import StaticLiveServerTestCase
from notes.models import Note


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


@override_settings(MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"])
class MiddlewareTests(StaticLiveServerTestCase):
    """Settings of one class hold for its server, middleware too."""

    def test_the_view_is_exempt_from_the_check(self):
        self.assertEqual(self.http.post("/notes", json={"text": "no token"}).status_code, 201)


class FreshServerTests(StaticLiveServerTestCase):
    """A fresh server for each test, on the same database."""

    server_scope = "test"

    def test_one(self):
        Note.objects.create(text="one")
        self.assertEqual(self.http.get("/notes").json(), {"notes": ["one"]})

    def test_two(self):
        self.http.post("/notes", json={"text": "two"})
        self.assertEqual([note.text for note in Note.objects.all()], ["two"])
