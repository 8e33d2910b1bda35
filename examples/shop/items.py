"""The items over HTTP, and the feed of their changes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import StreamingResponse

from .channel import Channel
from .models import LARGEST_INTEGER, UNREADABLE_BODY, Item, ItemEvent, NewItem
from .state import ChangesOfRun, StoreOfRun

router = APIRouter()

ItemId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]

# For the OpenAPI schema, which knows only the answers that it is told of.
MAY_BE_MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such item"}}


@router.get("/items")
async def list_items(store: StoreOfRun) -> list[Item]:
    """Return all items."""
    return store.items()


@router.post("/items", status_code=201, responses=UNREADABLE_BODY)
async def create_item(
    new: NewItem, request: Request, response: Response, store: StoreOfRun, changes: ChangesOfRun
) -> Item:
    """Keep a new item and say where it is."""
    item = store.add(new)
    changes.publish(ItemEvent(kind="created", item=item))
    response.headers["Location"] = request.app.url_path_for("get_item", item_id=item.id)
    return item


@router.get("/items/{item_id}", responses=MAY_BE_MISSING)
async def get_item(item_id: ItemId, store: StoreOfRun) -> Item:
    """Return one item."""
    return _found(store.get(item_id), item_id)


@router.put("/items/{item_id}", responses=MAY_BE_MISSING | UNREADABLE_BODY)
async def replace_item(
    item_id: ItemId, new: NewItem, store: StoreOfRun, changes: ChangesOfRun
) -> Item:
    """Replace one item."""
    item = _found(store.replace(item_id, new), item_id)
    changes.publish(ItemEvent(kind="changed", item=item))
    return item


@router.delete("/items/{item_id}", status_code=204, responses=MAY_BE_MISSING)
async def delete_item(item_id: ItemId, store: StoreOfRun, changes: ChangesOfRun) -> None:
    """Remove one item."""
    item = _found(store.delete(item_id), item_id)
    changes.publish(ItemEvent(kind="deleted", item=item))


@router.get("/events")
async def events(changes: ChangesOfRun) -> StreamingResponse:
    """Send the changes of the items as they happen, until the client leaves."""
    return StreamingResponse(
        _event_stream(changes),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _event_stream(changes: Channel[ItemEvent]) -> AsyncIterator[str]:
    with changes.subscribe() as queue:
        # A change made before the subscription is not sent, so the client is told when it begins.
        yield _server_sent_event("subscribed", "{}")
        while True:
            change = await queue.get()
            yield _server_sent_event(change.kind, change.item.model_dump_json())


def _server_sent_event(event: str, data: str) -> str:
    return f"event: {event}\ndata: {data}\n\n"


def _found(item: Item | None, item_id: int) -> Item:
    if item is None:
        raise HTTPException(404, f"There is no item {item_id}.")
    return item
