"""Waits that neither block a loop nor miss a signal."""

import asyncio
import contextlib
import os
import select
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from liveserver._options import bounds

__unittest = __tracebackhide__ = True

__all__ = ["run_in_thread", "wait_for_future", "wait_readable"]


async def wait_for_future(future: "Future[Any]", seconds: float | None = None) -> bool:
    """Wait until a future of another thread is done, at most so long; return whether it is.

    Unlike `asyncio.wrap_future`, it has no trouble with a `StopIteration` as the outcome.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def wake(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nothing waits on it
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(wake)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)
    return future.done()


async def run_in_thread(function: Callable[..., object], *args: object) -> None:
    """Await a blocking function in a new thread, to its end even if this is cancelled.

    Not in the loop's executor: a test whose clients hang may have filled that.
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

    thread = threading.Thread(target=call, name="liveserver-helper", daemon=True)
    thread.start()
    cancelled: asyncio.CancelledError | None = None
    while not outcome.done():
        try:
            await wait_for_future(outcome)
        except asyncio.CancelledError as error:
            # The function is bounded, and must not be left half done.
            cancelled = error
    thread.join()
    if cancelled is not None:
        raise cancelled from outcome.exception()
    outcome.result()


def wait_readable(source: Any) -> None:
    """Wait until a file has input, or has ended, and let signal handlers run meanwhile.

    Python runs a signal handler between two steps of its own. A signal that comes after the last
    step before a blocking read is otherwise handled when that read ends.

    Args:
        source: A file, or its descriptor. On Windows, where only sockets can be waited for, this
            returns at once.
    """
    while os.name == "posix" and not select.select([source], [], [], bounds.SIGNAL_CHECK)[0]:
        pass
