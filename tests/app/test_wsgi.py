"""WSGI apps whose clients leave."""

import sys
import threading
import time
import unittest
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from liveserver import AppError, LiveServer
from tests.helpers import apps
from tests.helpers.support import (
    Client,
    StrictTestCase,
    each_base_and_scope,
    get,
    loops,
    run_class,
    until,
)


class Endless:
    """A body that never ends by itself, as one of a camera."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.fails = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"x" * 1000
            time.sleep(0.001)

    def close(self) -> None:
        self.closed.set()
        if self.fails:
            raise apps.Trouble("could not close")


class Camera:
    """A WSGI app that answers `/` with a stream, and other paths at once."""

    def __init__(self) -> None:
        self.bodies: list[Endless] = []
        self.fails = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "multipart/x-mixed-replace")])
        if environ["PATH_INFO"] != "/":
            return [b"fine"]
        body = Endless()
        body.fails = self.fails
        self.bodies.append(body)
        return body


def leave(server: LiveServer) -> None:
    with Client(server.base_url) as client:
        client.open("/").read(1000)


@unittest.skipUnless(find_spec("a2wsgi"), "a2wsgi is not installed")
class LeftStreamTests(StrictTestCase):
    """A response whose client has left is told so at its next write, and closed."""

    seconds = 60

    def test_it_is_closed(self) -> None:
        for loop in loops():
            for http in ("h11", "auto"):
                with self.subTest(loop=loop, http=http):
                    app = Camera()
                    config = {"loop": loop, "http": http}
                    with LiveServer(app, uvicorn_config=config) as server:
                        leave(server)
                        self.assertTrue(app.bodies[0].closed.wait(5))
                        server.wait_idle(5)
                        self.assertEqual(server.requests[0].error, "")

    def test_two_hundred_of_them_leave_the_server_free(self) -> None:
        app = Camera()
        with LiveServer(app) as server:
            for _ in range(200):
                leave(server)
            self.assertEqual(get(server.base_url, "/fine").body, b"fine")
            until(lambda: all(body.closed.is_set() for body in app.bodies))

    def test_a_client_that_stays_gets_all(self) -> None:
        # The negative control.
        app = Camera()
        with LiveServer(app) as server, Client(server.base_url) as client:
            response = client.open("/")
            for _ in range(50):
                self.assertEqual(response.read(1000), b"x" * 1000)
            self.assertFalse(app.bodies[0].closed.is_set())

    @each_base_and_scope
    def test_what_its_close_raises_fails_the_test(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Camera()
            server_scope = scope

            def test_1_fine(self) -> None:
                leave(self.server)

            def test_2_fails(self) -> None:
                self.app.fails = True
                leave(self.server)

        outcome = run_class(Tests)
        self.assertEqual([type(each) for each in outcome.raised], [AppError], outcome)
        self.assertIn("test_2_fails", outcome.errors[0][0].id())
        self.assertIsInstance(outcome.raised[0].__cause__, apps.Trouble)

    @each_base_and_scope
    def test_an_exception_whose_page_nobody_reads(self, base: Any, scope: str) -> None:
        left = threading.Event()

        def page() -> Iterator[bytes]:
            yield b"x"
            self.assertTrue(left.wait(5))
            while True:
                yield b"x" * 1000  # until it is told that its client has left

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            try:
                raise apps.Trouble("in the app")
            except apps.Trouble:
                start_response("500 Oops", [], sys.exc_info())
            return page()

        class Tests(base):  # type: ignore[misc]
            server_scope = scope

            @classmethod
            def create_app(cls) -> Any:
                return app

            def test_it(self) -> None:
                with Client(self.base_url) as client:
                    client.open("/").read(1)
                left.set()

        (error,) = run_class(Tests).raised
        self.assertIsInstance(error, AppError)
        self.assertIsInstance(error.__cause__, apps.Trouble)

    def test_requests_that_wait_for_each_other(self) -> None:
        """As many threads as the README says."""
        together = threading.Barrier(32)

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            together.wait(10)
            start_response("200 OK", [("Content-Length", "2")])
            return [b"ok"]

        with LiveServer(app) as server:
            clients = [Client(server.base_url) for _ in range(32)]
            for client in clients:
                self.addCleanup(client.close)
                client.send()
            self.assertEqual([each.receive().status for each in clients], [200] * 32)
