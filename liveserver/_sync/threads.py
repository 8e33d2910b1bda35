"""Waits that neither block a loop nor miss a signal."""

import asyncio
import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any

from liveserver._errors import ConfigurationError
from liveserver._options import bounds
from liveserver._sync.latches import Latch, Outcome

__unittest = __tracebackhide__ = True

__all__ = [
    "DaemonThread",
    "check_asyncio",
    "check_real_threads",
    "run_in_thread",
    "take_turns",
    "wait_for_outcome",
    "wait_readable",
]

# A client needs a turn to read, one to hear of it, and some to close in good order.
_TURNS = 10


class DaemonThread(threading.Thread):
    """A daemon whose `start` does not wait until it has begun: its owner waits for its outcome.

    `Thread.start()` waits for an `Event`. That costs two changes of thread, and a Ctrl-C there can
    leave its lock locked: the new thread, which sets the event, would wait for that lock for ever.
    """

    def __init__(self, target: Callable[[], None], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._started = self._begun = _Started()
        # Written by the thread that calls start(), which alone reads it.
        self._asked = False

    def start(self) -> None:
        """Start it, and do not wait until it has begun."""
        super().start()
        self._asked = True

    def wait_for(self, outcome: Outcome[Any], seconds: float) -> bool:
        """Wait until it has set an outcome; return whether it has.

        Args:
            outcome: The outcome.
            seconds: How long. If it has not begun by then, as on a busy system, as long again.
        """
        if outcome.wait(seconds):
            return True
        if self.is_alive():
            return False
        return self.wait_begun(bounds.THREAD_START) and outcome.wait(seconds)

    def wait_begun(self, seconds: float) -> bool:
        """Wait until it has begun, at most so long; return whether it has.

        One that the system has refused, or that Ctrl-C has kept from its start, is not waited for.
        """
        return Latch.wait(self._begun, seconds if self._asked else 0)


class _Started(Latch):
    """What `Thread` uses of an event."""

    def wait(self, seconds: float = -1) -> bool:
        """Do not wait."""
        return self.is_set()

    def _at_fork_reinit(self) -> None:
        """In a forked child: only the new thread sets it, and that is the parent's."""


async def wait_for_outcome(outcome: Outcome[Any], seconds: float | None = None) -> bool:
    """Wait until another thread has set an outcome, at most so long; return whether it has."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nothing waits on it
            loop.call_soon_threadsafe(done.set)

    outcome.add_done_callback(wake)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)
    return outcome.done()


def check_real_threads() -> None:
    """Refuse a process without real threads, in which a server would block its test.

    Raises:
        ConfigurationError: gevent has made greenlets of them.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        raise ConfigurationError(
            "gevent has patched the threads of this process, and a server needs a real one. Use "
            "gevent.monkey.patch_all(thread=False), or start the server in a process of its own."
        )


def check_asyncio(method: str, blocking: str) -> None:
    """Refuse an awaitable method where asyncio's loop does not run, before anything is started.

    Args:
        method: The method.
        blocking: What to use instead.

    Raises:
        ConfigurationError: It does not run: this is a task of trio, or of another library.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            f"{method} needs asyncio's running loop, and that does not run here. Use {blocking}; "
            f"in a task of trio, await trio.to_thread.run_sync() with it."
        ) from None


async def take_turns() -> None:
    """Let the running loop read what the server's thread has just written to its clients."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def run_in_thread(function: Callable[..., object], *args: object) -> None:
    """Await a blocking function in a new thread, to its end even if this is cancelled.

    Not in the loop's executor: a test whose clients hang may have filled that.
    """
    outcome: Outcome[None] = Outcome()

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
            await wait_for_outcome(outcome)
        except asyncio.CancelledError as error:
            # The function is bounded, and must not be left half done.
            cancelled = error
    thread.join()
    if cancelled is not None:
        raise cancelled from outcome.error
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
