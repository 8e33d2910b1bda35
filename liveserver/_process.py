"""What becomes of running servers when the process forks, and when it ends."""

import atexit
import concurrent.futures.thread  # noqa: F401  # registers its own end first, so it comes after ours
import os
import sys
import threading
from typing import Protocol

__all__ = ["add", "can_start_threads", "remove"]


class _Runs(Protocol):
    def end_with_process(self) -> None: ...

    def let_go(self) -> None: ...


# A run is listed as long as its thread, which keeps it alive anyway, may be running.
_running: set[_Runs] = set()


def add(run: _Runs) -> None:
    """Take care of a run from now on."""
    _running.add(run)


def remove(run: _Runs) -> None:
    """Take care of it no longer."""
    _running.discard(run)


def can_start_threads() -> bool:
    """Whether a process that ends still starts threads; Python 3.12 does not."""
    try:
        threading.Thread(target=lambda: None).start()
    except RuntimeError:
        return False
    return True


def _end_all() -> None:
    """Stop what nobody stopped, as after Ctrl-C, so that the apps can shut down."""
    for run in list(_running):
        try:
            run.end_with_process()
        except Exception as error:
            # There is nobody left to raise it to, and it must not be lost.
            sys.excepthook(type(error), error, error.__traceback__)


def _let_go_all() -> None:
    """In a forked child: the servers' threads stayed in the parent, so only let go of sockets."""
    for run in list(_running):
        run.let_go()
    _running.clear()


# An app that shuts down may need worker threads, and with atexit it is too late for those:
# "cannot schedule new futures after shutdown". threading's own hook runs before that, the last
# registered first.
getattr(threading, "_register_atexit", atexit.register)(_end_all)

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go_all)
