"""An app with every path that the README's examples ask for, in plain ASGI."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any


class Shop:
    """Answers by the path; what a run keeps is in `state`, as in Starlette."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.state = SimpleNamespace(orders=asyncio.Queue())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        first = scope.get("path", "/lifespan").split("/")[1] or "home"
        await getattr(self, f"do_{first}")(scope, receive, send)

    async def do_lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    async def do_home(self, scope: Any, receive: Any, send: Any) -> None:
        await respond(send, {"message": "Hello"})

    async def do_health(self, scope: Any, receive: Any, send: Any) -> None:
        await respond(send, {"message": "OK"})

    async def do_items(self, scope: Any, receive: Any, send: Any) -> None:
        await respond(send, [])

    async def do_login(self, scope: Any, receive: Any, send: Any) -> None:
        await respond(send, {}, headers=[(b"set-cookie", b"session=1; Secure; HttpOnly")])

    async def do_orders(self, scope: Any, receive: Any, send: Any) -> None:
        order = SimpleNamespace(**json.loads((await receive())["body"]))
        self.state.orders.put_nowait(order)
        await respond(send, vars(order), status=201)

    async def do_refunds(self, scope: Any, receive: Any, send: Any) -> None:
        raise LookupError(f"no order {scope['path'].rpartition('/')[2]}")

    async def do_events(self, scope: Any, receive: Any, send: Any) -> None:
        await respond(send, "data: 1\n\n", kind=b"text/event-stream", more_body=True)
        while (await receive())["type"] != "http.disconnect":
            pass

    async def do_ws(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})


async def respond(
    send: Any,
    content: Any,
    *,
    status: int = 200,
    kind: bytes = b"application/json",
    headers: Any = (),
    more_body: bool = False,
) -> None:
    """Send a string as it is, and anything else as JSON."""
    body = content if isinstance(content, str) else json.dumps(content)
    headers = [(b"content-type", kind), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode(), "more_body": more_body})


def create_app(database: str = ":memory:") -> Shop:
    """Build a shop."""
    return Shop(database)


app = create_app()
