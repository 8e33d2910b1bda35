"""What the shop's API takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

# SQLite keeps integers in 64 bits: a larger one is the caller's mistake (422), not a failed query.
LARGEST_INTEGER = 2**63 - 1


class Health(BaseModel):
    """The answer of a shop that is up."""

    message: Literal["OK"] = "OK"


class Received(BaseModel):
    """The posted JSON object, sent back."""

    received: dict[str, Any]


class NewItem(BaseModel):
    """An item as a client sends it; the price is in cents."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    price: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]


class Item(NewItem):
    """An item as the shop keeps it."""

    id: int


class ItemEvent(BaseModel):
    """One change to the items."""

    kind: Literal["created", "changed", "deleted"]
    item: Item


class ChatEvent(BaseModel):
    """One thing that happened in the chat; only "said" has a text."""

    kind: Literal["joined", "said", "left"]
    name: str
    text: str = ""
