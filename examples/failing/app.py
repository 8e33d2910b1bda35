"""A service for orders in which every handler has a mistake of its own.
The tests beside it show how each of them is reported."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import requests
from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, WebSocket
from fastapi.responses import StreamingResponse

app = FastAPI(title="Orders")

ORDERS: dict[int, dict[str, Any]] = {
    1: {"item": "Tea", "count": 2, "price": 350, "city": "Graz"},
    2: {"item": "Coffee", "count": 1, "price": None},
}
PRICES = {"Tea": 350}


@app.get("/orders/{number}")
def get_order(number: int) -> dict[str, Any]:
    """Return an order, in the belief that it is there."""
    return ORDERS[number]


@app.get("/orders/{number}/total")
async def get_total(number: int) -> int:
    """Return what an order costs, in the belief that its price is known."""
    return total(ORDERS[number])


def total(order: dict[str, Any]) -> int:
    """Multiply the price by the count."""
    price: int = order["price"] * order["count"]
    return price


@app.post("/orders/{number}/receipt", status_code=202)
async def request_receipt(number: int, tasks: BackgroundTasks) -> None:
    """Send the receipt after the response."""
    tasks.add_task(send_receipt, ORDERS[number])


def send_receipt(order: dict[str, Any]) -> None:
    """Send a receipt to an address that no order has."""
    raise ConnectionRefusedError(f"No mail server for the receipt of {order['item']}")


def customer_number(x_customer: Annotated[str, Header()]) -> int:
    """Take the customer's number from the header, where anything may be."""
    return int(x_customer)


@app.get("/basket")
async def get_basket(customer: Annotated[int, Depends(customer_number)]) -> list[str]:
    """Return the basket of a customer."""
    return [] if customer else ["Tea"]


@app.websocket("/tracking")
async def track(websocket: WebSocket) -> None:
    """Answer the number of an order with its city, which not every order has."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(ORDERS[int(text)]["city"])


@app.get("/orders.csv")
def export_orders() -> StreamingResponse:
    """Send all orders as a file."""
    return StreamingResponse(csv_lines(), media_type="text/csv")


def csv_lines() -> Iterator[str]:
    """Make a line of each order, with the city that not every order has."""
    for number, order in ORDERS.items():
        yield f"{number},{order['item']},{order['city']}\n"


@app.get("/prices/{item}")
async def get_price(item: str) -> int:
    """Return the price of an item, which must be spelled exactly so."""
    if item not in PRICES:
        raise HTTPException(404, f"There is no {item}.")
    return PRICES[item]


@app.get("/kitchen")
async def wait_for_kitchen() -> str:
    """Wait for somebody who never comes."""
    ready = asyncio.Event()
    await ready.wait()
    return "ready"


@app.post("/prices")
async def load_prices() -> int:
    """Read the prices anew from what a supplier sent, in which one is no number."""
    new: dict[str, int] = {}
    for name, price in [("Tea", "360"), ("Coffee", "unknown")]:
        new[name] = int(price)
    PRICES.update(new)
    return len(new)


@app.get("/stock/{item}")
def get_stock(item: str) -> int:
    """Ask the supplier, in the belief that it has an answer."""
    response = requests.get(f"{app.state.supplier_url}/items/{item}", timeout=5)
    if response.status_code != 200:
        raise RuntimeError(f"The supplier answered {response.status_code}.")
    count: int = response.json()
    return count
