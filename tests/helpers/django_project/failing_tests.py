"""Tests that fail, each by a fault of its own; their names say how."""

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import TestCase, override_settings

from liveserver import LiveServer, LiveServerMixin, StartupError
from liveserver.django import LiveServerTestCase, StaticLiveServerTestCase


class AppErrorTests(LiveServerTestCase):
    def test_1_raises(self) -> None:
        self.http.get("/raising")

    def test_2_raises_in_an_async_view(self) -> None:
        self.http.get("/raising_async")

    def test_3_passes(self) -> None:
        self.http.get("/refused/404")


class AsyncTests(LiveServerTestCase):
    async def test_1_fails(self) -> None:
        self.assertEqual(self.http.get("/refused/404").status_code, 200)

    async def test_2_the_app_raises(self) -> None:
        self.http.get("/raising_async")

    async def test_3_passes(self) -> None:
        with self.assertServerRaises(LookupError):
            self.http.get("/raising")


class NoteTests(LiveServerTestCase):
    def test_csrf(self) -> None:
        self.assertEqual(self.http.post("/sync").status_code, 200)


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
class HostNoteTests(LiveServerTestCase):
    def test_host(self) -> None:
        headers = {"Host": "other.test"}
        self.assertEqual(self.http.get("/sync", headers=headers).status_code, 200)


class SubTests(LiveServerTestCase):
    def test_sub(self) -> None:
        for path in ("/refused/200", "/refused/404", "/raising"):
            with self.subTest(path=path):
                self.assertEqual(self.http.get(path).status_code, 200)


class InTestCase(LiveServerMixin, TestCase):  # type: ignore[misc]
    def test_it(self) -> None: ...


@override_settings(STATIC_URL=None)
class NoStaticURLTests(StaticLiveServerTestCase):
    def test_it(self) -> None: ...


class WSGIStaticHandlerTests(LiveServerTestCase):
    static_handler = StaticFilesHandler

    def test_it(self) -> None: ...


class TakenPortTests(LiveServerTestCase):
    available_apps = ["django.contrib.contenttypes"]

    @classmethod
    def setUpClass(cls) -> None:
        other = LiveServer("tests.helpers.django_project.asgi:application", host="localhost")
        with other:
            cls.port = other.port
            super().setUpClass()

    def test_it(self) -> None: ...


class WrongOptionsTests(LiveServerTestCase):
    server_options = ["tls"]  # type: ignore[assignment]

    def test_it(self) -> None: ...


class RefusingAppTests(LiveServerTestCase):
    app = "tests.helpers.django_project.asgi:refusing"

    def test_it(self) -> None: ...


class ZLastTests(LiveServerTestCase):
    """What the classes above have left behind."""

    def test_hosts(self) -> None:
        self.assertEqual(settings.ALLOWED_HOSTS, ["testserver", "localhost"])

    def test_apps(self) -> None:
        from django.apps import apps

        self.assertTrue(apps.is_installed("django.contrib.staticfiles"))
        self.assertEqual(ContentType.objects.filter(app_label="made").count(), 0)

    def test_start_by_hand(self) -> None:
        """As Django's own tests do."""
        other = type("Other", (LiveServerTestCase,), {"port": self.server.port})
        with self.assertRaises(OSError) as caught:
            other._start_server_thread()
        self.assertNotIsInstance(caught.exception, StartupError)
        other.doClassCleanups()
        other.port = 0
        other._start_server_thread()
        try:
            self.assertNotEqual(other.live_server_url, self.live_server_url)
        finally:
            other.doClassCleanups()
        # The class's own server goes on as before.
        ContentType.objects.create(app_label="made", model="by the test")
        self.assertEqual(self.http.get("/sync").text, "1")
