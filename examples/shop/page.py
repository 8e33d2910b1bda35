"""The shop's page for browsers."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter()


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """Return the page; its script talks to the items over HTTP, as other clients do."""
    return FileResponse(Path(__file__).with_name("page.html"))
