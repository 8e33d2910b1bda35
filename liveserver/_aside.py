"""Waits on a loop: for a blocking call of ours, and for something that happens once."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["AT_ONCE", "Gate", "aside", "came"]

# Seconds that a loop may be blocked, to save a thread where a wait is nearly always over at once.
AT_ONCE = 0.005


class Gate:
    """Shut until it is opened, once; for the tasks of one loop.

    Like `asyncio.Event`, at a third of its price, and a start and stop needs several.
    """

    __slots__ = ("_waiters", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._waiters: list[asyncio.Future[None]] = []

    def open(self) -> None:
        """Let everybody through who waits, now and later."""
        if not self.is_open:
            self.is_open = True
            for waiter in self._waiters:
                if not waiter.done():  # it may be cancelled
                    waiter.set_result(None)

    async def wait(self) -> None:
        """Wait until it is open."""
        if not self.is_open:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)


async def came(outcome: "Future[Any]", seconds: float | None = None) -> bool:
    """Wait until a future of another thread is done, at most so long; return whether it is.

    `asyncio.wrap_future` does not deliver a `StopIteration`.
    """
    loop = asyncio.get_running_loop()
    gate = Gate()

    def tell(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(gate.open)

    outcome.add_done_callback(tell)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gate.wait(), seconds)
    return outcome.done()


async def aside(function: Callable[..., object], *args: object) -> None:
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
    cancelled: asyncio.CancelledError | None = None
    while not outcome.done():
        try:
            await came(outcome)
        except asyncio.CancelledError as error:
            # What was begun is bounded, and must not be left half done.
            cancelled = error
    thread.join()
    if cancelled is not None:
        raise cancelled from outcome.exception()
    outcome.result()
