"""liveserver.testclient: each test with the client in process, and with the one on the wire."""

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from liveserver import ConfigurationError, LiveServerTestCase
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, run_class

HAS_ALL = all(map(find_spec, ("starlette", "httpx2", "websockets")))

if HAS_ALL:
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import (
        JSONResponse,
        PlainTextResponse,
        RedirectResponse,
        Response,
        StreamingResponse,
    )
    from starlette.routing import Route, WebSocketRoute
    from starlette.testclient import TestClient as InProcess
    from starlette.testclient import WebSocketDenialResponse
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from liveserver.testclient import TestClient as OnTheWire
    from liveserver.testclient import keep_in_process

ROOT = Path(__file__).parent.parent.parent


class Trouble(Exception):
    """What the app raises."""


class Site:
    """An app with a route for each kind of response; `events` has what it did."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/{name}", getattr(self, name), methods=["GET", "POST"])
                    for name in ROUTES
                ),
                *(WebSocketRoute(f"/{name}", getattr(self, name)) for name in SOCKETS),
            ],
            lifespan=self.lifespan,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[dict[str, Any]]:
        self.events.append("startup")
        yield {"answer": 42}
        self.events.append("shutdown")

    async def seen(self, request: "Request") -> "Response":
        body = await request.body()
        return JSONResponse(
            {
                "url": str(request.url),
                "client": list(request.client or ()),
                "root_path": request.scope["root_path"],
                "headers": dict(request.headers),
                "state": dict(request.state._state),
                "cookies": request.cookies,
                "body": body.decode(),
            },
            headers={"x-made": "by the app"},
        )

    async def raises(self, request: "Request") -> "Response":
        raise Trouble("by the app")

    async def raises_late(self, request: "Request") -> "Response":
        return PlainTextResponse("ok", background=BackgroundTask(self._raise))

    async def _raise(self) -> None:
        raise Trouble("in the background")

    async def background(self, request: "Request") -> "Response":
        async def later() -> None:
            await asyncio.sleep(0.02)
            self.events.append("background")

        return PlainTextResponse("ok", background=BackgroundTask(later))

    async def cookie(self, request: "Request") -> "Response":
        response = RedirectResponse("/seen")
        response.set_cookie("name", "value")
        return response

    async def endless(self, request: "Request") -> "Response":
        async def lines() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"line\n"
                    await asyncio.sleep(0.001)
            finally:
                self.events.append("left")

        return StreamingResponse(lines())

    async def echo(self, socket: "WebSocket") -> None:
        await socket.accept(subprotocol="b", headers=[(b"x-made", b"by the app")])
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                message = await socket.receive()
                socket._raise_on_disconnect(message)
                if message.get("text") == "bye":
                    await socket.close(4000, "as asked")
                    return
                if message.get("text") is not None:
                    await socket.send_text(message["text"])
                else:
                    await socket.send_bytes(message["bytes"])

    async def closes_first(self, socket: "WebSocket") -> None:
        await socket.close(4001, "not today")

    async def denies(self, socket: "WebSocket") -> None:
        await socket.send_denial_response(PlainTextResponse("denied", status_code=418))

    async def raises_in_socket(self, socket: "WebSocket") -> None:
        await socket.accept()
        raise Trouble("in a socket")


METHODS = ["GET", "POST"]
ROUTES = ("seen", "raises", "raises_late", "background", "cookie", "endless")
SOCKETS = ("echo", "closes_first", "denies", "raises_in_socket")


def answering(body: bytes, *headers: tuple[bytes, bytes]) -> Any:
    """Return an app that sends these bytes as they are."""

    async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def each_client(test: Callable[[Any, Any, Any], None]) -> Callable[[Any], None]:
    """Run a test with each class."""

    @wraps(test)
    def both(self: Any) -> None:
        for cls in (InProcess, OnTheWire):
            with self.subTest(client=cls.__module__):
                test(self, cls, Site())

    return both


@unittest.skipUnless(HAS_ALL, "starlette, httpx2 or websockets is not installed")
class SameTests(StrictTestCase):
    """What both classes do alike."""

    @each_client
    def test_what_the_app_sees(self, cls: Any, site: Site) -> None:
        for options in (
            {},
            {"base_url": "https://shop.test:8443", "root_path": "/api", "client": ("ann", 7)},
        ):
            client = cls(site.app, headers={"x-mine": "1"}, cookies={"a": "b"}, **options)
            self.addCleanup(client.close)
            response = client.post("/seen?q=%20", content=b"body")
            self.assertEqual(response.headers["x-made"], "by the app")
            self.assertEqual(set(response.headers), {"x-made", "content-length", "content-type"})
            seen = response.json()
            self.assertEqual(seen["client"], ["ann", 7] if options else ["testclient", 50000])
            base = "https://shop.test:8443" if options else "http://testserver"
            self.assertEqual(seen["url"], f"{base}/seen?q=%20")
            self.assertEqual(seen["body"], "body")
            self.assertEqual(seen["cookies"], {"a": "b"})
            self.assertEqual(seen["headers"]["x-mine"], "1")
            self.assertEqual(seen["headers"]["user-agent"], "testclient")
            self.assertFalse([name for name in seen["headers"] if "liveserver" in name])
            self.assertEqual(seen["state"], {})

    @each_client
    def test_the_lifespan(self, cls: Any, site: Site) -> None:
        client = cls(site.app)
        client.get("/seen")
        self.assertEqual(site.events, [])
        for _ in range(2):
            with client:
                self.assertEqual(site.events, ["startup"])
                self.assertEqual(client.get("/seen").json()["state"], {"answer": 42})
                self.assertEqual(
                    client.portal.call(asyncio.sleep, 0, "from the loop"), "from the loop"
                )
            self.assertEqual(site.events, ["startup", "shutdown"])
            site.events.clear()
        client.close()

    @each_client
    def test_a_lifespan_that_raises(self, cls: Any, site: Site) -> None:
        for startup, shutdown in ((apps.raise_trouble, None), (None, apps.raise_trouble)):
            app = apps.Faulty(startup=startup, shutdown=shutdown)
            with self.assertRaises(apps.Trouble), cls(app):
                self.assertIsNone(startup)

    @each_client
    def test_exceptions_are_the_apps_own(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            for path, text in (("/raises", "by the app"), ("/raises_late", "in the background")):
                with self.assertRaisesRegex(Trouble, text):
                    client.get(path)
        with contextlib.closing(cls(site.app, raise_server_exceptions=False)) as client:
            self.assertEqual(client.get("/raises").status_code, 500)
            self.assertEqual(client.get("/raises_late").text, "ok")

    @each_client
    def test_background_tasks_have_run(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            client.get("/background")
            self.assertEqual(site.events, ["background"])

    @each_client
    def test_a_client_that_nobody_else_holds(self, cls: Any, site: Site) -> None:
        self.assertEqual(cls(site.app).get("/nowhere").status_code, 404)
        with cls(site.app).websocket_connect("/echo", subprotocols=["b"]) as socket:
            gc.collect()
            socket.send_text("a")
            self.assertEqual(socket.receive_text(), "a")

    @each_client
    def test_what_is_logged_is_logged_before_the_call_returns(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            for _ in range(20):
                with self.assertRaises(Trouble):
                    client.get("/raises_late")
                if cls is OnTheWire:
                    with self.assertNoLogs("uvicorn.error"):
                        client.get("/nowhere")

    @each_client
    def test_redirects_and_cookies(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            self.assertEqual(client.get("/cookie").json()["cookies"], {"name": "value"})
            response = client.get("/cookie", follow_redirects=False)
            self.assertEqual((response.status_code, response.headers["location"]), (307, "/seen"))
            self.assertEqual(client.get("/nowhere").status_code, 404)
            self.assertEqual(client.head("/seen").content, b"")

    @each_client
    def test_spaces_around_the_value_of_a_header(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            seen = client.get("/seen", headers={"x-mine": " \ta b\t "}).json()
            self.assertEqual(seen["headers"]["x-mine"].strip(), "a b")

    @each_client
    def test_a_base_url_with_port_0(self, cls: Any, site: Site) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            seen.append(scope["server"])
            await apps.answer(send, b"")

        seen: list[Any] = []
        with contextlib.closing(cls(app, base_url="http://[::1]:0")) as client:
            client.get("/")
        self.assertEqual(seen, [["::1", 0]])

    @each_client
    def test_a_client_that_is_closed_before_its_response(self, cls: Any, site: Site) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await apps.answer(send, b"page")
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                events.append("cancelled")
                raise

        if not hasattr(InProcess(app)._transport, "_open_requests"):
            self.skipTest("before Starlette 1.9, the client in process waits for the app")
        events: list[str] = []
        with contextlib.closing(cls(app)) as client:
            response = client.send(client.build_request("GET", "/"), stream=True)
            chunks = response.iter_raw()
            self.assertEqual(next(chunks), b"page")
        self.assertEqual(events, ["cancelled"])
        chunks.close()
        response.close()

    @each_client
    def test_sockets(self, cls: Any, site: Site) -> None:
        with contextlib.closing(cls(site.app)) as client:
            with client.websocket_connect("/echo", subprotocols=["a", "b"]) as socket:
                self.assertEqual(socket.accepted_subprotocol, "b")
                self.assertIn((b"x-made", b"by the app"), socket.extra_headers)
                socket.send_text("text")
                self.assertEqual(socket.receive_text(), "text")
                socket.send_bytes(b"bytes")
                self.assertEqual(socket.receive_bytes(), b"bytes")
                socket.send_json({"a": 1}, mode="binary")
                self.assertEqual(socket.receive_json(mode="binary"), {"a": 1})
                socket.send_text("bye")
                with self.assertRaises(WebSocketDisconnect) as caught:
                    socket.receive_text()
                self.assertEqual(
                    (caught.exception.code, caught.exception.reason), (4000, "as asked")
                )
            with (
                self.assertRaises(WebSocketDisconnect) as caught,
                client.websocket_connect("/closes_first"),
            ):
                pass
            self.assertEqual((caught.exception.code, caught.exception.reason), (4001, "not today"))
            with (
                self.assertRaises(WebSocketDenialResponse) as denied,
                client.websocket_connect("/denies"),
            ):
                pass
            self.assertEqual((denied.exception.status_code, denied.exception.text), (418, "denied"))
            with (
                self.assertRaisesRegex(Trouble, "in a socket"),
                client.websocket_connect("/raises_in_socket") as socket,
            ):
                socket.receive_text()

    def test_the_class(self) -> None:
        with contextlib.closing(OnTheWire(Site().app)) as client:
            self.assertIsInstance(client, InProcess)


@unittest.skipUnless(HAS_ALL, "starlette, httpx2 or websockets is not installed")
class WireTests(StrictTestCase):
    """What only a client on the wire can do, and what is left of it."""

    def test_an_endless_stream(self) -> None:
        site = Site()
        client = OnTheWire(site.app)
        with client.stream("GET", "/endless") as response:
            self.assertEqual(next(response.iter_lines()), "line")
        self.assertEqual(site.events, ["left"])
        client.close()

    def test_exceptions_have_no_other_context(self) -> None:
        with contextlib.closing(OnTheWire(Site().app)) as client:
            with (
                self.assertRaises(Trouble) as caught,
                client.websocket_connect("/raises_in_socket") as socket,
            ):
                socket.receive_text()
            self.assertIsNone(caught.exception.__context__)

    def test_other_clients_see_the_app(self) -> None:
        from tests.helpers.support import get

        with OnTheWire(Site().app) as client:
            url = client._running_server().base_url
            self.assertEqual(get(url, "/nowhere").status, 404)

    def test_faults_that_only_the_wire_shows(self) -> None:
        app = answering(b"too long", (b"content-length", b"5"))
        with contextlib.closing(InProcess(app)) as client:
            self.assertEqual(client.get("/").text, "too long")
        with contextlib.closing(OnTheWire(app)) as client, self.assertRaises(Exception) as caught:
            client.get("/")
        self.assertIn("Content-Length", str(caught.exception).title())

    def test_a_background_task_that_lasts(self) -> None:
        site = Site()
        with (
            mock.patch("liveserver._wire.transport._CHECK", 0.001),
            contextlib.closing(OnTheWire(site.app)) as client,
        ):
            client.get("/background")
        self.assertEqual(site.events, ["background"])

    def test_what_starlette_tells_of_templates(self) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if "debug" in scope["path"]:
                info = {"template": "page.html", "context": {"a": 1}}
                await send({"type": "http.response.debug", "info": info})
            elif "other" in scope["path"]:
                await send({"type": "http.response.debug", "info": {"other": 1}})
            elif "half" in scope["path"]:
                await send({"type": "http.response.debug", "info": {"template": "half.html"}})
            await apps.answer(send, b"page")

        for cls in (InProcess, OnTheWire):
            with self.subTest(client=cls.__module__), contextlib.closing(cls(app)) as client:
                response = client.get("/debug")
                self.assertEqual((response.template, response.context), ("page.html", {"a": 1}))
                debug = client.get("/other").extensions["http.response.debug"]
                self.assertEqual(debug, {"other": 1})
                self.assertEqual(client.get("/half").template, "half.html")

    def test_a_body_that_cannot_be_made(self) -> None:
        def body() -> Any:
            yield b"part"
            raise Trouble("no more")

        with (
            contextlib.closing(OnTheWire(Site().app)) as client,
            self.assertRaisesRegex(Trouble, "no more"),
        ):
            client.post("/seen", content=body())

    def test_an_app_that_dies_in_the_middle_of_a_body(self) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            raise Trouble("in the middle")

        with (
            contextlib.closing(OnTheWire(app)) as client,
            self.assertRaisesRegex(Trouble, "in the middle"),
        ):
            client.get("/")
        with (
            contextlib.closing(OnTheWire(app, raise_server_exceptions=False)) as client,
            self.assertRaisesRegex(Exception, "peer closed|incomplete|Server disconnected"),
        ):
            client.get("/")

    def test_an_illegal_header(self) -> None:
        app = answering(b"", (b"bad name", b"value"))
        with contextlib.closing(InProcess(app)) as client:
            self.assertEqual(client.get("/").status_code, 200)
        for raises in (True, False):
            with (
                contextlib.closing(OnTheWire(app, raise_server_exceptions=raises)) as client,
                self.assertRaises(Exception),  # noqa: B017
            ):
                client.get("/")

    def test_a_handler_that_does_not_hear_of_its_client(self) -> None:
        released = threading.Event()

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"part\n", "more_body": True})
            await asyncio.to_thread(released.wait, 20)

        with contextlib.closing(OnTheWire(app)) as client:
            with client.stream("GET", "/") as response:
                self.assertEqual(next(response.iter_raw()), b"part\n")
            released.set()  # the block was left before the handler has ended

    def test_sockets_that_end_otherwise(self) -> None:
        with contextlib.closing(OnTheWire(Site().app)) as client:
            with client.websocket_connect("/echo", subprotocols=["b"]) as socket:
                socket.close(1001)
                socket.send_text("too late")
                with self.assertRaises(WebSocketDisconnect):
                    socket.receive_text()
                socket.send({"type": "websocket.connect"})  # it is connected
            url = "/echo?\N{GREEK SMALL LETTER ALPHA}"
            with client.websocket_connect(url, subprotocols=["b"]) as socket:
                socket.send_text("a")
                self.assertEqual(socket.receive_text(), "a")

    def test_a_subprotocol_that_was_not_offered(self) -> None:
        for cls, expected in ((InProcess, None), (OnTheWire, "no subprotocols supported")):
            with contextlib.closing(cls(Site().app)) as client:
                context = self.assertRaisesRegex(Exception, expected) if expected else None
                with context or contextlib.nullcontext(), client.websocket_connect("/echo"):
                    pass

    def test_in_process(self) -> None:
        keep_in_process(True)
        self.addCleanup(keep_in_process, False)
        site = Site()
        client = OnTheWire(site.app)
        keep_in_process(False)
        self.assertEqual(client.get("/seen").status_code, 200)
        with client:
            with client.websocket_connect("/echo") as socket:
                socket.send_text("a")
                self.assertEqual(socket.receive_text(), "a")
            self.assertEqual(client.get("/seen").json()["state"], {"answer": 42})
        client.close()
        self.assertIsNone(client._live)

    def test_close_in_its_block(self) -> None:
        site = Site()
        with OnTheWire(site.app) as client:
            client.close()
            self.assertEqual(site.events, ["startup"])
        self.assertEqual(site.events, ["startup", "shutdown"])

    def test_without_what_it_needs(self) -> None:
        code = "import sys; sys.modules['websockets'] = None; import liveserver.testclient"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT
        )
        self.assertIn('needs websockets. Install it: pip install "liveserver[test', done.stderr)

    def test_requests_that_the_app_does_not_see(self) -> None:
        with contextlib.closing(OnTheWire(Site().app)) as client:
            self.assertEqual(client.request("FOO", "/seen").status_code, 400)
            with self.assertRaisesRegex(Exception, "[Ii]llegal header"):
                client.get("/seen", headers={"x y": "a"})

    def test_an_app_that_does_not_answer(self) -> None:
        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            pass

        for cls in (InProcess, OnTheWire):
            with (
                contextlib.closing(cls(app)) as client,
                self.assertRaisesRegex(AssertionError, "did not receive any response"),
            ):
                client.get("/")

    def test_it_has_no_timeout(self) -> None:
        with contextlib.closing(OnTheWire(Site().app, raise_server_exceptions=False)) as client:
            client.timeout = 0.001
            self.assertEqual(client.get("/background").text, "ok")

    def test_first_requests_from_several_threads(self) -> None:
        before = set(threading.enumerate())
        with contextlib.closing(OnTheWire(Site().app)) as client:
            with ThreadPoolExecutor(8) as pool:
                got = set(pool.map(lambda _: client.get("/seen").status_code, range(24)))
            self.assertEqual(got, {200})
        self.assertEqual(set(threading.enumerate()) - before, set())

    def test_a_socket_handler_that_does_not_read(self) -> None:
        seen = []

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            try:
                await asyncio.sleep(100)
            finally:
                seen.append("cancelled")

        with contextlib.closing(OnTheWire(app)) as client:
            with client.websocket_connect("/"):
                pass
            self.assertEqual(seen, ["cancelled"])

    def test_a_socket_handler_that_goes_on_after_its_close(self) -> None:
        seen: list[str] = []

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4002})
            await asyncio.to_thread(go_on.wait, 10)
            seen.append("went on")

        go_on = threading.Event()
        with contextlib.closing(OnTheWire(app)) as client:
            with client.websocket_connect("/") as socket:
                with self.assertRaises(WebSocketDisconnect) as caught:
                    socket.receive_text()
                self.assertEqual(caught.exception.code, 4002)
                go_on.set()
            self.assertEqual(seen, ["went on"])

    def test_trio_is_refused(self) -> None:
        with self.assertRaisesRegex(ConfigurationError, "uvicorn runs on asyncio"):
            OnTheWire(Site().app, backend="trio")

    def test_it_is_stopped(self) -> None:
        threads = threading.active_count()
        client = OnTheWire(Site().app)
        client.get("/seen")
        self.assertGreater(threading.active_count(), threads)
        del client
        self.assertEqual(threading.active_count(), threads)  # at once: there is no cycle

    def test_it_serves_again_after_a_stop(self) -> None:
        client = OnTheWire(Site().app)
        self.assertEqual(client.get("/seen").status_code, 200)
        client.stop()
        client.stop()
        self.assertEqual(client.get("/seen").status_code, 200)
        client.close()

    def test_at_the_end_of_the_test_that_made_it(self) -> None:
        made: list[Any] = []

        class Tests(LiveServerTestCase):
            app = apps.Recorder()

            def test_it(self) -> None:
                made.append(OnTheWire(Site().app))
                made[0].get("/seen")

        before = OnTheWire(Site().app)
        before.get("/seen")
        self.assertTrue(run_class(Tests).wasSuccessful())
        self.assertIsNone(made[0]._live)
        self.assertIsNotNone(before._live)
        before.close()


SUITE = """
import pytest, threading
from concurrent.futures import ThreadPoolExecutor
from starlette.testclient import TestClient
from starlette.responses import PlainTextResponse

async def app(scope, receive, send):
    await PlainTextResponse(threading.current_thread().name)(scope, receive, send)

client = TestClient(app)

def test_of_a_conftest(client_of_conftest):
    assert "liveserver" in client_of_conftest(app).get("/").text

def test_of_the_module(): assert "liveserver" in client.get("/").text
def test_again(): assert "liveserver" in client.get("/").text
def test_of_its_own(): assert "liveserver" in TestClient(app).get("/").text

@pytest.mark.liveserver_in_process
def test_in_process():
    assert "liveserver" not in TestClient(app).get("/").text
    assert "liveserver" not in client.get("/").text
    with ThreadPoolExecutor() as pool:
        assert "liveserver" not in pool.submit(TestClient, app).result().get("/").text
"""

SECOND = """
import test_it, threading

def test_no_servers():
    assert not any("liveserver" in each.name for each in threading.enumerate())

def test_servers_start_again():
    assert "liveserver" in test_it.client.get("/").text
"""

SWAP = ("-o", "liveserver_testclient=true")

CONFTEST = """
import pytest
from starlette.testclient import TestClient

@pytest.fixture
def client_of_conftest(): return TestClient
"""


@unittest.skipUnless(HAS_ALL, "starlette, httpx2 or websockets is not installed")
@unittest.skipUnless(find_spec("pytest"), "pytest is not installed")
class SwapTests(StrictTestCase):
    """One line for a whole suite."""

    seconds = 60

    def run_suite(self, *options: str, second: str = "", **others: str) -> str:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        for name, text in others.items():
            Path(folder, f"{name}.py").write_text(text, "utf-8")
        Path(folder, "test_it_second.py").write_text(second, "utf-8")
        Path(folder, "test_it.py").write_text(SUITE, "utf-8")
        Path(folder, "conftest.py").write_text(CONFTEST, "utf-8")
        plugin = ("-p", "liveserver.pytest_plugin")
        command = [sys.executable, "-m", "pytest", "-W", "error", *plugin, *options]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.stdout + done.stderr

    def test_it(self) -> None:
        out = self.run_suite(*SWAP)
        self.assertIn("5 passed", out)
        self.assertIn("\nliveserver_testclient: each TestClient has a real server\n", out)

    def test_without_it(self) -> None:
        out = self.run_suite()
        self.assertIn("4 failed, 1 passed", out)
        self.assertNotIn("liveserver_testclient", out)

    def test_without_what_it_needs(self) -> None:
        out = self.run_suite(*SWAP, websockets="raise ModuleNotFoundError('no', name='websockets')")
        self.assertEqual(
            out.strip(),
            "ERROR: liveserver_testclient = true: liveserver.testclient needs websockets. "
            'Install it: pip install "liveserver[testclient]"',
        )

    def test_servers_stop_at_the_end_of_their_module(self) -> None:
        self.assertIn("3 passed", self.run_suite(*SWAP, "-k", "again or servers", second=SECOND))
