"""LIVESERVER_LOG: what servers' threads log, for the notes of failing tests.

A factory of log records sees each record in the thread that logs it, and whatever handlers there
are see it as before. It is installed with the first server, if the variable is set.
"""

import logging
import threading
from collections import deque
from contextvars import ContextVar
from time import perf_counter
from typing import Any, NamedTuple

from liveserver._errors import describe_error, printable

__unittest = __tracebackhide__ = True

__all__ = ["LogLine", "LogLines"]

_MAX_LINES = 1000

# The lines of the server whose thread this is, and of the one in whose context a function runs:
# frameworks run functions in threads of their own, with the context of the request.
_of_thread = threading.local()
_of_context: ContextVar["LogLines | None"] = ContextVar("liveserver_log_lines", default=None)

_lock = threading.Lock()
_installed = False


class LogLine(NamedTuple):
    """A line that a server's thread logged, and when, by `time.perf_counter`."""

    time: float
    text: str


class LogLines:
    """The last 1,000 lines of one server. Its threads add to them; any thread may copy them.

    Args:
        level: The level from which on records are taken; None takes none.
    """

    def __init__(self, level: int | None = None) -> None:
        self._level = level
        self._lines: deque[LogLine] = deque(maxlen=_MAX_LINES)

    def enter_thread(self) -> None:
        """Take what the calling thread logs from now on."""
        if self._level is not None:
            _of_thread.lines = self
            _of_context.set(self)
            _install()

    def lower_root_level(self) -> None:
        """Let loggers without a level of their own log from the level of these lines on."""
        if self._level is not None and logging.root.level > self._level:
            logging.root.setLevel(self._level)

    def takes(self, level: int) -> bool:
        """Whether a record of this level is taken."""
        return self._level is not None and level >= self._level

    def since(self, moment: float) -> list[LogLine]:
        """Copy the lines from a moment on."""
        return [line for line in list(self._lines) if line.time >= moment]

    def add(self, record: logging.LogRecord) -> None:
        """Add a record, as text: an app may change later what it has logged."""
        try:
            message = record.getMessage()
        except Exception:  # logging itself reports it
            message = str(record.msg)
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        raised = "" if error is None else f" ({describe_error(error)})"
        place = f"{record.name}:{record.filename}:{record.lineno}"
        text = f"{record.levelname:8} {place} {printable(message)}{raised}"
        self._lines.append(LogLine(perf_counter(), text))


def _install() -> None:
    global _installed
    with _lock:
        if _installed:
            return
        _installed = True
        make = logging.getLogRecordFactory()

        def make_and_keep(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            lines = getattr(_of_thread, "lines", None) or _of_context.get()
            if lines is not None and lines.takes(record.levelno):
                lines.add(record)
            return record

        logging.setLogRecordFactory(make_and_keep)
