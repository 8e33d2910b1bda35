"""Wait until a signal comes or the server ends.

Both write a byte into a pipe. For a signal, the C handler (`signal.set_wakeup_fd`) does so at once;
handlers in Python, events and queues have to wait for the main thread's current blocking call. The
handler in Python writes a byte too, as an event loop of the fixture may have replaced the wakeup
file descriptor. `wait_readable` lets that handler run.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from liveserver._sync.threads import wait_readable

__all__ = ["SignalWait"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SERVER_ENDED = 0  # no signal has this number

# What the first signal writes. A terminal shows Ctrl-C as ^C, in the line before.
_STOPPING: dict[int, bytes] = {
    signal.SIGINT: b"\nStopping. Ctrl-C again stops at once.\n",
    signal.SIGTERM: b"Stopping.\n",
}


class SignalWait:
    """In its `with` block, the first SIGINT or SIGTERM only ends `wait`.

    The second one raises KeyboardInterrupt in the main thread. The third one ends the process.

    Attributes:
        on_second: Called by the second signal, before it raises.
    """

    def __init__(self) -> None:
        self.on_second: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe()
        self._open = True  # whether the pipe is open; changed under _lock
        self._asked = False  # whether a signal has come; the main thread writes it, any reads it
        if os.name == "posix":  # pragma: no branch  # always so, except on Windows
            os.set_blocking(self._writer, False)
        self._usual_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._usual: dict[int, Any] = {each: signal.signal(each, self._handle) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._usual_fd)
        with self._lock:
            self._open = False
            os.close(self._reader)
            os.close(self._writer)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            self.on_second()
            raise KeyboardInterrupt
        self._asked = True
        with contextlib.suppress(BlockingIOError):  # it is full, so a byte is there to read
            # Without the lock, which this thread may hold. Only this thread closes the pipe.
            os.write(self._writer, bytes([number]))
        with contextlib.suppress(AttributeError, OSError, ValueError):
            # Not print(), which the signal may have interrupted.
            os.write(sys.stderr.fileno(), _STOPPING[number])

    def server_ended(self) -> None:
        """End the wait, in any thread."""
        with self._lock:
            if self._open:
                os.write(self._writer, bytes([_SERVER_ENDED]))

    def wait(self) -> bool:
        """Wait, in any thread; return whether the server ended by itself."""
        while True:
            wait_readable(self._reader)
            number = os.read(self._reader, 1)[0]
            # Bytes of other signals may have filled the pipe, so check _asked too.
            if self._asked or number in (*_SIGNALS, _SERVER_ENDED):
                return not self._asked and number == _SERVER_ENDED
