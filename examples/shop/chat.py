"""A chat over WebSocket: what one client says, all clients get."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from .models import ChatEvent
from .state import ChatOfRun

router = APIRouter()


@router.websocket("/ws")
async def chat(
    websocket: WebSocket,
    events: ChatOfRun,
    name: Annotated[str, Query(min_length=1, max_length=40)] = "guest",
) -> None:
    """Let a client join, talk and leave; it is told of its own joining first."""
    await websocket.accept()
    with events.subscribe() as queue:
        events.publish(ChatEvent(kind="joined", name=name))
        async with asyncio.TaskGroup() as tasks:
            forwarding = tasks.create_task(_forward(queue, websocket))
            async for text in websocket.iter_text():
                events.publish(ChatEvent(kind="said", name=name, text=text))
            forwarding.cancel()
    events.publish(ChatEvent(kind="left", name=name))


async def _forward(queue: asyncio.Queue[ChatEvent], websocket: WebSocket) -> None:
    # A client that leaves while it is sent to is not an error: its handler sees it leave, too.
    with suppress(WebSocketDisconnect):
        while True:
            event = await queue.get()
            await websocket.send_text(event.model_dump_json())
