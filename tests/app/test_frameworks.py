"""One conversation with an app of each framework, and over TLS with each client."""

import asyncio
import http.client
import importlib
import importlib.util
import io
import json
import shutil
import subprocess
import tempfile
import unittest
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import requests

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServer, LiveServerTestCase
from tests.helpers.frameworks import DOWNLOAD, DOWNLOAD_SHA256, PIECES
from tests.helpers.support import Answer, StrictTestCase, in_thread, loops, run_class

JSON = {"content-type": "application/json"}
BYTES = {"content-type": "application/octet-stream"}

Body = bytes | None
Headers = Mapping[str, str]
# A client: method, path, body, headers, and whether to follow redirects.
Send = Callable[[str, str, Body, Headers, bool], Answer]


def is_installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


class Conversation:
    """The conversation; stands before a live server test case that sets `send`."""

    send: Send

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Body = None,
        headers: Headers | None = None,
        follow: bool = True,
    ) -> Answer:
        """Ask through the client, which keeps its cookies."""
        return self.send(method, path, body, headers or {}, follow)

    def ask_ok(self: Any, method: str, path: str, **options: Any) -> Answer:
        """Ask, and see that the answer is 200 OK."""
        answer: Answer = self.ask(method, path, **options)
        self.assertEqual(answer.status, 200, f"{method} {path}: {answer.body[:1000]!r}")
        return answer

    def test_text(self: Any) -> None:
        answer = self.ask_ok("GET", "/hello")
        self.assertEqual(answer.body, b"hello")
        self.assertEqual(answer.headers.get_content_type(), "text/plain")

    def test_json(self: Any) -> None:
        value = {"name": "café", "prices": [1, 2.5, None], "sold": True}
        answer = self.ask_ok("POST", "/json", body=json.dumps(value).encode(), headers=JSON)
        self.assertEqual(json.loads(answer.body), value)
        self.assertEqual(answer.headers.get_content_type(), "application/json")

    def test_unknown_path(self: Any) -> None:
        self.assertEqual(self.ask("GET", "/nowhere").status, 404)

    def test_redirect(self: Any) -> None:
        answer = self.ask("GET", "/redirect", follow=False)
        self.assertIn(answer.status, (302, 307))
        base_url = self.base_url
        self.assertEqual(urljoin(f"{base_url}/", answer.headers["location"]), f"{base_url}/hello")
        self.assertEqual(self.ask_ok("GET", "/redirect").body, b"hello")

    def test_cookie(self: Any) -> None:
        self.assertEqual(self.ask_ok("GET", "/cookie/read").body, b"")
        answer = self.ask_ok("GET", "/cookie")
        self.assertRegex(answer.headers["set-cookie"], r'^visit="?1"?(;|$)')
        self.assertEqual(self.ask_ok("GET", "/cookie/read").body, b"1")

    def test_upload(self: Any) -> None:
        answer = self.ask_ok("POST", "/upload", body=DOWNLOAD, headers=BYTES)
        receipt = {"bytes": len(DOWNLOAD), "sha256": DOWNLOAD_SHA256}
        self.assertEqual(json.loads(answer.body), receipt)

    def test_download(self: Any) -> None:
        answer = self.ask_ok("GET", "/download")
        self.assertEqual(answer.headers["content-length"], str(len(DOWNLOAD)))
        self.assertTrue(answer.body == DOWNLOAD, "other bytes")  # a diff would take minutes

    def test_stream(self: Any) -> None:
        answer = self.ask_ok("GET", "/stream")
        self.assertEqual(answer.body.decode(), "".join(PIECES))
        self.assertEqual(answer.headers["transfer-encoding"], "chunked")
        self.assertNotIn("content-length", answer.headers)

    def test_head(self: Any) -> None:
        self.assertEqual(self.ask_ok("HEAD", "/hello").body, b"")
        self.assertEqual(self.ask_ok("GET", "/hello").body, b"hello")

    def test_path(self: Any) -> None:
        self.assertEqual(self.ask_ok("GET", "/path/caf%C3%A9%20%26").body.decode(), "café &")


STEPS: dict[str, Callable[[Any], None]] = {
    name: step for name, step in vars(Conversation).items() if name.startswith("test_")
}


def make_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """Make an answer of what a client gives."""
    message = http.client.HTTPMessage()
    for name, value in headers:
        message[name] = value
    return Answer(status, message, body)


def with_requests(session: requests.Session) -> Send:
    """Ask through a session of requests."""

    def send(method: str, path: str, body: Body, headers: Headers, follow: bool) -> Answer:
        answer = session.request(method, path, data=body, headers=headers, allow_redirects=follow)
        return make_answer(answer.status_code, answer.headers.items(), answer.content)

    return send


def with_httpx(client: Any) -> Send:
    """Ask through a client of httpx."""

    def send(method: str, path: str, body: Body, headers: Headers, follow: bool) -> Answer:
        answer = client.request(
            method, path, content=body, headers=headers, follow_redirects=follow
        )
        return make_answer(answer.status_code, answer.headers.multi_items(), answer.content)

    return send


def with_aiohttp(session: aiohttp.ClientSession) -> Send:
    """Ask through a session of aiohttp, from a thread beside its loop."""
    loop = asyncio.get_running_loop()

    def send(method: str, path: str, body: Body, headers: Headers, follow: bool) -> Answer:
        async def on_loop() -> Answer:
            data = io.BytesIO(body) if body is not None else None  # it warns of many bytes
            async with session.request(
                method, path, data=data, headers=headers, allow_redirects=follow
            ) as answer:
                return make_answer(answer.status, answer.headers.items(), await answer.read())

        return asyncio.run_coroutine_threadsafe(on_loop(), loop).result(15)

    return send


def with_curl(server: LiveServer, folder: Path) -> Send:
    """Ask through curl, which keeps its cookies in a folder."""
    jar, head, content = (folder / name for name in ("cookies", "head", "content"))
    jar.touch()
    command = ["curl", "--disable", "--silent", "--show-error", "--noproxy", "*"]
    command += ["--max-time", "10", "--cacert", server.ca_bundle]
    command += ["--cookie", str(jar), "--cookie-jar", str(jar)]
    command += ["--dump-header", str(head), "--output", str(content)]

    def send(method: str, path: str, body: Body, headers: Headers, follow: bool) -> Answer:
        content.write_bytes(b"")  # curl makes no file of an empty body
        options = ["--head"] if method == "HEAD" else ["--request", method]
        options += ["--location"] if follow else []
        options += ["--data-binary", "@-"] if body is not None else []
        for name, value in headers.items():
            options += ["--header", f"{name}: {value}"]
        done = subprocess.run(
            [*command, *options, f"{server.base_url}{path}"],
            input=body or b"",
            capture_output=True,
            timeout=15,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), done
        # One head for each redirect, and one for "100 Continue".
        lines = io.BytesIO(head.read_bytes().rstrip().rpartition(b"\r\n\r\n")[2] + b"\r\n\r\n")
        status = int(lines.readline().split()[1])
        shown = b"" if method == "HEAD" else content.read_bytes()
        return Answer(status, http.client.parse_headers(lines), shown)

    return send


class RequestsConversation(Conversation):
    """The conversation through requests."""

    def setUp(self: Any) -> None:
        LiveServerTestCase.setUp(self)
        self.send = with_requests(self.http)


class ConversationTestCase(StrictTestCase):
    """Runs the conversation on each loop."""

    def assert_passes(self, bases: tuple[type[Any], ...], app: str, **options: Any) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server_options = {"uvicorn_config": {"loop": loop}, **options}
                attributes = {"app": app, "server_options": server_options}
                outcome = run_class(type("Tests", bases, attributes))
                self.assertTrue(outcome.wasSuccessful(), outcome)
                self.assertEqual(outcome.testsRun, len(STEPS))
                self.assertEqual(outcome.skipped, [])


class FrameworkTests(ConversationTestCase):
    """Apps of each framework answer alike."""

    def converse(self, module: str, *packages: str) -> None:
        for package in packages:
            if not is_installed(package):
                self.skipTest(f"{package} is not installed")
        with warnings.catch_warnings():
            # What a framework imports is its own affair; what it does afterwards is not.
            warnings.simplefilter("ignore", DeprecationWarning)
            importlib.import_module(f"tests.helpers.frameworks.{module}")
        self.assert_passes(
            (RequestsConversation, LiveServerTestCase), f"tests.helpers.frameworks.{module}:app"
        )

    def test_asgi(self) -> None:
        self.converse("with_asgi")

    def test_wsgi(self) -> None:
        self.converse("with_wsgi", "a2wsgi")

    def test_fastapi(self) -> None:
        self.converse("with_fastapi", "fastapi")

    def test_starlette(self) -> None:
        self.converse("with_starlette", "starlette")

    def test_litestar(self) -> None:
        self.converse("with_litestar", "litestar")

    def test_quart(self) -> None:
        self.converse("with_quart", "quart")

    def test_django(self) -> None:
        self.converse("with_django", "django")

    def test_django_wsgi(self) -> None:
        self.converse("with_django_wsgi", "django", "a2wsgi")

    def test_falcon(self) -> None:
        self.converse("with_falcon", "falcon")

    def test_falcon_wsgi(self) -> None:
        self.converse("with_falcon_wsgi", "falcon", "a2wsgi")

    def test_flask(self) -> None:
        self.converse("with_flask", "flask", "a2wsgi")

    def test_bottle(self) -> None:
        self.converse("with_bottle", "bottle", "a2wsgi")


@unittest.skipUnless(is_installed("trustme"), "trustme is not installed")
class TLSTests(ConversationTestCase):
    """Each client has the conversation over https, and verifies the certificate."""

    def converse(self, *bases: type[Any]) -> None:
        self.assert_passes(bases, "tests.helpers.frameworks.with_asgi:app", tls=True)

    def test_requests(self) -> None:
        self.converse(RequestsConversation, LiveServerTestCase)

    def test_aiohttp(self) -> None:
        def in_thread_of(step: Callable[[Any], None]) -> Any:
            async def test(case: Any) -> None:
                case.send = with_aiohttp(case.http)
                await in_thread(step, case)

            return test

        steps = {name: in_thread_of(step) for name, step in STEPS.items()}
        aiohttp_conversation = type("AiohttpConversation", (Conversation,), steps)
        self.converse(aiohttp_conversation, IsolatedAsyncioLiveServerTestCase)

    @unittest.skipUnless(is_installed("httpx"), "httpx is not installed")
    def test_httpx(self) -> None:
        import httpx

        class HttpxCase(Conversation, LiveServerTestCase):
            def setUp(self) -> None:
                super().setUp()
                context = self.server.client_ssl_context
                client = httpx.Client(
                    base_url=self.base_url, verify=context, trust_env=False, timeout=10
                )
                self.send = with_httpx(self.enterContext(client))

        self.converse(HttpxCase)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self) -> None:
        class CurlCase(Conversation, LiveServerTestCase):
            def setUp(self) -> None:
                super().setUp()
                folder = self.enterContext(tempfile.TemporaryDirectory())
                self.send = with_curl(self.server, Path(folder))

        self.converse(CurlCase)
