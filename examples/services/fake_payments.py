"""A stand-in for the payment provider, whose own server no test may ask."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Charge(BaseModel):
    """A card that is to pay."""

    card: str


def create_app() -> FastAPI:
    """Build the app; `app.state.charged` has the cards that paid."""
    app = FastAPI(title="Payments")
    app.state.charged = []

    @app.post("/charges")
    async def charge(charge: Charge) -> None:
        """Refuse one card, as the provider's test system does, and break at another one."""
        if charge.card == "refused":
            raise HTTPException(402, "Payment required")
        if charge.card == "outage":
            raise HTTPException(503, "Service unavailable")
        app.state.charged.append(charge.card)

    return app
