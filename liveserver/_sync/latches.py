"""What a server's thread tells other threads: an event, and an outcome."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from liveserver._options import bounds

__unittest = __tracebackhide__ = True

__all__ = ["Latch", "Outcome"]

T = TypeVar("T")


class Latch:
    """An event that is set once, by one thread.

    `threading.Event` takes a lock in Python code, which a Ctrl-C in its `wait()` can leave locked;
    the one lock here is released by `set()` alone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        # Written by the server's thread; any thread may read it.
        self._set = False

    def is_set(self) -> bool:
        """Return whether it is set."""
        return self._set

    def set(self) -> None:
        """Wake all waiters. Only one thread calls this."""
        if not self._set:
            self._set = True
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it is set, at most so long; return whether it is."""
        if not self._set and self._lock.acquire(timeout=seconds):
            self._lock.release()
        return self._set


class Outcome(Generic[T]):
    """What comes of something that a server's thread does for another one.

    It is set once, or cancelled by the thread that waits; the first of the two decides. It stands
    in the place of `concurrent.futures.Future`, of which a Ctrl-C in the waiting thread can leave
    a lock locked: the server's thread would then wait for that lock for ever.

    Attributes:
        error: The exception; None if there is a result. Written before `wait()` returns True, and
            read after that.
        cancelled: Nobody waits for it. Written by the waiting thread; any thread may read it.
    """

    def __init__(self) -> None:
        self._undecided = threading.Lock()  # the first thread takes it, and keeps it
        self._set = Latch()
        # The waiting thread adds to it.
        self._callbacks: list[Callable[[], object]] = []
        self._result: T
        self.error: BaseException | None = None
        self.cancelled = False

    def set_result(self, result: T) -> bool:
        """Set the result. Return False if the outcome is decided. Any thread may call this."""
        return self._decide(result, None)

    def set_exception(self, error: BaseException) -> bool:
        """Set the exception. Return False if the outcome is decided. Any thread may call this."""
        return self._decide(None, error)

    def _decide(self, result: Any, error: BaseException | None) -> bool:
        if not self._undecided.acquire(blocking=False):
            return False
        self._result, self.error = result, error
        self._set.set()
        self._call_back()
        return True

    def _call_back(self) -> None:
        # They refer to this object, and are not kept, so that it needs no garbage collector.
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def done(self) -> bool:
        """Whether it is set."""
        return self._set.is_set()

    # Only the thread that waits calls these.

    def add_done_callback(self, callback: Callable[[], object]) -> None:
        """Call a function, at least once and in any thread, when it is set or cancelled."""
        self._callbacks.append(callback)
        if self.done():
            self._call_back()
            callback()  # the thread that has set it may have taken the list just before

    def wait(self, seconds: float) -> bool:
        """Wait until it is set, at most so long; return whether it is."""
        return self._set.wait(seconds)

    def result(self) -> T:
        """Return the result, or raise the exception. It has to be set."""
        if self.error is None:
            return self._result
        try:
            raise self.error
        finally:
            del self  # the exception's frames would hold the exception

    def cancel(self) -> bool:
        """Stop waiting. Return False if it is set, or is being set at this moment."""
        if self.cancelled:
            return True
        if not self._undecided.acquire(blocking=False) and self._set.wait(bounds.OUTCOME):
            return False
        self.cancelled = True
        self._call_back()
        return True
