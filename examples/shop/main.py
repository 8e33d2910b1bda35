"""The shop as an ASGI app: `create_app` builds one, `app` is one."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI

from . import chat, items, page
from .models import UNREADABLE_BODY, Health, Received
from .state import build_lifespan

router = APIRouter()


@router.get("/health")
async def health() -> Health:
    """Say that the shop is up."""
    return Health()


@router.post("/api/data", responses=UNREADABLE_BODY)
async def receive_data(data: Annotated[dict[str, Any], Body()]) -> Received:
    """Send the posted JSON object back."""
    return Received(received=data)


def create_app(database: Path | str | None = None) -> FastAPI:
    """Build a shop.

    Args:
        database: The SQLite file, made if it is not there. None keeps the items in a temporary
            folder, made when the app starts and removed when it stops.
    """
    app = FastAPI(title="Shop", lifespan=build_lifespan(database))
    app.include_router(router)
    app.include_router(items.router)
    app.include_router(chat.router)
    app.include_router(page.router)
    return app


app = create_app()
