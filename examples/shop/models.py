"""What the shop's API takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

# A larger one is the caller's mistake (422). SQLite keeps 64 bits, but browsers 53, and FastAPI
# writes the limit into the OpenAPI schema as a float, which has as many.
LARGEST_INTEGER = 2**53 - 1

# For the OpenAPI schema: how FastAPI answers a body that is not even text.
UNREADABLE_BODY: dict[int | str, dict[str, Any]] = {400: {"description": "The body is not UTF-8"}}


class Health(BaseModel):
    """The answer of a shop that is up."""

    message: Literal["OK"] = "OK"


class Received(BaseModel):
    """The posted JSON object, sent back."""

    received: dict[str, Any]


def _number(value: object) -> object:
    """Refuse `false` and `"350"`, of which pydantic would make 0 and 350."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("write a number")
    return value


class NewItem(BaseModel):
    """An item as a client sends it; the price is in cents."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    price: Annotated[int, Field(ge=0, le=LARGEST_INTEGER), BeforeValidator(_number)]


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
