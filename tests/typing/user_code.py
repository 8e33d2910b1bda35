"""Code as users write it; type-checked by mypy and pyright, not run.

Each mistake is a negative control: a checker that does not see it says that its comment is not
needed, and fails by that.
"""

import ssl
import unittest
from collections.abc import Awaitable, Sequence
from typing import Any, assert_type

import aiohttp
import requests

from liveserver import (
    AppError,
    BusyTimeout,
    IsolatedAsyncioLiveServerTestCase,
    LiveServer,
    LiveServerMixin,
    LiveServerTestCase,
    ServedRequest,
    ShutdownTimeout,
    StartupTimeout,
)


async def some_app(scope: Any, receive: Any, send: Any) -> None: ...


# The classes, their attributes and what these may be set to.


class HealthTests(LiveServerTestCase):
    app = "shop.main:app"
    server_scope = "test"
    server_options = {"startup_timeout": 30, "uvicorn_config": {"loop": "asyncio"}}
    raise_server_errors = False
    http_timeout = 5

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        assert_type(cls.base_url, str)
        assert_type(cls.server, LiveServer)

    def setUp(self) -> None:
        super().setUp()
        assert_type(self.base_url, str)
        assert_type(self.server, LiveServer)

    def test_session(self) -> None:
        assert_type(self.http, requests.Session)
        assert_type(self.http.get("/items").status_code, int)
        self.assertEqual(self.http.get("/items").json(), [])

    def test_session_is_not_the_other_one(self) -> None:
        self.http.ws_connect("/")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


class StreamTests(IsolatedAsyncioLiveServerTestCase):
    app = some_app

    async def test_session(self) -> None:
        assert_type(self.base_url, str)
        assert_type(self.server, LiveServer)
        assert_type(self.http, aiohttp.ClientSession)
        async with self.http.get("/events") as response:
            assert_type(response, aiohttp.ClientResponse)

    async def test_session_is_not_the_other_one(self) -> None:
        self.http.mount("/", None)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


class BuiltTests(LiveServerTestCase):
    server_options = {
        "factory": False,
        "host": "localhost",
        "port": 8000,
        "public_host": None,
        "tls": True,
        "startup_timeout": 1.5,
        "shutdown_timeout": 0,
        "uvicorn_config": None,
    }

    @classmethod
    def create_app(cls) -> Any:
        return some_app


class UserTestCase(unittest.TestCase):
    """Somebody else's."""

    def helper(self) -> int:
        return 1


class MixedTests(LiveServerMixin, UserTestCase):
    app = some_app

    def test_both(self) -> None:
        assert_type(self.base_url, str)
        assert_type(self.server, LiveServer)
        assert_type(self.helper(), int)
        assert_type(type(self).base_url, str)


class OwnBase(LiveServerTestCase):
    server_scope = "session"


class OwnTests(OwnBase):
    app = some_app

    def test_inherited(self) -> None:
        assert_type(self.http, requests.Session)


# What is a mistake on a class.


class WrongOption(LiveServerTestCase):
    server_options = {"startup_timeuot": 30}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]


class WrongValue(LiveServerTestCase):
    server_options = {"port": "80"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]


class WrongValueInAsyncio(IsolatedAsyncioLiveServerTestCase):
    server_options = {"tls": "yes"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]


class WrongScope(LiveServerTestCase):
    server_scope = 1  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class WrongSwitch(LiveServerTestCase):
    raise_server_errors = "no"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class WrongTimeout(IsolatedAsyncioLiveServerTestCase):
    http_timeout = "5"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


# The server by hand.


def by_hand() -> None:
    with LiveServer(some_app, port=0) as server:
        assert_type(server, LiveServer)
        assert_type(server.base_url, str)
        assert_type(server.ws_url, str)
        assert_type(server.host, str)
        assert_type(server.port, int)
        assert_type(server.running, bool)
        assert_type(server.ca_bundle, str)
        assert_type(server.client_ssl_context, ssl.SSLContext)
        assert_type(server.wait_idle(1), None)
        assert_type(server.drop_connections(), None)
        assert_type(server.restart(), None)


async def by_hand_in_a_loop() -> None:
    async with LiveServer("shop.main:build", factory=True) as server:
        assert_type(server, LiveServer)
        await server.await_idle(0.5)


def wrong_arguments() -> None:
    LiveServer(some_app, timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LiveServer(some_app, port="80")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LiveServer(some_app, True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LiveServer(some_app).start(5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def records(server: LiveServer) -> None:
    assert_type(server.requests, Sequence[ServedRequest])
    for request in server.requests:
        assert_type(request.path, str)
        assert_type(request.status, int | None)
        assert_type(request.client, tuple[str, int] | None)
        assert_type(request.duration, float)
        assert_type(request.exception, BaseException | None)
    server.requests[0].path = "/"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    server.requests.clear()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


# The server's loop: the result has the function's type, awaited if it is a coroutine.


def count(things: list[str]) -> int:
    return len(things)


async def count_later(things: list[str]) -> int:
    return len(things)


class Queue:
    def size(self) -> int:
        return 0

    async def get(self) -> str:
        return ""


def count_soon(things: list[str]) -> Awaitable[int]:
    return count_later(things)


def calls(server: LiveServer, queue: Queue) -> None:
    assert_type(server.call(count, ["x"]), int)
    assert_type(server.call(count_later, ["x"], timeout=1), int)
    assert_type(server.call(count_soon, ["x"]), int)
    assert_type(server.call(queue.size), int)
    assert_type(server.call(queue.get), str)
    server.call(count(["x"]))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    server.call(count, ["x"], timeout="1")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


async def calls_in_a_loop(server: LiveServer, queue: Queue) -> None:
    assert_type(await server.acall(count, ["x"]), int)
    assert_type(await server.acall(count_later, ["x"], timeout=1), int)
    assert_type(await server.acall(queue.size), int)
    assert_type(await server.acall(queue.get), str)


# Errors of the app that are right, and the package's own.


class RefundTests(LiveServerTestCase):
    app = some_app

    def test_the_context(self) -> None:
        with self.assertServerRaises(LookupError) as caught:
            self.http.post("/refunds/7")
        assert_type(caught.exception, BaseException)
        assert_type(caught.request, ServedRequest)
        with self.assertServerRaises((LookupError, ValueError)):
            pass
        with self.assertServerRaisesRegex(LookupError, "no order"):
            pass

    def test_what_it_takes(self) -> None:
        self.assertServerRaises("LookupError")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.assertServerRaises(int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.assertServerRaisesRegex(LookupError)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class AsyncioRefundTests(IsolatedAsyncioLiveServerTestCase):
    app = some_app

    async def test_the_context(self) -> None:
        async with self.assertServerRaises(LookupError) as caught:
            await self.http.post("/refunds/7")
        assert_type(caught.exception, BaseException)
        assert_type(caught.request, ServedRequest)


async def bound_and_watched(server: LiveServer) -> None:
    server.bind()
    with server.raises((LookupError, ValueError), match="no order") as caught:
        pass
    assert_type(caught.exception, BaseException)
    assert_type(caught.request, ServedRequest)
    async with server.raises(LookupError):
        pass
    with server.session(timeout=5) as http:
        assert_type(http, requests.Session)
    async with server.async_session() as client:
        assert_type(client, aiohttp.ClientSession)
    server.app.state.anything = 1  # its attributes are the user's
    server.raises("LookupError")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def errors(app: AppError, start: StartupTimeout, stop: ShutdownTimeout, busy: BusyTimeout) -> None:
    assert_type(app.traceback, str)
    assert_type(start.seconds, float)
    assert_type(stop.seconds, float)
    assert_type(stop.pending, tuple[str, ...])
    assert_type(busy.pending, tuple[str, ...])
