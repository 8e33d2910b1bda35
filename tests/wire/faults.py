"""Faults of apps that a client in process hides and the wire shows; docs/howto/testclient.md too.

Each one was found by experiment: the same app and the same use with both clients.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from liveserver.testclient import TestClient as OnTheWire
from tests.helpers import apps

__all__ = ["BEHAVIOUR", "HTTP", "Fault", "Message", "Use", "outcome", "sends", "start"]

Message = dict[str, Any]
Use = Callable[[Any], str]
Header = tuple[bytes, bytes]


class Fault(NamedTuple):
    """An app with a fault, and a use of it.

    Attributes:
        name: What the app does wrong: the table's first column.
        seen: What the wire shows: its second column.
        make: Returns a new app.
        use: Uses it with a client; returns what a test would look at.
        quiet: What the use returns in process.
        shown: A regular expression for what it raises, or returns, on the wire.
    """

    name: str
    seen: str
    make: Callable[[], Any]
    use: Use
    quiet: str
    shown: str


def outcome(client: Any, fault: Fault) -> str:
    """Use an app; return what came of it."""
    try:
        return fault.use(client)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def start(status: Any = 200, *headers: Header, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [*headers], **more}


def body(data: Any = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def sends(*messages: Message) -> Callable[[], Any]:
    """Return an app that sends these messages."""

    async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        for message in messages:
            await send(message)

    return lambda: app


def get(client: Any) -> str:
    response = client.get("/")
    return f"{response.status_code} {response.text}".strip()


def http(name: str, seen: str, *messages: Message, quiet: str, shown: str) -> Fault:
    return Fault(name, seen, sends(*messages), get, quiet, shown)


def header(name: str, seen: str, key: bytes, value: bytes, shown: str) -> Fault:
    messages = start(200, (key, value)), body(b"page")
    return http(name, seen, *messages, quiet="200 page", shown=shown)


LENGTH = b"content-length"
ENCODING = b"transfer-encoding"
REFUSED = "uvicorn raises an error"
UNREADABLE = "no client can read the response"
CUT = "the client is cut off in the middle of the body"

HTTP = [
    header("A `content-length` larger than the body", REFUSED, LENGTH, b"9", "Content-Length"),
    header("A `content-length` smaller than the body", REFUSED, LENGTH, b"1", "Content-Length"),
    header("A `content-length` that is no number", REFUSED, LENGTH, b"many", "invalid|bad"),
    http(
        "Two values of `content-length` that differ",
        REFUSED,
        start(200, (LENGTH, b"4"), (LENGTH, b"1")),
        body(b"page"),
        quiet="200 page",
        shown="Content-Length",
    ),
    http(
        "A body after status 204",
        REFUSED,
        start(204),
        body(b"null"),
        quiet="204 null",
        shown="Content-Length",
    ),
    http(
        "A body after status 304",
        REFUSED,
        start(304),
        body(b"page"),
        quiet="304 page",
        shown="Content-Length",
    ),
    header(
        "A line break in the value of a header", REFUSED, b"x-a", b"1\r\nset-cookie: a=b", "alue"
    ),
    header("A space in the name of a header", REFUSED, b"x a", b"1", "name"),
    header("A colon in the name of a header", REFUSED, b"x-a:", b"1", "name"),
    header("A header without a name", UNREADABLE, b"", b"1", "name|illegal header line"),
    header("A `transfer-encoding: gzip` set by hand", UNREADABLE, ENCODING, b"gzip", "ncoding"),
    http(
        "A `transfer-encoding` set twice",
        UNREADABLE,
        start(200, (ENCODING, b"chunked"), (ENCODING, b"chunked")),
        body(b"page"),
        quiet="200 page",
        shown="ncoding",
    ),
    http(
        "A status that does not exist, such as 99",
        REFUSED,
        start(99),
        body(),
        quiet="99",
        shown="99",
    ),
    http("A status that is a text", REFUSED, start("200"), body(), quiet="200", shown="Error: "),
    http(
        "An interim status, such as 103, as the response",
        UNREADABLE,
        start(103),
        body(),
        quiet="103",
        shown="Error: ",
    ),
    http(
        "A body that is a list of numbers",
        REFUSED,
        start(),
        body([79, 75]),
        quiet="200 OK",
        shown="Error: ",
    ),
    http(
        "A body that has no end: `more_body` stays true",
        CUT,
        start(),
        body(b"part", more=True),
        quiet="200 part",
        shown="ProtocolError: peer closed",
    ),
    http("A response without any body message", CUT, start(), quiet="200", shown="peer closed"),
    http(
        "Trailers that the server did not offer",
        REFUSED,
        start(trailers=True),
        body(b"page"),
        {"type": "http.response.trailers", "headers": [(b"x-a", b"1")]},
        quiet="200 page",
        shown="http.response.trailers",
    ),
    http(
        "A server push that the server did not offer",
        REFUSED,
        {"type": "http.response.push", "path": "/style.css", "headers": []},
        start(),
        body(b"page"),
        quiet="200 page",
        shown="http.response.push",
    ),
    http(
        "A file by `http.response.pathsend` that the server did not offer",
        REFUSED,
        start(),
        {"type": "http.response.pathsend", "path": __file__},
        quiet="200",
        shown="http.response.pathsend",
    ),
    http(
        "A message of a type that does not exist",
        REFUSED,
        start(),
        {"type": "http.response.bdy", "body": b"page"},
        body(),
        quiet="200",
        shown="http.response.bdy",
    ),
]


async def forgetting(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    await send(start())
    await send(body(b"part", more=True))
    last: Any = send(body(b"and the rest"))
    last.close()  # without Python's warning that it was never awaited


async def reading_once(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    message = await receive()
    await send(start())
    await send(body(f"{len(message['body'])}".encode()))


def upload(client: Any) -> str:
    size = 2_000_000
    return "all" if client.post("/", content=b"a" * size).text == f"{size}" else "a part"


def patience(client: Any, *, of_wire: bool) -> float:
    """How long to wait for what comes with one client, and not with the other one."""
    return 20 if isinstance(client, OnTheWire) is of_wire else 0.2


class Blocking:
    """An app whose handler for /slow blocks the event loop."""

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["path"] == "/slow":
            self.entered.set()
            self.released.wait(20)
        await apps.answer(send, b"page")


def ask_while_it_blocks(client: Any) -> str:
    app = client.app
    slow = threading.Thread(target=client.get, args=("/slow",))
    fast = threading.Thread(target=client.get, args=("/fast",))
    slow.start()
    app.entered.wait(20)
    fast.start()
    fast.join(patience(client, of_wire=False))
    waits = fast.is_alive()
    app.released.set()
    slow.join(20)
    fast.join(20)
    return "waits" if waits else "answered"


class Spawning:
    """An app that starts a task and does not wait for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.tasks: list[Any] = []

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        self.tasks.append(asyncio.create_task(self.later()))
        await apps.answer(send, b"page")

    async def later(self) -> None:
        await asyncio.sleep(0.01)
        self.done.set()


def wait_for_task(client: Any) -> str:
    client.get("/")
    return "runs" if client.app.done.wait(patience(client, of_wire=True)) else "never runs"


USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


async def naming(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    await apps.answer(send, USER.get().encode())


def set_in_the_test(client: Any) -> str:
    token = USER.set("ann")
    try:
        return str(client.get("/").text)
    finally:
        USER.reset(token)


def ask_with_line_break(client: Any) -> str:
    return f"{client.get('/', headers={'x-a': '1' + chr(10) + 'x-b: 2'}).status_code}"


BEHAVIOUR = [
    Fault(
        "A `send()` that is not awaited",
        CUT,
        lambda: forgetting,
        get,
        "200 part",
        "ProtocolError: peer closed",
    ),
    Fault(
        "One `receive()` for a large upload",
        "it is a part of the body",
        lambda: reading_once,
        upload,
        "all",
        "^a part$",
    ),
    Fault(
        "A handler that blocks the event loop",
        "the next request waits",
        Blocking,
        ask_while_it_blocks,
        "answered",
        "^waits$",
    ),
    Fault(
        "A task that outlives its request",
        "it goes on; in process it ends with the loop of its request",
        Spawning,
        wait_for_task,
        "never runs",
        "^runs$",
    ),
    Fault(
        "An app that reads a `ContextVar` which its caller sets",
        "the app has its default",
        lambda: naming,
        set_in_the_test,
        "ann",
        "^nobody$",
    ),
    Fault(
        "A request header with a line break",
        "no client sends it",
        sends(start(), body()),
        ask_with_line_break,
        "200",
        "[Ii]llegal header value",
    ),
]
