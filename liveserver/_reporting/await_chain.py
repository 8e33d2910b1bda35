"""At which line a task or a thread is.

A suspended coroutine keeps no stack. Its line is found by following what each coroutine awaits, to
the end; where a task waits for another task (a task group, `gather`, `wait_for`) or for a worker
thread, the search goes on there. It only looks, at private attributes of other libraries too, and
falls back to the last line that it understands.
"""

import asyncio
import gc
import sys
import threading
import traceback
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Any

from liveserver._reporting.frames import Lines, users_lines

__all__ = ["job_lines", "task_lines", "thread_lines", "waits_for_thread"]

# These do not say what they run, as the step of an async generator; the garbage collector knows.
_OPAQUE = {
    "anext_awaitable",
    "async_generator_asend",
    "async_generator_athrow",
    "coroutine_wrapper",
}

# No await chain of an app is longer; a cycle is endless.
_MAX_DEPTH = 100

# A task may move on while another thread looks at it, which then misses the end of its chain.
_TRIES = 3


def task_lines(task: "asyncio.Task[Any]", server_thread: threading.Thread) -> Lines:
    """Return the lines that a task of the server's loop is at, outermost first.

    Lines of tasks and of worker threads that it waits for are among them.
    """
    lines: Lines = []
    for _ in range(_TRIES):
        lines = _task_lines(task, server_thread.ident, set())
        if users_lines(lines):
            break
    return lines


def thread_lines(thread: threading.Thread) -> Lines:
    """Return the lines that a thread is at, outermost first."""
    return _thread_lines(thread.ident)


def job_lines(job: "Future[Any]") -> Lines:
    """Return the lines of the worker thread that runs a job of an executor, outermost first."""
    for ident in sys._current_frames():
        stack = _thread_lines(ident)
        if any(getattr(f.f_locals.get("self"), "future", None) is job for f, _ in stack[:6]):
            return stack
    return []


def waits_for_thread(task: "asyncio.Task[Any] | None") -> bool:
    """Whether a task, or a task that it waits for, waits for a function in a worker thread."""
    seen: set[int] = set()
    rest = [] if task is None else [task]
    while rest and len(seen) < _MAX_DEPTH:
        each = rest.pop()
        if id(each) not in seen:
            seen.add(id(each))
            lines, future = _chain(each)
            if _worker_lines(future, lines):
                return True
            rest += _awaited_tasks(future, lines)
    return False


def _thread_lines(ident: int | None) -> Lines:
    frame = sys._current_frames().get(ident) if ident is not None else None
    return list(traceback.walk_stack(frame))[::-1] if frame is not None else []


def _task_lines(task: "asyncio.Task[Any]", server_thread: int | None, seen: set[int]) -> Lines:
    if id(task) in seen or len(seen) > _MAX_DEPTH:
        return []
    seen.add(id(task))
    if getattr(task.get_coro(), "cr_running", False):
        return _thread_lines(server_thread)
    lines, future = _chain(task)
    for other in _awaited_tasks(future, lines):
        deeper = _task_lines(other, server_thread, seen)
        if users_lines(deeper):
            return lines + deeper
    return lines + _worker_lines(future, lines)


def _chain(task: "asyncio.Task[Any]") -> tuple[Lines, Any]:
    """The lines of a task's own await chain, and the future at its end."""
    lines: Lines = []
    awaited: Any = task.get_coro()
    for _ in range(_MAX_DEPTH):
        frame, inner = _step(awaited)
        if frame is None:
            break
        lines.append((frame, frame.f_lineno))
        awaited = inner
    return lines, getattr(task, "_fut_waiter", None)


def _step(awaited: Any) -> tuple[FrameType | None, Any]:
    """The frame of an awaitable, and what that awaits in turn."""
    for prefix, inner in (("cr", "cr_await"), ("ag", "ag_await"), ("gi", "gi_yieldfrom")):
        frame = getattr(awaited, f"{prefix}_frame", None)
        if frame is not None:
            return frame, getattr(awaited, inner)
    if type(awaited).__name__ in _OPAQUE:
        for referent in gc.get_referents(awaited):
            frame, deeper = _step(referent)
            if frame is not None:
                return frame, deeper
    return None, None


def _awaited_tasks(awaited: Any, lines: Lines) -> Iterator["asyncio.Task[Any]"]:
    """The tasks that the end of an await chain waits for."""
    # A task itself, the children of gather(), the inner one of shield().
    candidates: list[Any] = [awaited, *_enclosed(awaited), *_gathered(awaited)]
    for depth, (frame, _) in enumerate(reversed(lines)):
        # Not in the app's own frames: it may hold tasks that it does not wait for.
        if not users_lines([(frame, 0)]):
            values = list(frame.f_locals.values())
            # Those of wait() and wait_for() are near the end, task groups may be anywhere.
            candidates += values if depth < 3 else []
            for value in values:
                tasks = getattr(value, "_tasks", ()) if type(value).__name__ == "TaskGroup" else ()
                candidates += tasks if isinstance(tasks, set | list | weakref.WeakSet) else ()
    for candidate in candidates:
        if isinstance(candidate, asyncio.Task):
            yield candidate


def _worker_lines(awaited: Any, lines: Lines) -> Lines:
    """The lines of the worker thread that the end of an await chain waits for."""
    for frame, _ in lines[-2:]:
        # anyio's run_sync keeps its thread in a local name.
        worker = frame.f_locals.get("worker")
        if isinstance(worker, threading.Thread):
            return _thread_lines(worker.ident)
    futures = [awaited, *_gathered(awaited)]
    sources = [each for future in futures for each in _enclosed(future)]
    for source in sources:
        stack = job_lines(source) if isinstance(source, Future) else []
        if stack:
            return stack
    return []


def _gathered(awaited: Any) -> Iterator[Any]:
    """The futures that the future of a gather() waits for."""
    if isinstance(awaited, asyncio.Future):
        yield from getattr(awaited, "_children", ())


def _enclosed(awaited: Any) -> Iterator[Any]:
    """What the callbacks of a future enclose: the executor's future of to_thread(), for one."""
    if not isinstance(awaited, asyncio.Future):
        return
    for entry in getattr(awaited, "_callbacks", None) or ():
        callback = entry[0] if isinstance(entry, tuple) else entry
        for cell in getattr(callback, "__closure__", None) or ():
            yield cell.cell_contents
