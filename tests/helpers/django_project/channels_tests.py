"""Tests that pass on every database, of consumers of Channels."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from django.contrib.contenttypes.models import ContentType
from django.test import modify_settings
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.helpers.django_project.channels_app import application
from tests.helpers.django_project.live_tests import Base

PATHS = ("/ws/sync", "/ws/async")


class ConsumerTests(Base):
    """Consumers, and the pages of the same project."""

    app = application

    def connect(self, path: str, **options: Any) -> Any:
        options.setdefault("origin", self.live_server_url)
        return connect(f"{self.server.ws_url}{path}", **options)

    def test_they_read_what_the_test_has_written(self) -> None:
        for path in PATHS:
            with self.subTest(path=path), self.connect(path) as socket:
                for _ in range(3):
                    ContentType.objects.create(app_label="made", model=f"{path}{_}")
                    socket.send("")
                    rows = ContentType.objects.filter(app_label="made").count()
                    self.assertEqual(socket.recv(), f"{rows}")
        self.assertEqual(self.number("/sync"), 6)

    def test_beside_parallel_writers(self) -> None:
        def ask(number: int) -> bool:
            if number % 2:
                return self.http.get(f"/write_atomic?n={number}").status_code == 200
            with self.connect(PATHS[number % 4 // 2]) as socket:
                socket.send("")
                return bool(socket.recv().isdecimal())

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(40))), {True})
        self.assertEqual(self.number("/async"), 20)

    def test_an_exception(self) -> None:
        for path in PATHS:
            with (
                self.subTest(path=path),
                self.assertServerRaisesRegex(LookupError, "after 0 rows"),
                self.connect(path) as socket,
                self.assertRaises(ConnectionClosedError),
            ):
                socket.send("raise")
                socket.recv(timeout=5)

    def test_one_that_is_still_open(self) -> None:
        """When the test ends and the database is flushed."""
        for path in PATHS:
            socket = self.enterClassContext(self.connect(path))
            socket.send("")
            self.assertEqual(socket.recv(), "0")

    def test_origins(self) -> None:
        with self.assertRaises(InvalidStatus) as caught:
            self.connect(PATHS[0], origin="http://other.test")
        self.assertEqual(caught.exception.response.status_code, 403)


class ConsumerAgainTests(ConsumerTests):
    """The next class; the threads of its consumers are those of the first one."""


@modify_settings(MIDDLEWARE={"remove": "django.middleware.csrf.CsrfViewMiddleware"})
class MiddlewareTests(Base):
    """Middleware of Django's handler, which a router holds."""

    app = application

    def test_post(self) -> None:
        self.assertEqual(self.http.post("/refused/200").status_code, 200)


class OriginTests(Base):
    """Another host, which the class allows."""

    app = application
    allowed_host = "shop.test"

    def test_origins(self) -> None:
        url = f"{self.server.ws_url}/ws/sync"
        with connect(url, origin=Origin("http://shop.test")) as socket:
            socket.send("")
            self.assertEqual(socket.recv(), "0")


class StopTests(Base):
    """A WebSocket that is open when the server stops."""

    app = application
    server_scope = "test"
    sockets: ClassVar[list[Any]] = []

    def test_1_leaves_it_open(self) -> None:
        url, origin = f"{self.server.ws_url}/ws/sync", Origin(self.live_server_url)
        self.sockets.append(self.enterClassContext(connect(url, origin=origin)))

    def test_2_it_is_closed(self) -> None:
        with self.assertRaises(ConnectionClosedError) as caught:
            self.sockets.pop().recv(timeout=5)
        assert caught.exception.rcvd is not None
        self.assertEqual(caught.exception.rcvd.code, 1012)
