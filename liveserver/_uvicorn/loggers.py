"""uvicorn's loggers: quiet by default, open to all handlers, and restored after the servers.

A record of a server's thread carries its traceback as text. As an exception it would keep the
request's frames alive as long as a handler keeps the record, and its carets could end the process
(see `plain_traceback`).
"""

import contextlib
import logging
import threading
from collections.abc import Iterator

from liveserver._reporting.tracebacks import short_traceback
from liveserver._sync.forks import in_forked_child

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
for _name in ("uvicorn.access", "uvicorn.asgi"):
    logging.getLogger(_name)  # so that it is known when it is to be restored

# Keeps logging.lastResort quiet. The records still reach assertLogs(), caplog and the root logger.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())

# Of all servers that change loggers: how many run, and how the loggers were before the first.
# Read and written under the lock.
_lock = threading.Lock()
_running = 0
_before: list["_Snapshot"] = []


@contextlib.contextmanager
def restored_loggers() -> Iterator[None]:
    """Restore all loggers after the body, or after the last one of several at once.

    uvicorn's `log_config` may change any logger, the root too, and disable those that it does not
    name.
    """
    global _running
    with _lock:
        if not _running:
            known = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
            _before[:] = [_Snapshot(log) for log in known if isinstance(log, logging.Logger)]
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if not _running:
                _restore()


class _Snapshot:
    """The state of a logger that a configuration may change."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._state = log.level, log.propagate, log.disabled
        self._handlers, self._filters = list(log.handlers), list(log.filters)

    def restore(self) -> None:
        log = self._log
        level, log.propagate, log.disabled = self._state
        log.setLevel(level)
        log.handlers[:], log.filters[:] = self._handlers, self._filters


def _restore() -> None:
    for snapshot in _before:
        snapshot.restore()
    _before.clear()


def _forget_servers() -> None:
    """In a forked child: no server of the parent restores the loggers, so do it now."""
    global _lock, _running
    _lock, _running = threading.Lock(), 0
    _restore()


in_forked_child(_forget_servers)
