"""What a server's thread tells other threads: an event, and the outcome of a start."""

import contextlib
import threading
from concurrent.futures import Future, InvalidStateError

from liveserver._options import bounds

__all__ = ["Latch", "StartOutcome", "resolve"]


def resolve(future: "Future[None]") -> None:
    """Set a future's result, unless it is done or cancelled."""
    with contextlib.suppress(InvalidStateError):
        future.set_result(None)


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
        """Wake all waiters. Only the server's thread calls this."""
        if not self._set:
            self._set = True
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it is set, at most so long; return whether it is."""
        if not self._set and self._lock.acquire(timeout=seconds):
            self._lock.release()
        return self._set


class StartOutcome:
    """The outcome of a start: resolved by the server's thread, or cancelled by the one that waits.

    The first of the two decides.

    Attributes:
        failure: Why the server is not ready; None if it is. Written by the server's thread before
            `wait()` returns True, and read after that.
        cancelled: Nobody waits for it. Written by the waiting thread; the server's thread reads it.
    """

    def __init__(self) -> None:
        self._undecided = threading.Lock()  # the first thread takes it, and keeps it
        self._resolved = Latch()
        self.failure: BaseException | None = None
        self.cancelled = False

    def resolve(self, failure: BaseException | None) -> bool:
        """Say that the server is ready, or why not. Return False if the outcome is decided.

        Only the server's thread calls this.
        """
        if not self._undecided.acquire(blocking=False):
            return False
        self.failure = failure
        self._resolved.set()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until it is resolved, at most so long; return whether it is."""
        return self._resolved.wait(seconds)

    def cancel(self) -> bool:
        """Stop waiting. Return False if the server's thread resolves it at this moment."""
        if not self._undecided.acquire(blocking=False) and self._resolved.wait(bounds.OUTCOME):
            return False
        self.cancelled = True
        return True
