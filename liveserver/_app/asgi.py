"""The types of ASGI, and the connection behind a request's `receive`.

https://asgi.readthedocs.io/en/latest/specs/main.html
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["ASGIApp", "Message", "Receive", "Scope", "Send", "client_left", "cycle_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def cycle_of(receive: Any) -> Any:
    """Return uvicorn's own object for a request, of which `receive` is a method; None if unknown.

    At uvicorn's log level TRACE, `receive` is a function that encloses that method.
    """
    cycle = getattr(receive, "__self__", None)
    if cycle is None:
        for cell in getattr(receive, "__closure__", None) or ():
            cycle = cycle or getattr(cell.cell_contents, "__self__", None)
    return cycle


def client_left(cycle: Any) -> bool:
    """Whether the client of a request has left, or the server has ended its connection."""
    if getattr(cycle, "disconnected", False):
        return True
    transport = getattr(cycle, "transport", None)
    return transport is not None and bool(transport.is_closing())
