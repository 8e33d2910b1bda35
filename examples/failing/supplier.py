"""A second service, which the one for orders asks, with a mistake of its own."""

from fastapi import FastAPI

app = FastAPI(title="Supplier")

ITEMS = {"Tea": {"boxes": 3, "per box": 20}, "Coffee": {"boxes": 2}}


@app.get("/items/{item}")
async def count_items(item: str) -> int:
    """Count what is in the boxes, in the belief that they are all of one kind."""
    return ITEMS[item]["boxes"] * ITEMS[item]["per box"]
