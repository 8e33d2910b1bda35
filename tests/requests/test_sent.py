"""A record says what was asked and what was sent, not what was meant to be sent."""

import asyncio
import importlib.util
import logging
import socket
import threading
import unittest
from collections.abc import Iterator
from typing import Any

from liveserver import AppError, LiveServer
from tests.helpers import apps
from tests.helpers.observed import needs_websockets
from tests.helpers.support import (
    StrictTestCase,
    each_base_and_scope,
    get,
    loops,
    run_class,
    until,
)

START = {"type": "http.response.start", "status": 299, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"ab"}

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-%s\r\n\r\n"
)


def parsers() -> Iterator[str]:
    """The HTTP parsers that are installed, by uvicorn's names."""
    yield "h11"
    try:
        import httptools  # noqa: F401
    except ImportError:
        return
    yield "httptools"


def each_server() -> Iterator[dict[str, Any]]:
    """Options for a server on each loop with each parser."""
    for loop in loops():
        for http in parsers():
            yield {"loop": loop, "http": http, "lifespan": "off"}


def exchange(server: LiveServer, sent: bytes) -> bytes:
    """Send bytes on a connection, and return what comes until its end."""
    with socket.create_connection((server.host, server.port), 10) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while part := client.recv(65536):
            received += part
    return received


class SentTests(StrictTestCase):
    """What the app sent."""

    def check(self, app: Any, got: int | None, status: int | None, sent: int = 0) -> None:
        """Ask an app in each way: which status the client got, and which the record has."""
        for options in each_server():
            with (
                self.subTest(options=options),
                LiveServer(app, uvicorn_config=options) as server,
            ):
                with self.assertLogs("uvicorn.error"):
                    answer = exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    server.wait_idle(5)
                self.assertEqual(int(answer.split()[1]) if answer else None, got, answer)
                (request,) = server.requests
                self.assertEqual((request.status, request.response_bytes), (status, sent))

    def test_a_forgotten_await(self) -> None:
        async def forgetful(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            for coroutine in (send(START), send(BODY)):
                coroutine.close()  # or Python warns, too

        self.check(forgetful, 500, 500)

    def test_a_body_before_the_start(self) -> None:
        async def hasty(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await send(BODY)

        self.check(hasty, 500, 500)

    def test_one_that_sends_after_its_return(self) -> None:
        """uvicorn refuses what comes too late, and the app hears of it."""
        heard: list[BaseException] = []

        async def late(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await send(START)
            await send(BODY)
            try:
                await send(BODY)
            except RuntimeError as error:
                heard.append(error)
                raise

        for options in each_server():
            with self.subTest(options=options):
                heard.clear()
                with LiveServer(late, uvicorn_config=options) as server:
                    self.assertEqual(get(server.base_url).body, b"ab")
                    server.wait_idle(5)
                    (request,) = server.requests
                self.assertEqual((request.status, request.response_bytes), (299, 2))
                self.assertIn("response already completed", str(heard[0]))
                self.assertIs(request.exception, heard[0])

    def test_one_whose_background_work_goes_on(self) -> None:
        go_on = threading.Event()

        async def work(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            await apps.answer(send, b"done")
            await asyncio.to_thread(go_on.wait, 10)

        with LiveServer(apps.Faulty(handler=work)) as server:
            self.assertEqual(get(server.base_url).body, b"done")
            until(lambda: server.requests[0].answered_after is not None)
            (request,) = server.requests
            self.assertTrue(request.running)
            self.assertRegex(str(request), r"^GET / \u2192 200 in \d+\.\d ms$")
            go_on.set()

    @each_base_and_scope
    def test_a_returned_value(self, base: Any, scope: str) -> None:
        async def returning(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> Any:
            if scope["type"] == "lifespan":
                return None
            await send(START)
            await send(BODY)
            return {"a": "value"}

        class Tests(base):  # type: ignore[misc]
            app = returning
            server_scope = scope

            def test_it(self) -> None:
                assert get(self.base_url).body == b"ab"

        with self.assertLogs("uvicorn.error", logging.ERROR) as logs:
            (error,) = run_class(Tests).raised
        self.assertIs(type(error), AppError)
        self.assertIn("TypeError: The app returned {'a': 'value'}, not None.", str(error))
        self.assertIn("ASGI callable should return None", logs.output[0])


class AskedTests(unittest.TestCase):
    """What the client asked."""

    def ask(self, sent: bytes, **options: Any) -> Any:
        with LiveServer(apps.hello, uvicorn_config=options) as server:
            exchange(server, sent)
            server.wait_idle(5)
            (request,) = server.requests
        return request

    def test_path_and_headers(self) -> None:
        for http in parsers():
            with self.subTest(http=http):
                request = self.ask(
                    b"GET /a%2Fb/%0A?x=%20 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: \xff\r\n\r\n",
                    http=http,
                )
                self.assertEqual(request.path, "/a/b/\n")
                self.assertEqual(request.raw_path, b"/a%2Fb/%0A")
                self.assertEqual(request.query, "x=%20")
                self.assertEqual(
                    request.headers, ((b"host", b"x"), (b"x-a", b"1"), (b"x-a", b"\xff"))
                )
                self.assertRegex(str(request), r"^GET /a%2Fb/%0A\?x=%20 \u2192 200 in ")

    def test_the_root_path_is_not_put_in_front(self) -> None:
        for asked in (b"/items", b"/api/items"):
            with self.subTest(asked=asked):
                request = self.ask(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % asked, root_path="/api")
                self.assertEqual(request.raw_path, asked)
                self.assertEqual(request.path, asked.decode())

    def test_headers_are_bounded(self) -> None:
        lines = b"".join(b"x-%d: %s\r\n" % (i, b"v" * 1000) for i in range(40))
        sent = b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n"
        request = self.ask(sent, h11_max_incomplete_event_size=100_000)
        self.assertEqual(request.headers[:2], ((b"host", b"x"), (b"x-0", b"v" * 1000)))
        size = sum(len(name) + len(value) for name, value in request.headers)
        self.assertTrue(15_000 < size <= 16_384, size)


class ByUvicornTests(StrictTestCase):
    """What uvicorn answers by itself is recorded, as its own."""

    def test_what_it_cannot_read(self) -> None:
        for options in each_server():
            with (
                self.subTest(options=options),
                LiveServer(apps.hello, uvicorn_config=options) as server,
            ):
                with self.assertLogs("uvicorn.error"):
                    answer = exchange(server, b"GET / HTTP/1.1\r\nBad Header Name: 1\r\n\r\n")
                    until(lambda: len(server.requests) == 1)
                self.assertIn(b"400", answer)
                (request,) = server.requests
                self.assertTrue(request.by_uvicorn)
                self.assertEqual((request.status, request.running), (400, False))
                assert request.client is not None
                self.assertEqual(request.client[0], "127.0.0.1")
                self.assertEqual(
                    str(request),
                    "(invalid request) \u2192 400 by uvicorn, the app was not asked",
                )

    def test_what_is_over_the_limit(self) -> None:
        for options in each_server():
            options["limit_concurrency"] = 1
            with (
                self.subTest(options=options),
                LiveServer(apps.hello, uvicorn_config=options) as server,
            ):
                with self.assertLogs("uvicorn.error"):
                    answer = get(server.base_url, "/a?b=1")
                self.assertEqual(answer.status, 503)
                self.assertEqual(answer.headers["server"], "uvicorn")
                self.assertIsNotNone(answer.headers["date"])
                until(lambda: len(server.requests) == 1)
                (request,) = server.requests
                self.assertEqual((request.status, request.by_uvicorn), (503, True))
                self.assertIn("GET /a?b=1 \u2192 503 by uvicorn", str(request))

    def test_what_is_under_the_limit(self) -> None:
        # The negative control.
        options = {"limit_concurrency": 100}
        with LiveServer(apps.hello, uvicorn_config=options) as server:
            self.assertEqual(get(server.base_url).status, 200)
            server.wait_idle(5)
            self.assertEqual([each.by_uvicorn for each in server.requests], [False])

    @needs_websockets
    def test_a_refused_handshake(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        for ws in ("websockets-sansio", "wsproto"):
            if importlib.util.find_spec(ws.partition("-")[0]) is None:
                continue
            for http in parsers():
                with LiveServer(apps.hello, uvicorn_config={"ws": ws, "http": http}) as server:
                    other_version = b"Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 12"
                    for fault in (other_version, b"Version: 13"):  # which has no key
                        with self.subTest(ws=ws, http=http, fault=fault):
                            answer = exchange(server, HANDSHAKE % fault)
                            self.assertTrue(answer.startswith(b"HTTP/1.1 4"), answer)
                            server.wait_idle(5)
                            request = server.requests[-1]
                            self.assertEqual(request.status, int(answer.split()[1]))
                            self.assertTrue(request.by_uvicorn)

    @each_base_and_scope
    def test_in_the_note(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.hello
            server_scope = scope

            def test_it(self) -> None:
                logging.disable(logging.CRITICAL)
                self.addCleanup(logging.disable, logging.NOTSET)
                exchange(self.server, b"GET / HTTP/1.1\r\nBad Header Name: 1\r\n\r\n")
                until(lambda: bool(self.server.requests))
                self.fail()

        self.assertIn("400 by uvicorn, the app was not asked", str(run_class(Tests)))


class PipelinedTests(StrictTestCase):
    """Idle means that no request is left that uvicorn has read."""

    def test_wait_idle(self) -> None:
        async def slow(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.sleep(0.05)
            await apps.answer(send, b"slow")

        for options in each_server():
            with (
                self.subTest(options=options),
                LiveServer(slow, uvicorn_config=options) as server,
                socket.create_connection((server.host, server.port)) as client,
            ):
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
                server.wait_idle(5)
                ended = [(each.status, each.running) for each in server.requests]
                self.assertEqual(ended, [(200, False)] * 3)

    def test_one_that_uvicorn_refuses(self) -> None:
        """Its task ends without having asked the app."""
        go_on = asyncio.Event()

        async def hang(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await go_on.wait()
            await apps.answer(send, b"done")

        options = {"limit_concurrency": 2, "lifespan": "off"}
        with LiveServer(hang, uvicorn_config=options) as server:
            logging.disable(logging.CRITICAL)
            self.addCleanup(logging.disable, logging.NOTSET)
            with socket.create_connection((server.host, server.port)) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
                until(lambda: bool(server.requests))
                self.assertEqual(get(server.base_url).status, 503)
                server.call(go_on.set)
                server.wait_idle(5)
                answered = sorted(each.status or 0 for each in server.requests)
                self.assertEqual(answered, [200, 200, 503])
