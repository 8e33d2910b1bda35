"""The end of serving by hand: a signal, or the server's own end, whichever comes first.

Both write a byte into a pipe. Python does so for a signal in its C handler, at once; the handlers
in Python, an event or a queue would be heeded only after the blocking call that the main thread
may have been about to begin. The handler in Python writes one too: an event loop of the fixture
that handles signals itself has taken the wake-ups of the C handler away, and may not give them
back; `_readable` sees to it that the handler runs all the same.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from liveserver._readable import until_readable

__all__ = ["Ending"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SERVER_ENDED = 0  # no signal has this number


class Ending:
    """While it is entered, signals end nothing but what waits for it.

    The second one raises KeyboardInterrupt in the main thread, wherever that is; the one after it
    ends the process as if nobody had ever handled it.

    Attributes:
        on_second: Called by the second signal, before it raises.
    """

    def __init__(self) -> None:
        self.on_second: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe()
        self._open = True  # the pipe; changed under _lock
        self._asked = False  # by a signal, in the main thread; any thread may read it
        if os.name == "posix":  # pragma: no branch  # always so, except on Windows
            os.set_blocking(self._writer, False)
        self._usual_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._usual: dict[int, Any] = {each: signal.signal(each, self._heed) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._usual_fd)
        with self._lock:
            self._open = False
            os.close(self._reader)
            os.close(self._writer)

    def _heed(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            self.on_second()
            raise KeyboardInterrupt
        self._asked = True
        with contextlib.suppress(BlockingIOError):  # it is full, so there is enough to read
            # Without the lock, which this very thread may hold; it also closes the pipe, later.
            os.write(self._writer, bytes([number]))
        with contextlib.suppress(AttributeError, OSError, ValueError):
            # Not print(): its buffer may be in the middle of a line.
            os.write(sys.stderr.fileno(), b"\nStopping. Press Ctrl-C again to wait for nothing.\n")

    def server_ended(self) -> None:
        """End the wait because there is nothing to wait for. Any thread may call it."""
        with self._lock:
            if self._open:
                os.write(self._writer, bytes([_SERVER_ENDED]))

    def wait(self) -> bool:
        """Wait, in any thread; return whether the server ended without having been asked to."""
        while True:
            until_readable(self._reader)
            number = os.read(self._reader, 1)[0]
            # The pipe may have been full of other signals, with no room for those.
            if self._asked or number in (*_SIGNALS, _SERVER_ENDED):
                return not self._asked and number == _SERVER_ENDED
