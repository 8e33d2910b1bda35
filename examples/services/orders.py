"""The service for orders: it reserves the item in the stock, and charges the card."""

import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Order(BaseModel):
    """What a customer orders; `card` pays."""

    item: str
    card: str
    status: str = "new"


def create_app(stock_url: str, payments_url: str) -> FastAPI:
    """Build the app; the URLs are those of the services that it asks."""
    app = FastAPI(title="Orders")
    orders: list[Order] = []

    @app.get("/orders")
    async def list_orders() -> list[Order]:
        return orders

    @app.post("/orders", status_code=201)
    async def add_order(order: Order) -> Order:
        async with httpx.AsyncClient(trust_env=False) as client:
            reserved = await client.post(f"{stock_url}/reserve/{order.item}")
            if reserved.status_code == 409:
                order.status = "waiting"
            else:
                reserved.raise_for_status()
                charged = await client.post(f"{payments_url}/charges", json={"card": order.card})
                if charged.status_code == 402:
                    raise HTTPException(402, "The card was refused.")
                charged.raise_for_status()
                order.status = "paid"
        orders.append(order)
        return order

    @app.post("/arrivals/{item}")
    async def take_arrival(item: str) -> int:
        """Let the orders go on that wait for an item."""
        waiting = [each for each in orders if each.item == item and each.status == "waiting"]
        for each in waiting:
            orders.remove(each)
            await add_order(each)
        return len(waiting)

    return app
