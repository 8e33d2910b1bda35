"""The API as a plain ASGI function."""

import json
from http.cookies import SimpleCookie
from typing import Any

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request, or go through the lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return

    async def answer(
        body: bytes, kind: str = "text/plain; charset=utf-8", status: int = 200, **more: str
    ) -> None:
        headers = {"content-type": kind, "content-length": str(len(body))}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        await start(headers, status)
        await send({"type": "http.response.body", "body": body})

    async def start(headers: dict[str, str], status: int = 200) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})

    match scope["method"], scope["path"].split("/")[1:]:
        case ["GET" | "HEAD", ["hello"]]:
            await answer(b"hello")
        case ["POST", ["json"]]:
            value = json.loads(await whole_body(receive))
            await answer(json.dumps(value).encode(), "application/json")
        case ["GET", ["redirect"]]:
            await answer(b"", status=302, location="/hello")
        case ["GET", ["cookie"]]:
            await answer(b"", set_cookie="visit=1; Path=/")
        case ["GET", ["cookie", "read"]]:
            sent = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode())
            await answer(sent["visit"].value.encode() if "visit" in sent else b"")
        case ["POST", ["upload"]]:
            body = await whole_body(receive)
            await answer(json.dumps(receipt(body)).encode(), "application/json")
        case ["GET", ["download"]]:
            await answer(DOWNLOAD, "application/octet-stream")
        case ["GET", ["stream"]]:
            await start({"content-type": "text/plain"})
            for piece in PIECES:
                message = {"type": "http.response.body", "body": piece.encode(), "more_body": True}
                await send(message)
            await send({"type": "http.response.body"})
        case ["GET", ["path", value]]:
            await answer(value.encode())
        case _:
            await answer(b"not found", status=404)


async def whole_body(receive: Any) -> bytes:
    """Receive the body of a request."""
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message.get("more_body", False)
    return b"".join(chunks)
