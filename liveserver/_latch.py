"""What a server's thread tells others: that something has happened, and how a start came out."""

import contextlib
import threading
from concurrent.futures import Future, InvalidStateError

__all__ = ["Latch", "Readiness", "tell"]


def tell(done: "Future[None]") -> None:
    """Set a future, unless whoever waits for it has given up, or was told before."""
    with contextlib.suppress(InvalidStateError):
        done.set_result(None)


class Latch:
    """Shut until it is opened, once. Like `threading.Event`, at a tenth of its price."""

    def __init__(self) -> None:
        self._shut = threading.Lock()
        self._shut.acquire()
        self.is_open = False

    def open(self) -> None:
        """Let everybody through who waits; only the server's thread does this."""
        if not self.is_open:
            self.is_open = True
            self._shut.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it is open, but not longer than that; return whether it is."""
        if not self.is_open and self._shut.acquire(timeout=seconds):
            self._shut.release()
        return self.is_open


class Readiness:
    """How a start came out. Whoever comes first decides: the one who tells, or who gives up.

    Attributes:
        failure: Why the server is not ready; to be read when it was told.
        given_up: Nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._undecided = threading.Lock()  # taken by whoever comes first, and kept
        self._told = Latch()
        self.failure: BaseException | None = None
        self.given_up = False

    def tell(self, failure: BaseException | None) -> bool:
        """Say that the server is ready, or why not; return whether this is still to be decided.

        Only the server's thread does this.
        """
        if not self._undecided.acquire(blocking=False):
            return False
        self.failure = failure
        self._told.open()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until it was told, but not longer than that; return whether it was."""
        return self._told.wait(seconds)

    def give_up(self) -> bool:
        """Wait no longer; return False if it is told at this very moment."""
        # One who has decided to tell does it at once.
        if not self._undecided.acquire(blocking=False) and self._told.wait(1):
            return False
        self.given_up = True
        return True
