"""uvicorn's loggers: quiet by default, open to whoever listens, and put back after the servers.

A record of a server's thread carries its traceback as text. As an exception it would keep the
request's frames alive for as long as somebody keeps the record, and two threads that format
tracebacks at the same time can end the process on Python 3.11 ("SystemError: AST constructor
recursion depth mismatch"), as both parse source code to place the carets. So the text has none.
"""

import contextlib
import logging
import threading
import traceback
from collections.abc import Iterator
from typing import Any

__all__ = ["mark_server_thread", "plain_traceback", "put_back"]

_server_threads = threading.local()


def mark_server_thread() -> None:
    """Take the records of the calling thread for those of a server."""
    _server_threads.marked = True


def plain_traceback(error: BaseException) -> str:
    """Format an exception, with its causes, without carets."""
    formatted = traceback.TracebackException.from_exception(error, compact=True)
    _remove_carets(formatted)
    return "".join(formatted.format()).rstrip()


def _remove_carets(formatted: traceback.TracebackException) -> None:
    # Not by recursion: an app that tries again and again makes chains of thousands.
    seen: set[int] = set()
    rest: list[traceback.TracebackException | None] = [formatted]
    while rest:
        each = rest.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        for line in each.stack:
            line.colno = line.end_colno = None
        rest += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


class _AsText(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and getattr(_server_threads, "marked", False):
            error = record.exc_info[1]
            record.exc_text = plain_traceback(error) if error is not None else None
            record.exc_info = None
        return True


for _name in ("uvicorn.error", "asyncio"):
    logging.getLogger(_name).addFilter(_AsText())

# Keeps logging.lastResort quiet; the records still reach assertLogs(), caplog and the root logger.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())

_NAMES = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")

# Of all servers that change loggers: how many run, and how the loggers were before the first.
_lock = threading.Lock()
_running = 0
_before: list[Any] = []


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Leave uvicorn's loggers as they were, whatever the body does to them.

    Bodies may overlap, in any order; the loggers are put back when the last one is done.
    """
    global _running, _before
    with _lock:
        if not _running:
            _before = [_snapshot(logging.getLogger(name)) for name in _NAMES]
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if not _running:
                _restore(_before)


def _snapshot(log: logging.Logger) -> Any:
    return log, log.level, list(log.handlers), log.propagate, log.disabled


def _restore(snapshots: list[Any]) -> None:
    for log, level, handlers, propagate, disabled in snapshots:
        log.setLevel(level)
        log.handlers[:] = handlers
        log.propagate, log.disabled = propagate, disabled
