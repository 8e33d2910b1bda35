"""What becomes of running servers when the process forks, and when it ends."""

import atexit
import concurrent.futures.thread  # noqa: F401  # registers its own end first, so it comes after ours
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from liveserver._errors import LiveServerError

__all__ = ["add", "after_end", "can_start_threads", "remove"]


class _Runs(Protocol):
    def end_with_process(self) -> None: ...

    def let_go(self) -> None: ...


# A run is listed as long as its thread, which keeps it alive anyway, may be running.
_running: set[_Runs] = set()

# What is to be said when they have ended.
_reports: list[Callable[[], None]] = []


def add(run: _Runs) -> None:
    """Take care of a run from now on."""
    _running.add(run)


def remove(run: _Runs) -> None:
    """Take care of it no longer."""
    _running.discard(run)


def after_end(report: Callable[[], None]) -> None:
    """Call a function when the process has ended all runs; what it raises is shown."""
    _reports.append(report)


def can_start_threads() -> bool:
    """Whether a process that ends still starts threads; Python 3.12 does not."""
    try:
        threading.Thread(target=lambda: None).start()
    except RuntimeError:
        return False
    return True


def _end_all() -> None:
    """Stop what nobody stopped, as after Ctrl-C, so that the apps can shut down."""
    for act in [*(run.end_with_process for run in list(_running)), *_reports]:
        try:
            act()
        except Exception as error:
            # There is nobody left to raise it to, and it must not be lost.
            if isinstance(error, LiveServerError):
                error.__traceback__ = None  # our frames; those of the app are in its cause
            sys.excepthook(type(error), error, error.__traceback__)


def _let_go_all() -> None:
    """In a forked child: the servers' threads stayed in the parent, so only let go of sockets."""
    for run in list(_running):
        run.let_go()
    _running.clear()
    _reports.clear()


# An app that shuts down may need worker threads, and with atexit it is too late for those:
# "cannot schedule new futures after shutdown". threading's own hook runs before that, the last
# registered first.
getattr(threading, "_register_atexit", atexit.register)(_end_all)

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go_all)
