"""A blocking call of ours, awaited."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

__all__ = ["aside"]


async def aside(function: Callable[..., None], *args: object) -> None:
    """Await a blocking function in a thread of its own, to its end even if this is cancelled.

    The loop's executor would be simpler, but a test whose clients hang may have filled it.
    """
    outcome: Future[None] = Future()
    outcome.set_running_or_notify_cancel()

    def call() -> None:
        try:
            function(*args)
        except BaseException as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    thread = threading.Thread(target=call, name="liveserver-aside", daemon=True)
    thread.start()
    waiter = asyncio.wrap_future(outcome)
    cancelled: asyncio.CancelledError | None = None
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError as error:
            # What was begun is bounded, and must not be left half done.
            cancelled = error
    thread.join()
    if cancelled is not None:
        raise cancelled from waiter.exception()
    waiter.result()
