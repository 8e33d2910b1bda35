"""Tests that pass on every database, of the drop-ins for Django's classes."""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar
from unittest import mock

import requests
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection, transaction
from django.test import modify_settings, override_settings, tag

from liveserver import LiveServer
from liveserver.django import LiveServerTestCase, StaticLiveServerTestCase
from tests.helpers.django_project import urls

READS = ("/sync", "/async", "/thread")


def in_memory() -> bool:
    return connection.vendor == "sqlite" and connection.is_in_memory_db()


class Base(StaticLiveServerTestCase):
    def number(self, path: str) -> int:
        response = self.http.get(path)
        self.assertEqual(response.status_code, 200, response.text)
        return int(response.text)


class DatabaseTests(Base):
    """The server reads what the test writes, and the other way round."""

    def test_the_server_reads_what_the_test_has_written(self) -> None:
        for number, path in enumerate(READS, 1):
            ContentType.objects.create(app_label="made", model=path)
            self.assertEqual([self.number(each) for each in READS], [number] * 3)

    def test_the_test_reads_what_the_server_has_written(self) -> None:
        for number, path in enumerate(("/write", "/write_atomic"), 1):
            self.assertEqual(self.http.get(f"{path}?n={number}").text, "ok")
            self.assertEqual(ContentType.objects.filter(app_label="made").count(), number)

    def test_it_is_flushed_between_tests(self) -> None:
        self.assertEqual(self.number("/sync"), 0)
        self.http.get("/write?n=1")

    test_it_is_flushed_between_tests_2 = test_it_is_flushed_between_tests

    def test_parallel_writers(self) -> None:
        def ask(number: int) -> int:
            path = "/write_atomic" if number % 2 else "/write"
            return requests.get(f"{self.live_server_url}{path}?n={number}", timeout=20).status_code

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(40))), {200})
        self.assertEqual(ContentType.objects.filter(app_label="made").count(), 40)

    def test_a_transaction_that_fails_is_rolled_back(self) -> None:
        with self.assertServerRaises(LookupError):
            self.http.get("/write_atomic?n=1&fail=1")
        self.assertEqual([self.number(path) for path in READS], [0] * 3)

    def test_a_transaction_of_the_test(self) -> None:
        if not in_memory():
            self.skipTest("its threads share no connection")
        with transaction.atomic():
            ContentType.objects.create(app_label="made", model="in the test")
            self.assertEqual(self.number("/sync"), 1)
            self.assertEqual(self.http.get("/write_atomic?n=1").text, "ok")
            with self.assertServerRaises(LookupError):
                self.http.get("/write_atomic?n=2&fail=1")
            transaction.set_rollback(True)
        self.assertEqual(self.number("/sync"), 0)

    def test_cursors(self) -> None:
        expected = ",".join(f"raw{number}" for number in range(6))
        self.assertEqual(self.http.get("/raw").text, expected)

    def test_without_autocommit(self) -> None:
        self.assertEqual(self.http.get("/autocommit_off").text, "0")
        self.assertEqual(self.http.get("/write?n=1").text, "ok")
        self.assertEqual(self.number("/sync"), 1)

    def test_a_view_that_asks_its_own_server(self) -> None:
        if connection.vendor == "sqlite" and not in_memory():
            self.skipTest("SQLite lets one connection write at a time")
        with mock.patch("liveserver._django.sharing._LOCK_SECONDS", 0.1):
            self.assertEqual(self.http.get("/asks_itself").text, "ok")
        self.assertEqual(self.number("/sync"), 2)

    def test_a_transaction_that_cannot_begin(self) -> None:
        if not in_memory():
            self.skipTest("it takes no lock")
        name = "django.db.backends.sqlite3.base.DatabaseWrapper._start_transaction_under_autocommit"
        with (
            mock.patch(name, side_effect=OperationalError("no more")),
            self.assertServerRaises(OperationalError, self.server),
        ):
            self.http.get("/write_atomic?n=1")
        self.assertEqual(self.http.get("/write_atomic?n=1").text, "ok")


class LeftTests(Base):
    """Clients that leave, and apps that raise: Django then flushes the database."""

    def test_a_view_whose_client_has_left(self) -> None:
        for _ in range(3):
            with suppress(requests.Timeout):
                requests.get(f"{self.live_server_url}/slow", timeout=0.1)

    def test_streams_whose_clients_have_left(self) -> None:
        for path in ("/stream", "/events"):
            with requests.get(f"{self.live_server_url}{path}", stream=True, timeout=5) as response:
                self.assertTrue(next(response.iter_lines()))

    def test_views_that_raise(self) -> None:
        for path in ("/raising", "/raising_async"):
            with self.assertServerRaises(LookupError) as caught:
                self.http.get(path)
            self.assertIn("no such thing", str(caught.exception))


class ThreadTests(Base):
    """The threads of sync views."""

    def test_one_request_after_another_has_an_old_thread(self) -> None:
        # But for one that comes while the thread still cleans up after its response.
        threads = {self.number("/which_thread") for _ in range(40)}
        self.assertLess(len(threads), 10)

    def test_requests_at_the_same_time_have_each_its_own(self) -> None:
        def ask(_: int) -> str:
            return requests.get(f"{self.live_server_url}/meet", timeout=30).text

        with ThreadPoolExecutor(2) as pool:
            self.assertEqual(len(set(pool.map(ask, range(2)))), 2)

    def test_one_that_still_works_for_a_client_that_has_left(self) -> None:
        urls.may_end.clear()
        self.addCleanup(urls.may_end.set)
        with socket.create_connection((self.server.host, self.server.port), 5) as client:
            client.sendall(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
            urls.barrier.wait(20)
        self.number("/which_thread")
        self.number("/async")

    def test_they_end_with_the_server(self) -> None:
        other = type("Other", (Base,), {})
        before = set(threading.enumerate())
        other._start_server_thread()
        for path in ("/which_thread", "/sync"):
            self.assertEqual(requests.get(f"{other.live_server_url}{path}").status_code, 200)
        made = set(threading.enumerate()) - before
        self.assertGreater(len(made), 1)
        other.doClassCleanups()
        for each in made:
            each.join(5)
            self.assertFalse(each.is_alive(), each)


class LeftInWSGITests(LeftTests):
    """The same with a WSGI app."""

    app = WSGIHandler()
    test_streams_whose_clients_have_left: Any = None  # events() is endless under WSGI

    def test_a_stream_whose_client_has_left(self) -> None:
        with requests.get(f"{self.live_server_url}/stream", stream=True, timeout=5) as response:
            self.assertTrue(next(response.iter_lines()))


class AddressTests(Base):
    """What Django documents of the class."""

    def test_the_url(self) -> None:
        self.assertEqual(self.live_server_url, f"http://localhost:{self.server.port}")
        self.assertEqual(self.base_url, self.live_server_url)
        self.assertEqual(type(self).live_server_url, self.live_server_url)
        self.assertEqual(self.server_thread.host, "localhost")
        self.assertEqual(self.server_thread.port, self.server.port)
        self.assertEqual(
            list(self.server_thread.connections_override),
            ["default", "other"] if in_memory() else [],
        )

    def test_the_host_is_allowed(self) -> None:
        self.assertIn("localhost", settings.ALLOWED_HOSTS)
        self.assertEqual(self.http.get("/refused/200").status_code, 200)

    def test_refusals_are_no_errors(self) -> None:
        for status in (400, 403, 404):
            self.assertEqual(self.http.get(f"/refused/{status}").status_code, status)

    @tag("async")
    async def test_async_tests_run(self) -> None:
        self.assertEqual(await ContentType.objects.filter(app_label="made").acount(), 0)
        self.assertEqual(self.http.get("/refused/200").status_code, 200)


@override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
class HostTests(Base):
    """A host that has other names; there is no CSRF check."""

    host = "127.0.0.1"
    allowed_host = "shop.test"
    server_options = {"public_host": "localhost"}

    def test_hosts(self) -> None:
        for name in ("shop.test", "127.0.0.1", "localhost"):
            self.assertEqual(self.http.get("/sync", headers={"Host": name}).status_code, 200)
        self.assertEqual(self.http.get("/sync", headers={"Host": "other.test"}).status_code, 400)

    def test_post(self) -> None:
        self.assertEqual(self.http.post("/refused/200").status_code, 200)


class CsrfTests(Base):
    """After a class with other middleware; the settings' own holds."""

    def test_post(self) -> None:
        self.assertEqual(self.http.post("/refused/200").status_code, 403)


@modify_settings(MIDDLEWARE={"remove": "django.middleware.csrf.CsrfViewMiddleware"})
@override_settings(ASGI_APPLICATION="tests.helpers.django_project.asgi.application")
class AsgiApplicationTests(Base):
    """`ASGI_APPLICATION`, whose handler was made once."""

    def test_post(self) -> None:
        self.assertEqual(self.http.post("/refused/200").status_code, 200)


@override_settings(ASGI_APPLICATION="tests.helpers.django_project.asgi.application")
class AsgiApplicationCsrfTests(CsrfTests):
    """The same, with other middleware."""


class RoutedTests(Base):
    """An app around Django's handler."""

    @classmethod
    def create_app(cls) -> Any:
        inner = super().create_app()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)

        return app

    def test_it(self) -> None:
        self.assertEqual(self.number("/sync"), 0)


@modify_settings(MIDDLEWARE={"remove": "django.middleware.csrf.CsrfViewMiddleware"})
class RouterTests(Base):
    """An app that has Django's handler inside."""

    app = "tests.helpers.django_project.asgi:routed"

    def test_post(self) -> None:
        self.assertEqual(self.http.post("/refused/200").status_code, 200)


class RouterCsrfTests(CsrfTests):
    """The same, with other middleware."""

    app = "tests.helpers.django_project.asgi:routed"


class FactoryTests(Base):
    """A function that builds the app."""

    app = ASGIHandler
    server_options = {"factory": True}

    def test_it(self) -> None:
        self.assertEqual(self.number("/sync"), 0)


class SessionTests(Base):
    """A server that both classes share."""

    server_scope = "session"
    servers: ClassVar[set[Any]] = set()

    def test_it(self) -> None:
        self.assertEqual(self.number("/sync"), 0)
        self.servers.add(self.server)
        self.assertEqual(len(self.servers), 1)
        # What Django says outside of requests is no remark on one.
        logging.getLogger("django.security.csrf").warning("by the test")


class SessionAgainTests(SessionTests):
    """The second one."""


class FilesTests(LiveServerTestCase):
    """Files of the folders of the settings."""

    expected = "root"

    def test_static_and_media_files(self) -> None:
        self.assertEqual(self.http.get("/static/a.txt").text, self.expected)
        self.assertEqual(self.http.get("/media/a.txt").text, "media")
        self.assertEqual(self.http.get("/media//a.txt").text, "media")
        for path in ("/static/b.txt", "/media/../a.txt", "/media/%2e%2e/a.txt", "/media/"):
            self.assertEqual(self.http.get(path).status_code, 404, path)

    @override_settings(MEDIA_URL="", MEDIA_ROOT="")
    def test_without_the_setting(self) -> None:
        for path in ("/media/a.txt", "/setup.py", "/README.md"):
            self.assertEqual(self.http.get(path).status_code, 404, path)

    def test_other_methods_and_conditions(self) -> None:
        first = self.http.get("/media/a.txt")
        modified = {"If-Modified-Since": first.headers["Last-Modified"]}
        self.assertEqual(self.http.get("/media/a.txt", headers=modified).status_code, 304)


class StaticFilesTests(FilesTests, StaticLiveServerTestCase):
    """The finders of the app `staticfiles`."""

    static_handler = StaticLiveServerTestCase.static_handler
    expected = "static"


class TestScopeTests(Base):
    """A server for each test."""

    server_scope = "test"

    def test_it(self) -> None:
        self.assertEqual(self.number("/sync"), 0)
        self.http.get("/write?n=1")

    test_again = test_it


class TLSTests(Base):
    """Options of the server."""

    server_options = {"tls": True}

    def test_it(self) -> None:
        self.assertTrue(self.live_server_url.startswith("https://localhost:"))
        self.assertEqual(self.number("/sync"), 0)


class PortTests(Base):
    """A port of the user's."""

    @classmethod
    def setUpClass(cls) -> None:
        with LiveServer("tests.helpers.django_project.asgi:application") as other:
            cls.port = other.port
        super().setUpClass()

    def test_it(self) -> None:
        self.assertEqual(self.server_thread.port, self.port)
