"""The service for the stock: it tells the orders what has arrived."""

import httpx
from fastapi import FastAPI, HTTPException


def create_app(orders_url: str) -> FastAPI:
    """Build the app; `orders_url` is that of the service that it tells."""
    app = FastAPI(title="Stock")
    counts: dict[str, int] = {}

    @app.post("/reserve/{item}")
    async def reserve(item: str) -> int:
        """Take one, and return how many are left."""
        if not counts.get(item):
            raise HTTPException(409, f"There is no {item}.")
        counts[item] -= 1
        return counts[item]

    @app.post("/deliveries/{item}")
    async def deliver(item: str, count: int) -> int:
        """Add some, and return how many orders waited for them."""
        counts[item] = counts.get(item, 0) + count
        async with httpx.AsyncClient(trust_env=False) as client:
            told = await client.post(f"{orders_url}/arrivals/{item}")
        told.raise_for_status()
        waited: int = told.json()
        return waited

    return app
