"""What every contender shares: the app, the client, the event loops, the socket."""

import argparse
import asyncio
import contextlib
import http.client
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = [
    "BODY",
    "HOST",
    "LOOPS",
    "app",
    "ask",
    "check",
    "listening_socket",
    "loop_factory",
    "loops",
    "parse_options",
]

HOST = "127.0.0.1"
BODY = b"hello"
LOOPS = ("asyncio", "uvloop")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer every request with `BODY`, and take part in the lifespan."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def ask(port: int, host: str = HOST) -> None:
    """Send one `GET /` over a connection of its own, and check the answer."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        response = connection.getresponse()
        check(response.status, response.read())
    finally:
        connection.close()


def check(status: int, body: bytes) -> None:
    """Make sure that a contender that answers quickly also answers correctly."""
    if (status, body) != (200, BODY):
        raise RuntimeError(f"expected 200 and {BODY!r}, got {status} and {body!r}")


def loop_factory(kind: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the function that makes event loops of this kind.

    Args:
        kind: One of `LOOPS`.

    Raises:
        ModuleNotFoundError: uvloop is asked for and not installed.
    """
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def loops() -> list[str]:
    """Return those of `LOOPS` that are installed."""
    found = []
    for kind in LOOPS:
        with contextlib.suppress(ModuleNotFoundError):
            loop_factory(kind)
            found.append(kind)
    return found


def parse_options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Add the choice of the event loop, read the command line, see that there is such a loop."""
    parser.add_argument("--loop", choices=LOOPS, default="asyncio")
    options = parser.parse_args()
    try:
        loop_factory(options.loop)
    except ModuleNotFoundError as exc:
        parser.error(str(exc))
    return options


def listening_socket() -> socket.socket:
    """Open a socket that listens on a port chosen by the system.

    Its protocol is named, as asyncio sets TCP_NODELAY only then; without it each answer of two
    parts waits 40 ms for an acknowledgement.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind((HOST, 0))
    sock.listen(2048)
    return sock
