"""Whether a loop sleeps and nothing has arrived, as another thread sees it.

A call on the loop and its answer cost two changes of thread, 0.1 to 0.3 ms. A test that asked its
server for nothing, or has had all answers, need not pay for them.

asyncio's loop gets a selector here that says when it sleeps. uvloop sleeps in C: there Linux says
what the thread waits for, which takes longer, but less than a call. Elsewhere a call has to do.
"""

import asyncio
import os
import select
import selectors
import sys
import threading
from math import inf
from time import monotonic
from typing import Any

__all__ = ["is_quiet", "new_event_loop"]

_EpollSelector: Any = getattr(selectors, "EpollSelector", selectors.DefaultSelector)
_IS_SUPPORTED = hasattr(selectors, "EpollSelector")

# In so many seconds before the end of a sleep a timer may be due, as epoll counts milliseconds.
_EARLY = 0.001


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make a loop of asyncio that `is_quiet` can tell of, where the system has epoll."""
    return asyncio.SelectorEventLoop(_Selector() if _IS_SUPPORTED else None)


def is_quiet(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> bool:
    """Return whether a loop sleeps, and nothing has arrived. Any thread may call this.

    Then all that was sent before has been read and handled, and no callback is left to run.
    False may also mean that this cannot be told.

    Args:
        loop: A loop of `new_event_loop` or of uvloop.
        thread: The thread in which it runs.
    """
    selector = getattr(loop, "_selector", None)
    if isinstance(selector, _Selector):
        return selector.is_quiet()
    return _is_quiet_in_c(loop, thread)


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
        # If it is still the same sleep afterwards, the loop has read nothing in between.
        return not _poll_of(self._file).poll(0) and self._sleep is sleep


def _poll_of(epoll: int) -> Any:
    """Return a poll object that says whether something has arrived at an epoll object."""
    poll = select.poll()
    poll.register(epoll, select.POLLIN)  # it is itself a file that can be polled
    return poll


def _is_quiet_in_c(loop: Any, thread: threading.Thread) -> bool:
    """Return whether uvloop sleeps, by what Linux says of its thread.

    A thread that waits for Python's lock, with what it has read in its hand, is in another system
    call than one that waits for what arrives. But one that a tracer, such as strace, holds at the
    end of that call looks as if it waited. So look twice. At the first look no connection waits to
    be accepted, and the loop watches all. At the second no bytes wait to be read, and the loop has
    handled all.
    """
    if sys.platform != "linux" or not hasattr(loop, "_get_backend_id"):  # another loop
        return False
    try:
        epoll = loop._get_backend_id()
        poll = _poll_of(epoll)
        if poll.poll(0):
            return False
        file = os.open(f"/proc/self/task/{thread.native_id}/syscall", os.O_RDONLY)
        try:
            call = os.pread(file, 200, 0)
            return _is_wait(call, epoll) and not poll.poll(0) and os.pread(file, 200, 0) == call
        finally:
            os.close(file)
    except (OSError, ValueError):  # the loop is closed, or there is no /proc
        return False


def _is_wait(call: bytes, epoll: int) -> bool:
    """Return whether a thread is in `epoll_wait`, and not only to look what is there.

    Args:
        call: What Linux says of the thread: "running", or the numbers of its system call and of
            the arguments, as in `281 0x7 0x7f30df6e29e0 0x400 0xffffffff`; see
            proc_pid_syscall(5).
        epoll: The epoll object, the first argument of that call. The fourth is the timeout.
    """
    words = call.split()
    return len(words) > 4 and int(words[1], 16) == epoll and int(words[4], 16) != 0
