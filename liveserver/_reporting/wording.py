"""Human-readable descriptions: requests and tasks that still run, and the lines they are at."""

import functools
import threading
import traceback
from asyncio import Task
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from time import perf_counter
from typing import Any

from liveserver._reporting.await_chain import job_lines, task_lines, thread_lines
from liveserver._reporting.frames import Lines, short_path, users_lines
from liveserver._requests.record import RequestRecord

__all__ = [
    "job_standing",
    "listed",
    "raised_at",
    "request_line",
    "standing",
    "still_running",
    "thread_stack",
    "thread_standing",
]

_UNKNOWN = "at an unknown line"


def _never_raises(describe: Callable[..., str]) -> Callable[..., str]:
    """Whatever an app's objects do when they are looked at, a stop must not fail by it."""

    @functools.wraps(describe)
    def described(*args: Any) -> str:
        try:
            return describe(*args)
        except Exception:
            return _UNKNOWN

    return described


def request_line(record: RequestRecord, server_thread: threading.Thread) -> str:
    """Describe a running request: `GET /events, open 6.1 s, at shop/feed.py:31 in events`."""
    age = perf_counter() - record.started
    place = standing(record.task, server_thread)
    return f"{record.method} {record.path}, open {age:.1f} s, {place}"


def listed(lines: Iterable[str]) -> str:
    """Put each line below what a message says."""
    return "".join(f"\n  {line}" for line in lines)


def still_running(lines: Collection[str]) -> str:
    """End a message by what still runs, if anything does."""
    return f" Still running:{listed(lines)}" if lines else ""


@_never_raises
def standing(task: "Task[Any] | None", server_thread: threading.Thread) -> str:
    """Say where a task of the server's loop is: `at shop/feed.py:31 in events`."""
    return _UNKNOWN if task is None else _place(task_lines(task, server_thread))


@_never_raises
def thread_standing(thread: threading.Thread) -> str:
    """Say where a thread is, in the words of `standing`."""
    return _place(thread_lines(thread))


@_never_raises
def job_standing(job: "Future[Any]") -> str:
    """Say where a job of an executor is, in the words of `standing`."""
    return _place(job_lines(job))


@_never_raises
def raised_at(error: BaseException) -> str:
    """Say where an exception was raised, in the words of `standing`."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]  # the group itself is raised where it was put together
    return _place(list(traceback.walk_tb(error.__traceback__)))


@_never_raises
def thread_stack(thread: threading.Thread) -> str:
    """Format the app's own lines in a thread's stack, innermost last, as a traceback does."""
    lines = thread_lines(thread)
    summary = traceback.StackSummary.extract(iter(users_lines(lines) or lines), lookup_lines=False)
    return "".join(summary.format()).rstrip()


def _place(lines: Lines) -> str:
    if not lines:
        return _UNKNOWN
    # The innermost line of the app itself tells more than the one of asyncio that it waits in.
    frame, line = (users_lines(lines) or lines)[-1]
    return f"at {short_path(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
