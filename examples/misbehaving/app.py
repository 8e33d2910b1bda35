"""A service for weather reports, in plain ASGI, whose next answers a test can plan."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Weather:
    """Answers `/report`, and sends numbers on the WebSocket `/feed`.

    Attributes:
        plan: What becomes of the next requests, one word each; those after them are answered.
            "busy" is a 503. "hang" sends nothing. "slow" sends half of a body, and the rest when
            `go_on` is set. "stall" never sends the rest. "truncate" fails instead of sending it.
            "close" ends a feed after two numbers.
        half_sent: Set when half of a body has been sent.
        go_on: What "slow" waits for.
    """

    def __init__(self) -> None:
        self.plan: list[str] = []
        self.half_sent = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            return
        word = self.plan.pop(0) if self.plan else "answer"
        if scope["type"] == "websocket":
            await self._feed(word, int(scope["query_string"].partition(b"=")[2]), receive, send)
        elif word == "hang":
            await _client_left(receive)
        elif word == "busy":
            await send(_start(503, [(b"retry-after", b"0")]))
            await send({"type": "http.response.body"})
        else:
            await self._report(word, receive, send)

    async def _report(self, word: str, receive: Receive, send: Send) -> None:
        await send(_start(200, [(b"content-type", b"text/plain")]))
        await send({"type": "http.response.body", "body": b"sun", "more_body": True})
        self.half_sent.set()
        if word == "slow":
            await self.go_on.wait()
        elif word == "stall":
            return await _client_left(receive)
        elif word == "truncate":
            raise RuntimeError("out of weather")  # so uvicorn closes the connection
        await send({"type": "http.response.body", "body": b"shine"})

    async def _feed(self, word: str, after: int, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for number in (after + 1, after + 2):
            await send({"type": "websocket.send", "text": str(number)})
        if word == "close":
            await send({"type": "websocket.close", "code": 1011})
        else:
            await _client_left(receive)


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _client_left(receive: Receive) -> None:
    while not (await receive())["type"].endswith(".disconnect"):
        pass
