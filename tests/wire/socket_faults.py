"""Faults of WebSocket apps that a client in process hides and the wire shows; see `faults`."""

from typing import Any

from tests.helpers import apps
from tests.wire.faults import Fault, Message, Use, start

__all__ = ["SOCKETS"]

ACCEPT: Message = {"type": "websocket.accept"}


def text(data: Any) -> Message:
    return {"type": "websocket.send", "text": data}


def close(code: int = 1000, reason: Any = "") -> Message:
    return {"type": "websocket.close", "code": code, "reason": reason}


def opened(client: Any) -> str:
    with client.websocket_connect("/"):
        return "open"


def received(client: Any) -> str:
    with client.websocket_connect("/") as socket:
        message = socket.receive()
    return " ".join(f"{message[key]!a}" for key in KEYS if message.get(key) is not None)


KEYS = ("type", "text", "bytes", "code")


def received_text(client: Any) -> str:
    with client.websocket_connect("/") as socket:
        return ascii(socket.receive_text())


def received_bytes(client: Any) -> str:
    with client.websocket_connect("/") as socket:
        return ascii(socket.receive_bytes())


def with_large_message(client: Any) -> str:
    with client.websocket_connect("/") as socket:
        socket.send_text("a" * (17 * 2**20))  # uvicorn's ws_max_size is 16 MiB
        return ascii(socket.receive_text())


def socket(
    name: str, seen: str, *messages: Message, quiet: str, shown: str, use: Use = received
) -> Fault:
    async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await receive()
        for message in messages:
            await send(message)

    return Fault(name, seen, lambda: app, use, quiet, shown)


async def receiving(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    """Answer whatever comes, the client's departure too."""
    await receive()
    await send(ACCEPT)
    message = await receive()
    await send(text(message["type"]))


REFUSED = "uvicorn raises an error"
NOT_THAT = "uvicorn raises an error, or sends what it is"
NO_HANDSHAKE = "no client accepts the handshake"
UVICORN = "^uvicorn raises "

SOCKETS = [
    socket(
        "A close reason longer than 123 bytes",
        REFUSED,
        ACCEPT,
        close(reason="a" * 124),
        quiet="'websocket.close' 1000",
        shown=UVICORN,
    ),
    socket(
        "A close code that no frame may carry, such as 1006",
        REFUSED,
        ACCEPT,
        close(1006),
        quiet="'websocket.close' 1006",
        shown=UVICORN,
    ),
    socket(
        "A close code that does not exist, such as 99",
        REFUSED,
        ACCEPT,
        close(99),
        quiet="'websocket.close' 99",
        shown=UVICORN,
    ),
    socket(
        "A close reason that is bytes",
        REFUSED,
        ACCEPT,
        close(reason=b"over"),
        quiet="'websocket.close' 1000",
        shown=UVICORN,
    ),
    socket(
        "A text with a lone surrogate",
        REFUSED,
        ACCEPT,
        text("\ud800"),
        quiet="'websocket.send' '\\ud800'",
        shown=f"{UVICORN}UnicodeEncodeError",
    ),
    socket(
        "Bytes as the text of a message",
        NOT_THAT,
        ACCEPT,
        text(b"data"),
        quiet="b'data'",
        shown=f"{UVICORN}|KeyError",
        use=received_text,
    ),
    socket(
        "A text as the bytes of a message",
        NOT_THAT,
        ACCEPT,
        {"type": "websocket.send", "bytes": "data"},
        quiet="'data'",
        shown=f"{UVICORN}|KeyError",
        use=received_bytes,
    ),
    socket(
        "A number as the text of a message",
        REFUSED,
        ACCEPT,
        text(3),
        quiet="'websocket.send' 3",
        shown=UVICORN,
    ),
    socket(
        "A WebSocket that is accepted twice",
        REFUSED,
        ACCEPT,
        ACCEPT,
        quiet="'websocket.accept'",
        shown=rf"{UVICORN}.*got 'websocket.accept'",
    ),
    socket(
        "A message after the close",
        REFUSED,
        ACCEPT,
        close(),
        text("late"),
        quiet="'websocket.close' 1000",
        shown=rf"{UVICORN}.*Unexpected ASGI message 'websocket.send'",
    ),
    socket(
        "A WebSocket that is closed twice",
        REFUSED,
        ACCEPT,
        close(),
        close(),
        quiet="'websocket.close' 1000",
        shown=rf"{UVICORN}.*Unexpected ASGI message 'websocket.close'",
    ),
    socket(
        "A message of HTTP in a WebSocket",
        REFUSED,
        ACCEPT,
        start(),
        quiet="'http.response.start'",
        shown=rf"{UVICORN}.*http.response.start",
    ),
    socket(
        "A response of HTTP in the place of the accept",
        REFUSED,
        start(403),
        quiet="open",
        shown=rf"{UVICORN}.*http.response.start",
        use=opened,
    ),
    socket(
        "A space in the name of a header of the accept",
        NO_HANDSHAKE,
        {**ACCEPT, "headers": [(b"x a", b"1")]},
        quiet="open",
        shown="^InvalidMessage|^uvicorn raises .*header",
        use=opened,
    ),
    socket(
        "A subprotocol that the client did not offer",
        NO_HANDSHAKE,
        {**ACCEPT, "subprotocol": "chat"},
        quiet="open",
        shown="subprotocol",
        use=opened,
    ),
    Fault(
        "A message to a client that has left",
        REFUSED,
        lambda: receiving,
        opened,
        "open",
        UVICORN,
    ),
    Fault(
        "A message of a client that is larger than 16 MiB",
        "uvicorn closes the WebSocket",
        lambda: receiving,
        with_large_message,
        "'websocket.receive'",
        UVICORN,
    ),
]
