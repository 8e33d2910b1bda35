"""HTTP/2, which uvicorn speaks by the package zttp."""

import asyncio
import importlib.util
import unittest
from collections.abc import Iterator
from typing import Any

from liveserver import LiveServer, LiveServerTestCase
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, loops, run_class

NEEDED = ("zttp", "httpx", "h2")
MISSING = [package for package in NEEDED if importlib.util.find_spec(package) is None]


def options(loop: str) -> dict[str, Any]:
    return {"uvicorn_config": {"http": "zttp", "http2": True, "loop": loop}}


class Both:
    """An app with an event stream, a handler that waits to be released, and one that raises."""

    def __init__(self, stream: apps.Stream) -> None:
        self.stream = stream
        self.released = asyncio.Event()

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["path"] == "/events":
            try:
                await self.stream(scope, receive, send)
            finally:
                self.released.set()
        elif scope["path"] == "/raise":
            raise apps.Trouble("out of order")
        elif scope["path"] == "/wait":
            await self.released.wait()
            await apps.answer(send, b"released")
        else:
            await apps.hello(scope, receive, send)


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class HTTP2Tests(StrictTestCase):
    """Requests over HTTP/2 are served, witnessed and stopped as others are."""

    def servers(self, make_app: Any, **more: Any) -> Iterator[LiveServer]:
        for loop in loops():
            with self.subTest(loop=loop), LiveServer(make_app(), **options(loop), **more) as server:
                yield server

    def test_over_tls(self) -> None:
        import httpx

        for server in self.servers(lambda: apps.hello, tls=True):
            verify = server.client_ssl_context
            for http2, version in ((True, "2"), (False, "1.1")):  # the client has the choice
                with httpx.Client(http2=http2, verify=verify, trust_env=False) as client:
                    answer = client.get(server.base_url)
                self.assertEqual((answer.text, answer.http_version), ("hello", f"HTTP/{version}"))
                request = server.requests[-1]
                self.assertEqual((request.http_version, request.scheme), (version, "https"))

    def test_without_tls(self) -> None:
        import httpx

        for server in self.servers(lambda: apps.hello):
            with httpx.Client(http1=False, http2=True, trust_env=False) as client:
                self.assertEqual(client.get(server.base_url).http_version, "HTTP/2")
            self.assertEqual(server.requests[-1].http_version, "2")

    def test_an_exception_fails_its_test_and_not_the_connection(self) -> None:
        import httpx

        class Tests(LiveServerTestCase):
            server_options = options("asyncio")

            @classmethod
            def create_app(cls) -> Both:
                return Both(apps.Stream())

            def test_it(self) -> None:
                with httpx.Client(http1=False, http2=True, trust_env=False) as client:
                    for path, status in (("/raise", 500), ("/", 200)):
                        self.assertEqual(client.get(self.base_url + path).status_code, status)

        (error,) = run_class(Tests).raised
        self.assertRegex(str(error), r"^GET /raise → 500 in .*raised Trouble: out of order")

    def test_a_stream_is_cut_at_the_stop_and_its_neighbour_has_its_time(self) -> None:
        for stream in (apps.Stream, apps.DeafStream):
            for server in self.servers(lambda: Both(stream()), shutdown_timeout=10):  # noqa: B023
                self.assertEqual(asyncio.run(self.stop_between(server)), "released")
                self.assertFalse(server.running)

    async def stop_between(self, server: LiveServer) -> str:
        """Stop a server of which one connection has a stream and a request that waits for it."""
        import httpx

        async with (
            asyncio.timeout(10),
            httpx.AsyncClient(http1=False, http2=True, trust_env=False, timeout=10) as client,
            client.stream("GET", f"{server.base_url}/events") as events,
        ):
            lines = events.aiter_lines()
            self.assertEqual(await anext(lines), "data: 1")
            waiting = asyncio.create_task(client.get(f"{server.base_url}/wait"))
            while len(server.requests) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            answer = await waiting
            await stopping
            return answer.text
