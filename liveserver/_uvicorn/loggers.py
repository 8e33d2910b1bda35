"""uvicorn's loggers: quiet by default, open to all handlers, and restored after the servers.

A record of a server's thread carries its traceback as text. As an exception it would keep the
request's frames alive as long as a handler keeps the record, and its carets could end the process
(see `plain_traceback`).
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

from liveserver._reporting.tracebacks import short_traceback

__all__ = ["mark_server_thread", "restored_loggers"]

_server_threads = threading.local()


def mark_server_thread() -> None:
    """Treat the log records of the calling thread as those of a server."""
    _server_threads.marked = True


class _AsText(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and getattr(_server_threads, "marked", False):
            error = record.exc_info[1]
            record.exc_text = short_traceback(error) if error is not None else None
            record.exc_info = None
        return True


for _name in ("uvicorn.error", "asyncio"):
    logging.getLogger(_name).addFilter(_AsText())

# Keeps logging.lastResort quiet. The records still reach assertLogs(), caplog and the root logger.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())

_NAMES = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")

# Of all servers that change loggers: how many run, and how the loggers were before the first.
# Read and written under the lock.
_lock = threading.Lock()
_running = 0
_before: list[Any] = []


@contextlib.contextmanager
def restored_loggers() -> Iterator[None]:
    """Restore uvicorn's loggers after the body, or after the last one of several at once."""
    global _running, _before
    with _lock:
        if not _running:
            logs = map(logging.getLogger, _NAMES)
            _before = [
                (log, log.level, list(log.handlers), log.propagate, log.disabled) for log in logs
            ]
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if not _running:
                for log, level, handlers, log.propagate, log.disabled in _before:
                    log.setLevel(level)
                    log.handlers[:] = handlers
