"""LiveServer.session and async_session: HTTP clients that are bound to the URL of a server."""

import math
import unittest
from importlib.util import find_spec
from typing import Any

from aiohttp import ServerTimeoutError
from requests.exceptions import ReadTimeout

from liveserver import ConfigurationError, LiveServer, NotRunningError
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, run_class

needs_trustme = unittest.skipUnless(find_spec("trustme"), "trustme is not installed")


async def visits(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    """Count the visits of a client, which keeps the number in a cookie."""
    if scope["path"] == "/hang":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    cookie = dict(scope["headers"]).get(b"cookie", b"visits=0")
    number = int(cookie.partition(b"=")[2]) + 1
    headers = [(b"set-cookie", b"visits=%d; Path=/" % number)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"%d" % number})


def make_server(**options: Any) -> LiveServer:
    return LiveServer(visits, uvicorn_config={"lifespan": "off"}, **options)


class SessionTests(StrictTestCase):
    """A `requests.Session`."""

    def test_two_users(self) -> None:
        with make_server() as server, server.session() as ann, server.session() as ben:
            self.assertEqual([ann.get("/").text, ann.get("page").text, ben.get("/").text], [*"121"])
            self.assertEqual(ann.get(server.base_url).text, "3")
            self.assertEqual(f"{ann}", f"<requests.Session of {server.base_url}>")

    @needs_trustme
    def test_tls(self) -> None:
        with make_server(tls=True) as server, server.session() as session:
            self.assertEqual(session.get("/").text, "1")

    def test_the_timeout(self) -> None:
        with make_server() as server:
            with server.session(timeout=0.05) as session, self.assertRaises(ReadTimeout):
                session.get("/hang")
            with server.session(timeout=math.inf) as session:
                self.assertEqual(session.get("/").text, "1")

    def test_mistakes(self) -> None:
        server = make_server()
        with self.assertRaisesRegex(NotRunningError, "start"):
            server.session()
        for bad in (0, -1, "5", None, True):
            with (
                self.subTest(bad=bad),
                self.assertRaisesRegex(ConfigurationError, r"^The timeout of session\(\) is "),
            ):
                server.session(bad)  # type: ignore[arg-type]

    def test_of_a_bound_server(self) -> None:
        server = make_server()
        server.bind()
        with server.session() as session, server:
            self.assertEqual(session.get("/").text, "1")


class AsyncSessionTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """An `aiohttp.ClientSession`."""

    async def test_two_users(self) -> None:
        async with (
            make_server() as server,
            server.async_session() as ann,
            server.async_session() as ben,
        ):
            for session, expected in ((ann, "1"), (ann, "2"), (ben, "1")):
                async with session.get("/") as response:
                    self.assertEqual(await response.text(), expected)

    @needs_trustme
    async def test_tls(self) -> None:
        async with (
            make_server(tls=True) as server,
            server.async_session() as session,
            session.get("/") as response,
        ):
            self.assertEqual(await response.text(), "1")

    async def test_the_timeout(self) -> None:
        async with make_server() as server, server.async_session(timeout=0.05) as session:
            with self.assertRaises(ServerTimeoutError):
                await session.get("/hang")

    async def test_mistakes(self) -> None:
        server = make_server()
        with self.assertRaises(NotRunningError):
            server.async_session()
        with self.assertRaisesRegex(ConfigurationError, r"^The timeout of async_session\(\) is 0"):
            server.async_session(0)


class WithoutALoopTests(StrictTestCase):
    """A synchronous test has no loop for an `aiohttp.ClientSession`."""

    def test_it(self) -> None:
        class Tests(unittest.TestCase):
            def test_it(self) -> None:
                with make_server() as server:
                    server.async_session()

        outcome = run_class(Tests)
        self.assertEqual([type(each) for each in outcome.raised], [ConfigurationError])
        self.assertIn("session()", str(outcome.raised[0]))
