"""Ways to have a server for a test, each as one function that runs through one whole cycle.

A maker gets the kind of the event loop, imports what it needs (so that a missing package shows
as `ModuleNotFoundError` before anything is measured) and returns the cycle: start, ask once if
told to, stop. Whatever a user of the contender pays once for the process is paid in the maker.
"""

import asyncio
import atexit
import logging
import socket
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks._common import (
    BODY,
    HOST,
    app,
    ask,
    check,
    listening_socket,
    loop_factory,
)

__all__ = [
    "CONTENDERS",
    "DJANGO",
    "FLOOR",
    "HELPER",
    "LIVESERVER",
    "TESTCLIENT",
    "BareServer",
    "Contender",
    "Cycle",
    "client_class",
]

Cycle = Callable[[bool], None]

# A contender that does not come up or go down within this ends the run. Seconds.
PATIENCE = 10.0


@dataclass(frozen=True)
class Contender:
    """One row of the table.

    Attributes:
        name: What the table calls it.
        make: Its maker.
        slow: It takes tenths of seconds, and is measured less often.
        own_loop: It has an event loop, so that the kind of the loop matters.
    """

    name: str
    make: Callable[[str], Cycle]
    slow: bool = False
    own_loop: bool = True


# --- the floor: what a thread, a loop and a socket cost without any server software -------------


def make_floor(kind: str) -> Cycle:
    """A bare `asyncio.start_server` in a thread of its own."""
    new_loop = loop_factory(kind)

    def cycle(asks: bool) -> None:
        server = BareServer(new_loop)
        server.start()
        if asks:
            ask(server.port)
        server.stop()

    return cycle


HEAD = (
    b"HTTP/1.1 200 OK\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\nserver: bare\r\n"
    b"content-type: text/plain\r\ncontent-length: %d\r\n" % len(BODY)
)
ANSWER = HEAD + b"\r\n" + BODY
LAST_ANSWER = HEAD + b"connection: close\r\n\r\n" + BODY


class BareServer:
    """The least that can be called a server: it reads the head of a request and answers `BODY`.

    Its answer has the headers that uvicorn sends, and the connection is kept if the client does not
    say otherwise, so that a client has the same work with it.
    """

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._new_loop = new_loop
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()

    def start(self) -> None:
        self._socket = listening_socket()
        self.port: int = self._socket.getsockname()[1]
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise TimeoutError("the bare server is not ready")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        _join(self._thread)

    def _run(self) -> None:
        self._loop = self._new_loop()
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._answer, sock=self._socket)
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for writer in list(self._writers):
            writer.close()
        await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            keeps = True
            while keeps:
                keeps = b"Connection: close" not in await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER if keeps else LAST_ANSWER)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # the client has left
        finally:
            writer.close()
            self._writers.discard(writer)


# --- liveserver ---------------------------------------------------------------------------------


def make_liveserver(kind: str) -> Cycle:
    """A fresh `LiveServer` for each cycle, as `server_scope = "test"` has it."""
    from liveserver import LiveServer

    def cycle(asks: bool) -> None:
        server = LiveServer(app, uvicorn_config={"loop": kind})
        server.start()
        if asks:
            ask(server.port)
        server.stop()

    return cycle


# --- uvicorn, as it comes -----------------------------------------------------------------------
#
# Both get log_config=None: with uvicorn's default the first server would change the loggers that
# liveserver's uvicorn writes to as well, and the contenders would no longer be independent.


def make_uvicorn(kind: str) -> Cycle:
    """uvicorn's own `Server.run` in a thread, on a socket that is open before."""
    import uvicorn

    def cycle(asks: bool) -> None:
        server = uvicorn.Server(uvicorn.Config(app, loop=kind, log_config=None))
        listener = listening_socket()
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        _poll(lambda: server.started, every=0.001)
        if asks:
            ask(port)
        server.should_exit = True
        _join(thread)

    return cycle


def make_usual_helper(kind: str) -> Cycle:
    """What people write: find a free port, start uvicorn on it, try until it answers."""
    import uvicorn

    def cycle(asks: bool) -> None:
        port = _free_port()
        config = uvicorn.Config(app, host=HOST, port=port, loop=kind, log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        _poll(lambda: _accepts(port), every=0.2)
        if asks:
            ask(port)
        server.should_exit = True
        _join(thread)

    return cycle


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


# --- other frameworks' own ----------------------------------------------------------------------


def make_django(kind: str) -> Cycle:
    """Django's `LiveServerTestCase`; a WSGI server, so the kind of the loop changes nothing."""
    from tests.benchmarks._django import cycle

    return cycle


def make_aiohttp(kind: str) -> Cycle:
    """aiohttp's `TestServer` in a running loop.

    The loop is made once, outside of the measured time: aiohttp's users have it anyway, it is
    their test's. So this contender pays neither for a loop nor for a thread.
    """
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    loop = loop_factory(kind)()
    atexit.register(loop.close)

    async def hello(request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async def whole(asks: bool) -> None:
        application = web.Application()
        application.router.add_get("/", hello)
        async with TestServer(application) as server:
            if asks:
                assert server.port is not None
                # The client of all others, in the loop's worker thread: it blocks, and the
                # server needs this one. The worker exists since the warm-up, so a hand-over
                # between two threads is all that it adds, and a server in a thread has that too.
                await loop.run_in_executor(None, ask, server.port)

    def cycle(asks: bool) -> None:
        loop.run_until_complete(whole(asks))

    return cycle


def make_testclient(kind: str) -> Cycle:
    """Starlette's `TestClient`: no socket and no HTTP; asked through its own `get`."""
    make = client_class()
    options = {"use_uvloop": kind == "uvloop"}

    def cycle(asks: bool) -> None:
        with make(app, backend_options=options) as client:
            if asks:
                response = client.get("/", headers={"Connection": "close"})
                check(response.status_code, response.content)

    return cycle


def client_class() -> Any:
    """Return Starlette's `TestClient`.

    Raises:
        ModuleNotFoundError: It, or the HTTP package that it needs, is not installed.
    """
    with warnings.catch_warnings():
        # Which HTTP package it would rather have is not what is measured here.
        warnings.simplefilter("ignore")
        try:
            from starlette.testclient import TestClient
        except RuntimeError as error:  # Starlette's own word for a missing HTTP package
            raise ModuleNotFoundError(str(error).splitlines()[0]) from error
    return TestClient


def make_werkzeug(kind: str) -> Cycle:
    """werkzeug's `make_server` with its `serve_forever` in a thread, as Flask's users write it."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it prints each request

    def hello(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain"), ("content-length", "5")])
        return [BODY]

    def cycle(asks: bool) -> None:
        server = make_server(HOST, 0, hello)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        if asks:
            ask(server.server_port)
        server.shutdown()
        _join(thread)
        server.server_close()

    return cycle


def make_httpserver(kind: str) -> Cycle:
    """pytest-httpserver, without the fixture that shares one server among all tests."""
    from pytest_httpserver import HTTPServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def cycle(asks: bool) -> None:
        server = HTTPServer(host=HOST, port=0)
        server.expect_request("/").respond_with_data(BODY, content_type="text/plain")
        server.start()
        if asks:
            ask(server.port)
        server.stop()

    return cycle


# --- waiting ------------------------------------------------------------------------------------


def _poll(done: Callable[[], bool], *, every: float) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the server is not ready")
        time.sleep(every)


def _join(thread: threading.Thread) -> None:
    thread.join(PATIENCE)
    if thread.is_alive():
        raise TimeoutError("the server's thread does not end")


FLOOR = Contender("bare asyncio server in a thread (floor)", make_floor)
LIVESERVER = Contender("liveserver", make_liveserver)
HELPER = Contender("the usual helper", make_usual_helper, slow=True)
DJANGO = Contender("Django LiveServerTestCase", make_django, slow=True, own_loop=False)
TESTCLIENT = Contender("Starlette TestClient (no socket)", make_testclient)
CONTENDERS = (
    FLOOR,
    LIVESERVER,
    Contender("aiohttp TestServer (in a given loop)", make_aiohttp),
    TESTCLIENT,
    Contender("uvicorn Server.run in a thread", make_uvicorn, slow=True),
    HELPER,
    Contender("werkzeug make_server in a thread", make_werkzeug, slow=True, own_loop=False),
    Contender("pytest-httpserver", make_httpserver, slow=True, own_loop=False),
    DJANGO,
)
