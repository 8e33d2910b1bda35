"""The fault matrix: what can go wrong in an app or a client, and what the user is to see of it."""

import asyncio
import contextlib
import errno
import gc
import importlib.util
import os
import re
import socket
import struct
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

from liveserver import (
    ConfigurationError,
    LiveServer,
    ShutdownError,
    ShutdownTimeout,
    StartupError,
    StartupTimeout,
)
from tests.helpers import apps
from tests.helpers.apps import Faulty
from tests.helpers.support import (
    BASES,
    Client,
    get,
    join_new_threads,
    loops,
    open_sockets,
    run_class,
)

Use = Callable[[str, Any], None]
ANY_ANSWER = (ConnectionError, TimeoutError, OSError)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and all that the user may see of it."""

    name: str
    make_app: Callable[[], Any] = lambda: apps.hello
    use: Use = lambda _url, _app: None  # what a client does while the server runs
    error: type[BaseException] | None = None  # what start or stop raises
    text: str = ""  # a regular expression that the error's text matches
    cause: type[BaseException] | None = None
    warning: str = ""  # a regular expression that the ResourceWarning of the stop matches
    outlasts: str = ""  # the same for that of a test whose class has the server
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float = 3.0  # how long start, use and stop may take together


@dataclass
class Trial:
    """What came of a fault in one way of running it."""

    fault: Fault
    way: str
    seconds: float
    problems: list[str]


# What clients do.


def ask(url: str, app: Any) -> None:
    """Ask once; whatever comes, comes."""
    with contextlib.suppress(*ANY_ANSWER, Exception):
        get(url)


def expect(status: int) -> Use:
    def use(url: str, app: Any) -> None:
        found = get(url).status
        assert found == status, f"status {found}, not {status}"
        assert get(url, "/fine").status == 200

    return use


def expect_refusal(url: str, app: Any) -> None:
    """Ask while a connection is open, which counts."""
    with connect(url):
        found = get(url).status
    assert found == 503, f"status {found}, not 503"


def ask_and_leave_open(url: str, app: Faulty) -> None:
    """Send a request, wait until the app has it, and keep the connection for the stop."""
    client = Client(url)
    app.clients.append(client)  # type: ignore[attr-defined]
    client.send()
    assert app.begun.wait(5)


def ask_and_leave(url: str, app: Faulty) -> None:
    """Send a request and reset the connection as soon as the app has it."""
    with connect(url) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert app.begun.wait(5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert get(url, "/fine").status == 200


def send_and_keep(data: bytes) -> Use:
    def use(url: str, app: Any) -> None:
        sock = connect(url)
        app.clients.append(sock)
        with contextlib.suppress(ConnectionError):
            sock.sendall(data)
        assert get(url, "/fine").status == 200

    return use


def open_stream(url: str, app: Faulty) -> None:
    client = Client(url)
    response = client.open("/")
    app.clients += [client, response]  # type: ignore[attr-defined]
    assert response.readline() == b"data: 1\n"


def open_events(url: str, app: Any) -> None:
    client = Client(url)
    response = client.open("/")
    app.clients += [client, response]
    assert response.readline().strip() == b"data: 1"


def open_and_close_websocket(url: str, app: Faulty) -> None:
    """Close as a client does: by the close frame, whose answer it waits for."""
    # Without a WebSocket library uvicorn has answered a plain request, and may reset this.
    with websocket(url) as sock, contextlib.suppress(ConnectionError):
        sock.sendall(b"\x88\x80" + bytes(4))
        sock.recv(1000)
    assert get(url, "/fine").status == 200


def pipeline(url: str, app: Faulty) -> None:
    """Send two requests at once; the first one raises."""
    with connect(url) as sock:
        request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
        sock.sendall(request % b"/" + request % b"/fine")
        answers = b""
        while b"fine" not in answers:
            received = sock.recv(1000)
            assert received, answers
            answers += received
        assert answers.startswith(b"HTTP/1.1 500 "), answers


def open_websocket(url: str, app: Faulty) -> None:
    app.clients.append(websocket(url))  # type: ignore[attr-defined]


def websocket(url: str) -> socket.socket:
    """Open a WebSocket by its handshake alone."""
    sock = connect(url)
    sock.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    answered = sock.recv(1000)
    # 404 and the like: no WebSocket library is installed.
    assert answered.startswith(b"HTTP/1.1 "), answered
    return sock


def open_many(url: str, app: Faulty) -> None:
    """Hold 500 connections, each with an answered request."""
    for _ in range(500):
        app.clients.append(Client(url))  # type: ignore[attr-defined]
    for client in app.clients:  # type: ignore[attr-defined]
        assert client.get("/fine").status == 200


def follow_a_500(url: str, app: Faulty) -> None:
    """Use one connection for an error and 300 requests after it, three times."""
    for _ in range(3):
        with Client(url) as client:
            assert client.get("/").status == 500
            port = client.local_port
            for _ in range(300):
                assert client.get("/fine").status == 200
            assert client.local_port == port, "the connection was closed"


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


# Resources that are taken away.


def taken_port() -> int:
    taken = socket.create_server(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return int(taken.getsockname()[1])


_TAKEN: list[socket.socket] = []


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    refused = OSError(errno.EMFILE, "Too many open files")
    with mock.patch("socket.socket", side_effect=refused):
        yield


@contextlib.contextmanager
def no_privileges() -> Iterator[None]:
    class Unprivileged(socket.socket):
        def bind(self, address: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    with mock.patch("socket.socket", Unprivileged):
        yield


@contextlib.contextmanager
def patched_threads() -> Iterator[None]:
    monkey = mock.Mock()
    with mock.patch.dict("sys.modules", {"gevent.monkey": monkey}):
        yield


QUICK = {"startup_timeout": 0.1}
SHORT = {"shutdown_timeout": 0.1}
STUCK = 8 * 0.2 + 2.0


async def raising_lifespan(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise apps.Trouble("no lifespan here")
    await apps.answer(send, b"fine")


def starlette_app(stream: str) -> Any:
    """A Starlette app whose / streams events for ever, through the named class."""
    from starlette.applications import Starlette
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    async def feed() -> Any:
        while True:
            yield {"data": "1"} if stream == "EventSourceResponse" else "data: 1\n\n"
            await asyncio.Event().wait()

    async def events(request: Any) -> Any:
        if stream == "StreamingResponse":
            return StreamingResponse(feed(), media_type="text/event-stream")
        from sse_starlette import EventSourceResponse

        return EventSourceResponse(feed())

    app = Starlette(routes=[Route("/", events)])
    app.clients = []  # type: ignore[attr-defined]
    return app


def raising_factory() -> Any:
    raise apps.Trouble("out of order")


def empty_factory() -> Any:
    return None


START = [
    Fault("lifespan raises after receive()", lambda: Faulty(startup=apps.raise_trouble),
          error=StartupError, text="Trouble: out of order", cause=apps.Trouble),
    Fault("lifespan sends startup.failed", lambda: Faulty(startup=apps.fail_startup),
          error=StartupError, text="out of order"),
    Fault("lifespan sends startup.failed and raises",
          lambda: Faulty(startup=apps.fail_startup_and_raise),
          error=StartupError, text="Trouble: out of order", cause=apps.Trouble),
    Fault("lifespan hangs at the start", lambda: Faulty(startup=apps.hang), options=QUICK,
          error=StartupTimeout, text=r"apps\.py:\d+ in hang"),
    Fault("lifespan hangs and swallows cancellation",
          lambda: Faulty(startup=apps.hang_for_all_that), options=QUICK,
          error=StartupTimeout, text=r"apps\.py:\d+ in hang_for_all_that", seconds=STUCK),
    Fault("lifespan blocks the loop at the start", lambda: Faulty(startup=apps.block_the_loop),
          options=QUICK, error=StartupTimeout, text=r"apps\.py:\d+ in wait", seconds=STUCK),
    Fault("lifespan waits for a stuck worker", lambda: Faulty(startup=apps.block_a_worker),
          options=QUICK, error=StartupTimeout, text=r"apps\.py:\d+ in wait", seconds=STUCK),
    Fault("lifespan calls sys.exit", lambda: Faulty(startup=apps.exit_process),
          error=StartupError, text="SystemExit", cause=SystemExit),
    Fault("lifespan raises KeyboardInterrupt", lambda: Faulty(startup=apps.interrupt),
          error=StartupError, text="KeyboardInterrupt", cause=KeyboardInterrupt),
    Fault("lifespan raises a BaseException", lambda: Faulty(startup=apps.raise_worse_trouble),
          error=StartupError, text="WorseTrouble", cause=apps.WorseTrouble),
    Fault("app supports no lifespan", lambda: apps.without_lifespan, expect(200)),
    Fault("app raises before receive()", lambda: raising_lifespan, expect(200)),
    Fault("factory raises", lambda: raising_factory, options={"factory": True},
          error=StartupError, text="could not be built.*out of order", cause=apps.Trouble),
    Fault("factory returns None", lambda: empty_factory, options={"factory": True},
          error=ConfigurationError, text="returned None, which is not an app"),
    Fault("port is taken", options={"port": taken_port},
          error=StartupError, text=r"in use.*ss -ltnp.*port=0", cause=OSError),
    Fault("port needs privileges", options={"around": no_privileges},
          error=StartupError, text="need privileges.*port=0", cause=PermissionError),
    Fault("host does not resolve", options={"host": "no.such.host.invalid"},
          error=StartupError, text="does not resolve.*127.0.0.1", cause=OSError),
    Fault("no file descriptor is left", options={"around": no_descriptors},
          error=StartupError, text="no file descriptor left", cause=OSError),
    Fault("TLS file is missing", options={"uvicorn_config": {"ssl_certfile": "/no/such.pem"}},
          error=ConfigurationError, text="ssl_certfile='/no/such.pem'.*FileNotFoundError",
          cause=FileNotFoundError),
    Fault("process has threads of gevent", options={"around": patched_threads},
          error=ConfigurationError, text=r"patch_all\(thread=False\)"),
    Fault("lifespan installs a signal handler",
          lambda: Faulty(startup=apps.install_a_signal_handler),
          error=StartupError, text="main thread", cause=ValueError),
]  # fmt: skip

SERVE = [
    Fault("handler raises before the response", lambda: Faulty(handler=apps.raise_trouble),
          expect(500)),
    Fault("handler raises during the response", lambda: Faulty(handler=apps.raise_midway), ask),
    Fault("handler raises after the response", lambda: Faulty(handler=apps.raise_after),
          expect(200)),
    Fault("handler raises SystemExit", lambda: Faulty(handler=apps.exit_process), expect(500)),
    Fault("handler raises KeyboardInterrupt", lambda: Faulty(handler=apps.interrupt), expect(500)),
    Fault("handler raises CancelledError", lambda: Faulty(handler=apps.cancel_itself),
          expect(500)),
    Fault("handler raises a BaseException", lambda: Faulty(handler=apps.raise_worse_trouble),
          expect(500)),
    Fault("handler recurses to the limit", lambda: Faulty(handler=apps.recurse), expect(500)),
    Fault("handler raises what a departure raises, of others",
          lambda: Faulty(handler=apps.raise_departures), expect(500)),
    Fault("handler does not await send()", lambda: Faulty(handler=apps.forget_to_await),
          expect(500)),
    Fault("handler raises after its client has left",
          lambda: Faulty(handler=apps.raise_after_the_client_left), ask_and_leave),
    Fault("WebSocket raises after its client has closed",
          lambda: Faulty(handler=apps.raise_after_the_close), open_and_close_websocket),
    Fault("pipelined requests, and the first one raises",
          lambda: Faulty(handler=apps.answer_500_and_raise), pipeline),
    Fault("server refuses requests over its limit", Faulty, expect_refusal,
          options={"uvicorn_config": {"limit_concurrency": 1}}),
    Fault("handler leaves a task running", lambda: Faulty(handler=apps.leave_a_task), expect(200)),
    Fault("handler's task raises", lambda: Faulty(handler=apps.leave_a_raising_task), expect(200)),
    Fault("response starts twice", lambda: Faulty(handler=apps.start_twice), ask),
    Fault("response begins with the body", lambda: Faulty(handler=apps.body_before_start),
          expect(500)),
    Fault("response is shorter than its content-length", lambda: Faulty(handler=apps.too_short),
          ask),
    Fault("handler answers nothing", lambda: Faulty(handler=apps.answer_nothing), expect(500)),
    Fault("client sends nothing", Faulty, send_and_keep(b"")),
    Fault("client sends half a request line", Faulty, send_and_keep(b"GET /hal")),
    Fault("client sends half a body", lambda: Faulty(handler=apps.read_everything),
          send_and_keep(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"),
          options=SHORT, outlasts=r"POST /, open .*apps\.py:\d+ in read_everything",
          warning=r"POST /, open .*apps\.py:\d+ in read_everything"),
    Fault("client sends 1 MiB of headers", Faulty,
          send_and_keep(b"GET /fine HTTP/1.1\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n")),
    Fault("client sends garbage", Faulty, send_and_keep(bytes(range(256)) * 4)),
    Fault("client never reads a response of 100 MiB", lambda: Faulty(handler=apps.answer_a_lot),
          ask_and_leave_open, options=SHORT,
          warning=r"GET /, open .*apps\.py:\d+ in answer_a_lot"),
    Fault("client vanishes from a handler that hangs", lambda: Faulty(handler=apps.hang),
          ask_and_leave),
    Fault("client vanishes from a long poll", lambda: Faulty(handler=apps.long_poll),
          ask_and_leave),
    Fault("500 connections are open", Faulty, open_many, seconds=15),
    Fault("300 requests follow a 500 on one connection",
          lambda: Faulty(handler=apps.answer_500_and_raise), follow_a_500, seconds=15),
]  # fmt: skip

STOP = [
    Fault("handler never answers", lambda: Faulty(handler=apps.hang), ask_and_leave_open,
          options=SHORT, outlasts=r"GET /, open .*apps\.py:\d+ in hang",
          warning=r"GET /, open .*apps\.py:\d+ in hang"),
    Fault("handler swallows cancellation", lambda: Faulty(handler=apps.hang_for_all_that),
          ask_and_leave_open, options=SHORT, error=ShutdownTimeout, seconds=STUCK,
          text=r"GET /, open .*apps\.py:\d+ in hang_for_all_that",
          outlasts=r"GET /, open .*apps\.py:\d+ in hang_for_all_that",
          warning=r"in hang_for_all_that"),
    Fault("handler blocks the loop", lambda: Faulty(handler=apps.block_the_loop),
          ask_and_leave_open, options=SHORT, error=ShutdownTimeout, seconds=STUCK,
          outlasts=r"GET /, open .*apps\.py:\d+ in wait",
          text=r"GET /, open .*apps\.py:\d+ in wait(.|\n)*loop is blocked(.|\n)*block_the_loop"),
    Fault("handler is stuck in a worker thread", lambda: Faulty(handler=apps.block_a_worker),
          ask_and_leave_open, options=SHORT, seconds=STUCK,
          outlasts=r"GET /, open .*apps\.py:\d+ in wait",
          warning=r"GET /, open .*apps\.py:\d+ in wait(.|\n)*worker thread .*apps\.py:\d+ in wait"),
    Fault("job of the executor is stuck", lambda: Faulty(handler=apps.leave_a_job), expect(200),
          options=SHORT, seconds=STUCK, warning=r"worker thread .*apps\.py:\d+ in wait"),
    Fault("long poll is open", lambda: Faulty(handler=apps.long_poll), ask_and_leave_open,
          options=SHORT, outlasts=r"GET /, open .*in long_poll",
          warning=r"GET /, open .*in long_poll"),
    Fault("event stream is open", lambda: Faulty(handler=apps.event_stream), open_stream,
          options={"shutdown_timeout": 60}),
    Fault("WebSocket ignores the close", lambda: Faulty(handler=apps.ignore_the_close),
          open_websocket, options={"shutdown_timeout": 60}),
    Fault("lifespan shutdown raises", lambda: Faulty(shutdown=apps.raise_trouble), ask,
          error=ShutdownError, text="Trouble: out of order", cause=apps.Trouble),
    Fault("lifespan sends shutdown.failed", lambda: Faulty(shutdown=apps.fail_shutdown), ask,
          error=ShutdownError, text="out of order"),
    Fault("lifespan shutdown exits", lambda: Faulty(shutdown=apps.exit_process), ask,
          error=ShutdownError, text="SystemExit", cause=SystemExit),
    Fault("lifespan shutdown hangs", lambda: Faulty(shutdown=apps.hang), ask, options=SHORT,
          error=ShutdownTimeout, text=r"lifespan, at .*apps\.py:\d+ in hang"),
    Fault("lifespan shutdown swallows cancellation",
          lambda: Faulty(shutdown=apps.hang_for_all_that), ask, options=SHORT,
          error=ShutdownTimeout, text=r"lifespan, at .*in hang_for_all_that", seconds=STUCK),
    Fault("lifespan shutdown blocks the loop", lambda: Faulty(shutdown=apps.block_the_loop), ask,
          options=SHORT, error=ShutdownTimeout, text=r"apps\.py:\d+ in wait", seconds=STUCK),
]  # fmt: skip

if importlib.util.find_spec("sse_starlette"):
    STOP += [
        Fault(f"Starlette's {stream} is open" if stream[0] == "S" else f"{stream} is open",
              partial(starlette_app, stream), open_events, options={"shutdown_timeout": 60})
        for stream in ("StreamingResponse", "EventSourceResponse")
    ]  # fmt: skip

FAULTS = START + SERVE + STOP


def ways() -> Iterator[tuple[str, dict[str, Any], Any, str]]:
    """The ways of running a fault: name, uvicorn's options, base class or None, scope."""
    https = ["h11"]
    with contextlib.suppress(ImportError):
        import httptools  # noqa: F401

        https.append("httptools")
    for loop in loops():
        for http in https:
            yield f"LiveServer, {loop}, {http}", {"loop": loop, "http": http}, None, ""
    for base in BASES:
        for scope in ("class", "test"):
            yield f"{base.__name__}, {scope} scope", {}, base, scope


def try_fault(fault: Fault, way: tuple[str, dict[str, Any], Any, str]) -> Trial:
    """Run a fault in one way, and compare what is seen with what is to be seen."""
    name, uvicorn_config, base, scope = way
    options = dict(fault.options)
    around = options.pop("around", contextlib.nullcontext)
    if callable(options.get("port")):
        options["port"] = options["port"]()
    options["uvicorn_config"] = uvicorn_config | options.get("uvicorn_config", {})
    app = fault.make_app()
    if isinstance(app, Faulty):
        app.clients = []  # type: ignore[attr-defined]
    threads, sockets = set(threading.enumerate()), open_sockets()
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("tempfile.tempdir", folder),
        warnings.catch_warnings(record=True) as warned,
        mock.patch("liveserver._options.bounds.GRACE", 0.2),
    ):
        warnings.simplefilter("always")
        errors = (
            _by_hand(fault, app, options, around)
            if base is None
            else _in_class(fault, app, options, around, base, scope)
        )
        seconds = time.perf_counter() - started
        _release(app)
        join_new_threads(threads)
        texts = [str(each.message) for each in warned]
        problems = list(_differences(fault, scope, errors, texts))
        problems += [f"left file {name}" for name in os.listdir(folder)]
    if seconds > fault.seconds:
        problems.append(f"took {seconds:.1f} s, more than {fault.seconds:.1f}")
    problems += _leftovers(threads, sockets)
    with LiveServer(apps.hello) as following:
        if get(following.base_url).body != b"hello":
            problems.append("the next server does not work")
    return Trial(fault, name, seconds, problems)


def _by_hand(fault: Fault, app: Any, options: Any, around: Any) -> list[BaseException]:
    errors: list[BaseException] = []
    try:
        server = LiveServer(app, **options)
        with around():
            server.start()
    except Exception as error:
        return [error]
    try:
        fault.use(server.base_url, app)
    except Exception as error:
        errors.append(error)
    try:
        server.stop()
    except Exception as error:
        errors.append(error)
    return errors


def _in_class(
    fault: Fault, app: Any, options: Any, around: Any, base: Any, scope: str
) -> list[BaseException]:
    class Tests(base):  # type: ignore[misc]
        server_scope = scope
        server_options = options
        raise_server_errors = False  # tests/monitor/test_app_errors.py is about those

        @classmethod
        def create_app(cls) -> Any:
            return app

        @classmethod
        def setUpClass(cls) -> None:
            with around():
                super().setUpClass()

        def setUp(self) -> None:
            with around():
                super().setUp()

        def test_it(self) -> None:
            fault.use(self.base_url, app)

    return run_class(Tests).raised


def _release(app: Any) -> None:
    """Let go of what the fault holds, so that what can end ends."""
    if isinstance(app, Faulty):
        app.blocked.released.set()
    for client in reversed(getattr(app, "clients", ())):
        client.close()
    for taken in _TAKEN:
        taken.close()
    _TAKEN.clear()


def _differences(
    fault: Fault, scope: str, errors: list[BaseException], warned: list[str]
) -> Iterator[str]:
    if fault.error is None:
        yield from (f"unexpected {error!r}" for error in errors)
    elif [type(error) for error in errors] != [fault.error]:
        yield f"{errors!r} instead of {fault.error.__name__}"
    else:
        if not re.search(fault.text, str(errors[0])):
            yield f"says {str(errors[0])!r}"
        if fault.cause is not None and not isinstance(errors[0].__cause__, fault.cause):
            yield f"cause {errors[0].__cause__!r} instead of {fault.cause.__name__}"
    for beginning, pattern in (
        ("Cut at the stop", fault.warning),
        ("Requests still running", fault.outlasts if scope == "class" else ""),
    ):
        ours = [text for text in warned if text.startswith(beginning)]
        warned = [text for text in warned if text not in ours]
        if pattern and not any(re.search(pattern, text) for text in ours):
            yield f"warned {ours}"
        if not pattern:
            yield from (f"unexpected warning {text!r}" for text in ours)
    yield from (f"unexpected warning {text!r}" for text in warned)


def _leftovers(threads: set[threading.Thread], sockets: set[str]) -> list[str]:
    gc.collect()
    join_new_threads(threads)
    found = []
    if left := set(threading.enumerate()) - threads:
        found.append(f"left threads {left}")
    if more := open_sockets() - sockets:
        found.append(f"left sockets {more}")
    return found
