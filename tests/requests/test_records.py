"""What is written down of requests, and how long it is kept."""

import copy
import gc
import importlib.util
import pickle
import re
import socket
import time
import traceback
import unittest
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

from liveserver import AppError, LiveServer, LiveServerTestCase, ServedRequest
from liveserver._requests.log import RequestLog
from tests.helpers import apps
from tests.helpers.observed import (
    Shop,
    Thing,
    Trouble,
    needs_websockets,
    notes,
)
from tests.helpers.support import (
    Client,
    Outcome,
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    loops,
    run_class,
    until,
    with_loop,
)


class AsPickles:
    """What a parallel runner's result does: it sends exceptions through a pipe, as pickles."""

    def __init__(self, outcome: Outcome) -> None:
        self.sent = [pickle.dumps((type(error), error)) for error in outcome.raised]

    def received(self) -> list[BaseException]:
        return [pickle.loads(sent)[1] for sent in self.sent]


class PickleTests(StrictTestCase):
    """`AppError` goes where no exception of the app can go."""

    def test_copies(self) -> None:
        error = AppError("GET / \N{RIGHTWARDS ARROW} 500", "Traceback: here")
        error.add_note("a note")
        copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)]
        for each in (*copies, copy.copy(error), copy.deepcopy(error)):
            self.assertIs(type(each), AppError)
            self.assertEqual((str(each), each.traceback), (str(error), error.traceback))
            self.assertEqual(each.args, error.args)

    def test_copies_keep_their_notes(self) -> None:
        error = AppError("GET / \N{RIGHTWARDS ARROW} 500", "Traceback: here")
        error.add_note("a note")
        self.assertEqual(notes(pickle.loads(pickle.dumps(error))), ["a note"])

    @each_base_and_scope
    def test_through_a_pipe(self, base: Any, scope: str) -> None:
        class Unpicklable(Exception):
            """Local, so it cannot be pickled."""

        async def raise_it(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            raise Unpicklable("stays here")

        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=raise_it)
            server_scope = scope

            def test_1_one(self) -> None:
                get(self.base_url, "/one")

            def test_2_several(self) -> None:
                get(self.base_url, "/two")
                get(self.base_url, "/three")

            def test_3_a_failure(self) -> None:
                self.assertEqual(get(self.base_url).status, 200)

        outcome = run_class(Tests)
        sent = AsPickles(outcome)
        one, several, failure = sent.received()
        self.assertEqual([type(e) for e in (one, several)], [AppError, ExceptionGroup])
        text = "".join(traceback.format_exception(one))
        self.assertIn("GET /one", text)
        self.assertIn("Unpicklable: stays here", text)
        self.assertIn("in raise_it", text)
        assert isinstance(one, AppError)
        self.assertIn('raise Unpicklable("stays here")', one.traceback)
        text = "".join(traceback.format_exception(several))
        self.assertIn("GET /two", text)
        self.assertIn("GET /three", text)
        (note,) = notes(failure)
        self.assertIn('raise Unpicklable("stays here")', note)
        with self.assertRaises(Exception):  # noqa: B017  # the negative control
            pickle.dumps(outcome.raised[0].__cause__)


class FramesTests(StrictTestCase):
    """Nothing keeps the frames of a request after its test."""

    def run_plainly(self, tests: Any) -> unittest.TestResult:
        """Run a class with a result that keeps texts only, as unittest's does."""
        result = unittest.TestResult()
        unittest.TestLoader().loadTestsFromTestCase(tests).run(result)
        return result

    @each_base_and_scope
    def test_after_the_test(self, base: Any, scope: str) -> None:
        for loop in loops():
            for raises in (True, False):
                with self.subTest(loop=loop, raises=raises):
                    self.check(base, scope, loop, raises)

    def check(self, base: Any, scope: str, loop: str, raises: bool) -> None:
        shop = Shop()
        servers: list[LiveServer] = []
        logs: list[Any] = []
        alive: list[Any] = []

        class Tests(base):  # type: ignore[misc]
            server_scope = scope
            server_options = with_loop(loop)
            raise_server_errors = raises

            @classmethod
            def create_app(cls) -> Shop:
                return shop

            def setUp(self) -> None:
                super().setUp()
                servers.append(self.server)

            def test_1_raises(self) -> None:
                with self.assertLogs("uvicorn.error") as seen:
                    get(self.base_url, "/raise")
                logs.append(seen)

            def test_2_fails(self) -> None:
                self.assertEqual(get(self.base_url, "/raise").status, 200)

            def test_3_several(self) -> None:
                get(self.base_url, "/raise/1")
                get(self.base_url, "/raise/2")

            def test_4_expected(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/raise")

            def test_5_subtests(self) -> None:
                with self.subTest(number=1):
                    self.assertEqual(get(self.base_url, "/raise").status, 200)

            def test_6_is_alive(self) -> None:
                get(self.base_url, "/raise")
                gc.collect()
                alive.extend(thing() for thing in shop.things[-1:])  # the negative control

        for name in sorted(name for name in vars(Tests) if name.startswith("test_")):
            single = type(name, (Tests,), {})
            for other in vars(Tests):
                if other.startswith("test_") and other != name:
                    setattr(single, other, None)
            result = self.run_plainly(single)
            # A test that fails by itself has the app's exception in its note.
            silent = ("test_2_fails", "test_4_expected", "test_5_subtests")
            wanted = 0 if not raises or name in silent else 1
            self.assertEqual(len(result.errors), wanted, (name, result.errors))
            if name == "test_6_is_alive":
                self.assertIsInstance(alive.pop(), Thing)
            gc.collect()
            self.assertEqual([thing() for thing in shop.things if thing()], [], name)
        self.assertEqual(len(shop.things), 7)
        self.assertTrue(logs[0].records)
        # A record tells what it was for longer.
        self.assertTrue(all(server.requests[-1].error for server in servers))
        self.assertTrue(all(server.requests[-1].exception is None for server in servers))

    @each_base
    def test_between_the_tests_of_a_class(self, base: Any) -> None:
        shop = Shop()
        alive: list[Any] = []

        class Tests(base):  # type: ignore[misc]
            @classmethod
            def create_app(cls) -> Shop:
                return shop

            def tearDown(self) -> None:
                gc.collect()
                alive.append([ref() is not None for ref in shop.things])

            def test_1(self) -> None:
                get(self.base_url, "/raise")

            def test_2(self) -> None:
                get(self.base_url, "/raise")

            def test_3(self) -> None:
                pass

        self.assertEqual(len(self.run_plainly(Tests).errors), 2)
        self.assertEqual(alive, [[True], [False, True], [False, False]])

    def test_an_exception_that_somebody_keeps_keeps_them(self) -> None:
        # The negative control: this way of looking does see what is kept.
        shop = Shop()

        class Tests(LiveServerTestCase):
            app = shop

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble) as caught:
                    get(self.base_url, "/raise")
                kept.append(caught.exception)

        kept: list[BaseException] = []
        self.assertTrue(self.run_plainly(Tests).wasSuccessful())
        gc.collect()
        self.assertIsNotNone(shop.things[0]())
        kept.clear()
        gc.collect()
        self.assertIsNone(shop.things[0]())


class ServedRequestTests(StrictTestCase):
    """What `LiveServer.requests` tells."""

    def served(self, use: Callable[[LiveServer], None], **options: Any) -> ServedRequest:
        with LiveServer(Shop(), **options) as server:
            before = time.time()
            use(server)
            server.wait_idle(5)
            (request,) = server.requests
            self.assertGreaterEqual(request.started, before - 0.001)
            self.assertLessEqual(request.started, time.time())
            self.assertFalse(request.running)
            self.assertGreater(request.duration, 0)
            self.assertLess(request.duration, 5)
            assert request.client is not None
            self.assertEqual(request.client[0], "127.0.0.1")
            self.assertIs(type(request.client[1]), int)
        return request

    @unittest.skipUnless(importlib.util.find_spec("httptools"), "httptools is not installed")
    def test_trailers_that_come_after_the_response_are_no_headers(self) -> None:
        with LiveServer(apps.hello, uvicorn_config={"http": "httptools"}) as server:
            with socket.create_connection((server.host, server.port), 5) as client:
                client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                client.recv(1000)
                server.wait_idle(5)
                before = server.requests[-1].headers
                client.sendall(b"2\r\nab\r\n0\r\nX-Trailer: 1\r\n\r\n")
                client.shutdown(socket.SHUT_WR)
                while client.recv(1000):
                    pass
            self.assertEqual(server.requests[-1].headers, before)

    def test_an_app_that_answers_nothing(self) -> None:
        for loop in loops():
            app = apps.Faulty(handler=apps.answer_nothing)
            with self.subTest(loop=loop), LiveServer(app, **with_loop(loop)) as server:
                self.assertEqual(get(server.base_url).status, 500)
                server.wait_idle(5)
                self.assertEqual(server.requests[0].status, 500)

    def test_get(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                request = self.served(
                    lambda server: get(server.base_url, "/items/a%20b?x=1&y=%20") and None,
                    **with_loop(loop),
                )
                self.assertEqual(
                    (request.method, request.path, request.query),
                    ("GET", "/items/a b", "x=1&y=%20"),
                )
                self.assertEqual((request.http_version, request.scheme), ("1.1", "http"))
                self.assertEqual((request.status, request.response_bytes), (200, 4))
                self.assertEqual((request.exception, request.error), (None, ""))

    def test_the_client_is_who_asked(self) -> None:
        ports: list[int] = []

        def use(server: LiveServer) -> None:
            with Client(server.base_url) as client:
                client.get()
                ports.append(client.local_port)

        request = self.served(use)
        self.assertEqual(request.client, ("127.0.0.1", ports[0]))

    def test_post_and_head(self) -> None:
        def ask(method: str, body: bytes | None) -> Callable[[LiveServer], None]:
            def use(server: LiveServer) -> None:
                with Client(server.base_url) as client:
                    client.get("/items", method, body)

            return use

        post = self.served(ask("POST", b"x" * 100_000))
        self.assertEqual((post.method, post.path, post.status), ("POST", "/items", 200))
        head = self.served(ask("HEAD", None))
        self.assertEqual((head.method, head.status), ("HEAD", 200))

    def test_not_found(self) -> None:
        request = self.served(lambda server: get(server.base_url, "/missing/7?x=1") and None)
        self.assertEqual((request.status, request.response_bytes), (404, 8))
        self.assertRegex(str(request), r"^GET /missing/7\?x=1 \u2192 404 in \d+\.\d ms$")

    def test_raised(self) -> None:
        request = self.served(lambda server: get(server.base_url, "/raise/7") and None)
        self.assertIsInstance(request.exception, Trouble)
        self.assertEqual(request.error, "Trouble: no item for /raise/7")
        self.assertRegex(
            str(request),
            r"^GET /raise/7 \u2192 \S.* in \d+\.\d ms, raised Trouble: no item for /raise/7$",
        )

    def test_a_long_text_of_an_exception(self) -> None:
        for text, expected in (
            ("x" * 300, "x" * 300),
            ("x" * 150 + "y" + "z" * 150, "x" * 150 + " ... " + "z" * 150),
            ("two\nlines\x1b[0m", "two\\nlines\\x1b[0m"),
        ):

            async def fail(
                app: Any, receive: apps.Receive, send: apps.Send, text: str = text
            ) -> None:
                raise Trouble(text)

            with LiveServer(apps.Faulty(handler=fail)) as server:
                get(server.base_url)
                server.wait_idle(5)
                self.assertEqual(server.requests[0].error, f"Trouble: {expected}")

    def test_headers_that_are_not_bytes(self) -> None:
        for kind in (memoryview(b"text/event-stream"), "text/event-stream"):
            with self.subTest(kind=kind):

                async def stream(
                    app: Any,
                    receive: apps.Receive,
                    send: apps.Send,
                    kind: Any = kind,
                ) -> None:
                    headers = [(b"content-type", kind)]
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    await send({"type": "http.response.body", "body": b"1", "more_body": True})
                    await apps.hang(app, receive, send)

                options = {"uvicorn_config": {"http": "h11"}, "shutdown_timeout": 60}
                with (
                    LiveServer(apps.Faulty(handler=stream), **options) as server,  # type: ignore[arg-type]
                    Client(server.base_url) as client,
                ):
                    client.open("/").read(1)
                    server.wait_idle(5)  # it is an event stream, and not waited for

    def test_raised_before_the_response(self) -> None:
        statuses: list[int] = []
        request = self.served(lambda server: statuses.append(get(server.base_url, "/raise").status))
        self.assertEqual(statuses, [500])
        self.assertEqual(request.status, 500)

    def test_raised_after_the_response(self) -> None:
        request = self.served(lambda server: get(server.base_url, "/after/7") and None)
        self.assertEqual(request.status, 200)
        self.assertEqual(request.error, "Trouble: too late for /after/7")
        self.assertGreater(request.duration, 0.009)

    def test_streaming(self) -> None:
        def use(server: LiveServer) -> None:
            with Client(server.base_url) as client:
                client.open("/stream").read(9)
                # A client may have its bytes a moment before they are recorded.
                until(lambda: server.requests[0].response_bytes > 0)
                (request,) = server.requests
                self.assertEqual((request.status, request.running), (200, True))
                self.assertEqual(request.response_bytes, 9)
                self.assertRegex(str(request), r"^GET /stream \u2192 200, running for \d+\.\d ms$")
            until(lambda: not server.requests[0].running)

        request = self.served(use)
        self.assertEqual((request.status, request.response_bytes), (200, 9))

    def test_running(self) -> None:
        def use(server: LiveServer) -> None:
            with Client(server.base_url) as client:
                client.send("/hang")
                until(lambda: bool(server.requests))
                first = server.requests[0]
                self.assertTrue(first.running)
                self.assertIsNone(first.status)
                self.assertRegex(str(first), r"^GET /hang \u2192 no answer, running for \S+ ms$")
                until(lambda: server.requests[0].duration > first.duration)
            server.stop()
            server.start()

        request = self.served(use, shutdown_timeout=0.2)
        self.assertIsNone(request.status)
        self.assertIsNone(request.exception)

    @needs_websockets
    def test_websocket(self) -> None:
        from websockets.sync.client import connect

        def use(server: LiveServer) -> None:
            with connect(server.ws_url + "/echo?room=1") as client:
                client.send("hello")
                client.recv(5)
                (request,) = server.requests
                self.assertTrue(request.running)
            until(lambda: not server.requests[0].running)

        request = self.served(use)
        self.assertEqual((request.method, request.path, request.query), ("GET", "/echo", "room=1"))
        self.assertEqual((request.scheme, request.status), ("ws", 101))
        self.assertEqual(request.response_bytes, 5)
        self.assertRegex(str(request), r"^WebSocket /echo\?room=1 \u2192 101 in ")

    @needs_websockets
    def test_a_refused_websocket(self) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        async def refuse(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "websocket.close"})

        with LiveServer(apps.Faulty(handler=refuse)) as server:
            with self.assertRaises(InvalidStatus), connect(server.ws_url):
                pass
            until(lambda: not server.requests[0].running)
            self.assertEqual(server.requests[0].status, 403)

    def test_oldest_first_and_immutable(self) -> None:
        with LiveServer(Shop()) as server:
            self.assertEqual(server.requests, ())
            for index in range(3):
                get(server.base_url, f"/{index}")
            snapshot = server.requests
            get(server.base_url, "/3")
            self.assertEqual([request.path for request in snapshot], ["/0", "/1", "/2"])
            with self.assertRaises(AttributeError):
                snapshot[0].path = "/other"  # type: ignore[misc]
            with self.assertRaises(TypeError):
                snapshot[0] = snapshot[1]  # type: ignore[index]

    def test_it_survives_a_restart(self) -> None:
        server = LiveServer(Shop())
        with server:
            get(server.base_url, "/first")
            server.restart()
            get(server.base_url, "/second")
        self.assertEqual([request.path for request in server.requests], ["/first", "/second"])
        self.assertEqual([request.running for request in server.requests], [False, False])

    def test_it_keeps_nothing_of_uvicorn(self) -> None:
        cycles: list[weakref.ref[Any]] = []

        async def note(app: Any, receive: Any, send: apps.Send) -> None:
            cycles.append(weakref.ref(receive.__self__))
            await apps.answer(send, b"noted")

        for loop in loops():
            with (
                self.subTest(loop=loop),
                LiveServer(apps.Faulty(handler=note), **with_loop(loop)) as server,
            ):
                get(server.base_url)
                server.wait_idle(5)
                server.drop_connections()
                gc.collect()
                self.assertIsNone(cycles.pop()())
                self.assertEqual(len(server.requests), 1)

    def test_it_is_bounded(self) -> None:
        with mock.patch("liveserver._requests.log._MAX_RECORDS", 5):
            server = LiveServer(Shop())
        with server, Client(server.base_url) as client:
            for index in range(12):
                client.get(f"/{index}")
            self.assertEqual([r.path for r in server.requests], [f"/{i}" for i in range(7, 12)])
        log = RequestLog()
        records: list[Any] = [mock.Mock() for _ in range(10_003)]
        for record in records:
            log.append(record)
        self.assertEqual(log.since(), records[3:])
        self.assertEqual(log.since(10_001), records[10_001:])
        self.assertEqual(log.since(10_003), [])

    @each_base
    def test_a_test_of_more_requests_than_are_kept(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_1(self) -> None:
                with Client(self.base_url) as client:
                    for index in range(8):
                        client.get(f"/one/{index}")
                raise ZeroDivisionError

            def test_2(self) -> None:
                get(self.base_url, "/two")
                raise ZeroDivisionError

        with mock.patch("liveserver._requests.log._MAX_RECORDS", 5):
            outcome = run_class(Tests)
        (first,), (second,) = map(notes, outcome.raised)
        self.assertEqual(re.findall(r"/one/(\d)", first), list("34567"))
        self.assertNotIn("/one", second)
        self.assertIn("GET /two", second)
