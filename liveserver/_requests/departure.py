"""Whether a request failed only because its client has left.

That is a fact about the connection, not about the type of an exception: a handler that sends to
another client, which has left, fails its own one. So an exception counts as a departure only if
the client of this request has left, or the server has cancelled its task.
"""

import asyncio

__all__ = ["without_departures"]

# The frameworks whose exceptions say by their names that a client has left, as ClientDisconnect,
# WebSocketDisconnect and ClientDisconnected do. They are recognised without an import.
_FRAMEWORKS = {
    "blacksheep",
    "channels",
    "django",
    "falcon",
    "fastapi",
    "hypercorn",
    "litestar",
    "quart",
    "starlette",
    "uvicorn",
}


def without_departures(error: BaseException, left: bool, cancelled: bool) -> BaseException | None:
    """Return what of an exception is an error of the app; None if it is a departure as a whole.

    Args:
        error: What the app raised. The leaves of a group count.
        left: Whether the client of the request has left.
        cancelled: Whether the server has cancelled the request's task.
    """

    def is_departure(leaf: BaseException) -> bool:
        if isinstance(leaf, asyncio.CancelledError):
            return left or cancelled
        return left and _says_disconnect(leaf)

    if isinstance(error, BaseExceptionGroup):
        return error.split(lambda each: _is_leaf(each) and is_departure(each))[1]
    return None if is_departure(error) else error


def _is_leaf(error: BaseException) -> bool:
    return not isinstance(error, BaseExceptionGroup)


def _says_disconnect(error: BaseException) -> bool:
    return any(
        "disconnect" in kind.__name__.lower() and kind.__module__.partition(".")[0] in _FRAMEWORKS
        for kind in type(error).__mro__
    )
