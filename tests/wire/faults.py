"""Faults of apps that a client in process hides and the wire shows; docs/howto/testclient.md too.

Each one was found by experiment: the same app and the same use with both clients.
"""

import asyncio
import contextvars
import os
import threading
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from liveserver.testclient import TestClient as OnTheWire
from tests.helpers import apps

__all__ = ["BEHAVIOUR", "HTTP", "LOOKS", "Fault", "Message", "Use", "outcome", "sends", "start"]

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
    """Use an app; return what came of it, and whether uvicorn has raised it in the app."""
    try:
        return fault.use(client)
    except Exception as error:
        files = [each.filename for each in traceback.extract_tb(error.__traceback__)]
        by = "uvicorn raises " if any(f"{os.sep}uvicorn{os.sep}" in each for each in files) else ""
        return f"{by}{type(error).__name__}: {error}"


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


def http(name: str, seen: str, *messages: Message, quiet: str, shown: str = "Error: ") -> Fault:
    return Fault(name, seen, sends(*messages), get, quiet, shown)


def header(name: str, seen: str, key: bytes, *values: bytes) -> Fault:
    headers = [(key, value) for value in values]
    return http(name, seen, start(200, *headers), body(b"page"), quiet="200 page")


LENGTH = b"content-length"
ENCODING = b"transfer-encoding"

NO_RESPONSE = "no response that a client can read"
BREAKS_OFF = "the response breaks off"
NO_BODY = "the response has no body"
STATUS_500 = "the response has status 500"
LATE = "an error in the app, after the response"

# How each of these looks to a client that does not raise the app's exceptions.
LOOKS = {
    NO_RESPONSE: r"^RemoteProtocolError: (?!peer closed)",
    BREAKS_OFF: r"^RemoteProtocolError: peer closed",
    NO_BODY: r"^\d\d4$",
    STATUS_500: r"^500 ",
    LATE: r"^200 page$",
}

HTTP = [
    header("A `content-length` larger than the body", BREAKS_OFF, LENGTH, b"9"),
    header("A `content-length` smaller than the body", BREAKS_OFF, LENGTH, b"1"),
    header("A `content-length` that is no number", NO_RESPONSE, LENGTH, b"many"),
    header("Two values of `content-length` that differ", NO_RESPONSE, LENGTH, b"4", b"1"),
    http("A body after status 204", NO_BODY, start(204), body(b"null"), quiet="204 null"),
    http("A body after status 304", NO_BODY, start(304), body(b"page"), quiet="304 page"),
    header("A line break in the value of a header", NO_RESPONSE, b"x-a", b"1\r\nset-cookie: a=b"),
    header("A space in the name of a header", NO_RESPONSE, b"x a", b"1"),
    header("A colon in the name of a header", NO_RESPONSE, b"x-a:", b"1"),
    header("A header without a name", NO_RESPONSE, b"", b"1"),
    header("A `transfer-encoding: gzip` set by hand", NO_RESPONSE, ENCODING, b"gzip"),
    header("A `transfer-encoding` set twice", NO_RESPONSE, ENCODING, b"chunked", b"chunked"),
    http("A status that does not exist, such as 99", NO_RESPONSE, start(99), body(), quiet="99"),
    http("A status that is a text", NO_RESPONSE, start("200"), body(), quiet="200"),
    http(
        "An interim status, such as 103, as the response",
        NO_RESPONSE,
        start(103),
        body(),
        quiet="103",
    ),
    http("A body that is a list of numbers", BREAKS_OFF, start(), body([79, 75]), quiet="200 OK"),
    http(
        "A body that has no end: `more_body` stays true",
        BREAKS_OFF,
        start(),
        body(b"part", more=True),
        quiet="200 part",
    ),
    http("A response without any body message", BREAKS_OFF, start(), quiet="200"),
    http(
        "Trailers that the server did not offer",
        LATE,
        start(trailers=True),
        body(b"page"),
        {"type": "http.response.trailers", "headers": [(b"x-a", b"1")]},
        quiet="200 page",
        shown="^uvicorn raises ",
    ),
    http(
        "A server push that the server did not offer",
        STATUS_500,
        {"type": "http.response.push", "path": "/style.css", "headers": []},
        start(),
        body(b"page"),
        quiet="200 page",
    ),
    http(
        "A file by `http.response.pathsend` that the server did not offer",
        BREAKS_OFF,
        start(),
        {"type": "http.response.pathsend", "path": __file__},
        quiet="200",
    ),
    http(
        "A message of a type that does not exist",
        BREAKS_OFF,
        start(),
        {"type": "http.response.bdy", "body": b"page"},
        body(),
        quiet="200",
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
    """An app that starts a task and does not wait for it; a second request lets that go on."""

    def __init__(self) -> None:
        self.go_on, self.done = asyncio.Event(), threading.Event()
        self.tasks: list[Any] = []

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["path"] == "/go-on":
            self.go_on.set()
        else:
            self.tasks.append(asyncio.create_task(self.later()))
        await apps.answer(send, b"page")

    async def later(self) -> None:
        await self.go_on.wait()
        self.done.set()


def wait_for_task(client: Any) -> str:
    client.get("/")
    client.get("/go-on")
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


BEHAVIOUR = [
    Fault(
        "A `send()` that is not awaited",
        BREAKS_OFF,
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
]
