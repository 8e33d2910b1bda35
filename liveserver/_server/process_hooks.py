"""What becomes of running servers when the process forks, and when it ends."""

import atexit
import concurrent.futures.thread as pools  # registers its exit hook first, to run after ours
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

from liveserver._errors import LiveServerError
from liveserver._options import bounds
from liveserver._reporting.wording import listed, thread_standing
from liveserver._sync.forks import in_forked_child

__all__ = ["after_runs", "can_start_threads", "register", "unregister"]


class _Run(Protocol):
    def end_with_process(self) -> None: ...
    def detach_in_child(self) -> None: ...


# A run is registered as long as its thread, which keeps it alive anyway, may run.
_runs: set[_Run] = set()
# Called when all runs have ended.
_reports: list[Callable[[], None]] = []


def register(run: _Run) -> None:
    """End a run with the process, if nothing ends it before."""
    _runs.add(run)


def unregister(run: _Run) -> None:
    """Forget a run: it has ended, or its end was waited for."""
    _runs.discard(run)


def after_runs(report: Callable[[], None]) -> None:
    """Call a function when the process has ended all runs; what it raises is shown."""
    _reports.append(report)


def can_start_threads() -> bool:
    """Whether a process that ends still starts threads; since Python 3.12 it does not."""
    try:
        threading.Thread(target=lambda: None).start()
    except RuntimeError:
        return False
    return True


def _end_runs() -> None:
    """Stop the servers that nothing has stopped, as after Ctrl-C, so that the apps shut down."""
    for act in [*(run.end_with_process for run in list(_runs)), *_reports, _abandon_stuck_pools]:
        try:
            act()
        except Exception as error:
            # No caller is left to raise it to, and it must not be lost.
            if isinstance(error, LiveServerError):
                error.__traceback__ = None  # our frames; its cause has the app's
            sys.excepthook(type(error), error, error.__traceback__)


def _abandon_stuck_pools() -> None:
    """Let the process end without the threads of thread pools that are stuck in an app.

    `concurrent.futures` joins all of them. Those of an app are daemons, as its server's thread is.
    """
    queues: Any = pools._threads_queues
    of_apps = {thread: jobs for thread, jobs in list(queues.items()) if thread.daemon}
    # As concurrent.futures ends them.
    with pools._global_shutdown_lock:
        pools._shutdown = True
    for jobs in of_apps.values():
        jobs.put(None)
    for thread in of_apps:
        thread.join(bounds.AT_EXIT)
    stuck = [thread for thread in of_apps if thread.is_alive()]
    for thread in stuck:
        queues.pop(thread, None)
    if stuck:
        lines = [f"thread {each.name}, {thread_standing(each)}" for each in stuck]
        print(f"liveserver: The process ends without:{listed(lines)}", file=sys.stderr)


def _forget_runs() -> None:
    """In a forked child: close the copies of the sockets, and stop nothing of the parent's."""
    for run in list(_runs):
        with contextlib.suppress(Exception):  # the others must be detached all the same
            run.detach_in_child()
    _runs.clear()
    _reports.clear()


# An app that shuts down may need worker threads. An atexit function is too late for those ("cannot
# schedule new futures after shutdown"). threading's own hooks run before, the last one first.
getattr(threading, "_register_atexit", atexit.register)(_end_runs)

in_forked_child(_forget_runs)
