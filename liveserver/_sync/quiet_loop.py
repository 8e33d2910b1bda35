"""A loop of asyncio of which another thread can see, without a call on the loop, that it sleeps.

A call on the loop and its answer cost two changes of thread, 0.1 to 0.2 ms. A test that asked its
server for nothing, or has had all answers, need not pay for them.
"""

import asyncio
import select
import selectors
from math import inf
from time import monotonic
from typing import Any

__all__ = ["is_quiet", "new_event_loop"]

# An epoll object is itself a file that can be polled. On systems without it, a call on the loop
# has to do; so too on uvloop, which does not say when it sleeps.
_EpollSelector: Any = getattr(selectors, "EpollSelector", selectors.DefaultSelector)
_IS_SUPPORTED = hasattr(selectors, "EpollSelector")

# In so many seconds before the end of a sleep a timer may be due, as epoll counts milliseconds.
_EARLY = 0.001


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make a loop of asyncio that `is_quiet` can tell of, where the system has epoll."""
    return asyncio.SelectorEventLoop(_Selector() if _IS_SUPPORTED else None)


def is_quiet(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop sleeps, and nothing has arrived. Any thread may call this.

    Then all that was sent before has been read and handled, and no callback is left to run.
    False may also mean that this cannot be told.
    """
    selector = getattr(loop, "_selector", None)
    return isinstance(selector, _Selector) and selector.is_quiet()


class _Selector(_EpollSelector):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self._file = self.fileno()  # a closed selector does not know it any more
        # Of each sleep a list of its own, with the time of its end; None between two. The loop's
        # thread writes it; any thread may read it.
        self._sleep: list[float] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:  # a callback waits
            return super().select(timeout)  # type: ignore[no-any-return]
        self._sleep = [inf if timeout is None else monotonic() + timeout - _EARLY]
        try:
            return super().select(timeout)  # type: ignore[no-any-return]
        finally:
            self._sleep = None

    def is_quiet(self) -> bool:
        sleep = self._sleep
        if sleep is None or monotonic() >= sleep[0]:  # a timer is due
            return False
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        # If it is still the same sleep afterwards, the loop has read nothing in between.
        return not poll.poll(0) and self._sleep is sleep
