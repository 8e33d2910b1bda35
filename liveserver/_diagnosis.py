"""Words for people: what still runs in a server, and at which line of the app it stands.

A suspended coroutine keeps no stack. Its line is found by following what each coroutine awaits, to
the end; where a task waits for another task (a task group, `gather`, `wait_for`) or for a worker
thread, the search goes on there. All of it only looks, and falls back to the last line that it
understood, as it reads what other libraries keep for themselves.
"""

import asyncio
import functools
import gc
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from functools import lru_cache
from time import perf_counter
from types import FrameType, TracebackType
from typing import Any

from liveserver._logs import plain_traceback
from liveserver._request import Request

__all__ = [
    "app_frames",
    "chain",
    "last_lines",
    "listed",
    "passed_through_app",
    "raised_at",
    "request_line",
    "standing",
    "still_running",
    "thread_stack",
    "thread_standing",
]

# These do not say what they run, as the step of an async generator; the collector knows.
_OPAQUE = {
    "anext_awaitable",
    "async_generator_asend",
    "async_generator_athrow",
    "coroutine_wrapper",
}

_DEPTH = 100  # no await chain of an app is longer; a cycle would be


# A task may move on while another thread looks at it, and then the end of its chain is missed.
_LOOKS = 3

_UNKNOWN = "at an unknown line"

# Lines of a failure that are shown at a terminal.
_LAST = 40


def _never_raises(describe: Callable[..., str]) -> Callable[..., str]:
    """Whatever an app's objects do when they are looked at, a stop must not fail by it."""

    @functools.wraps(describe)
    def described(*args: Any) -> str:
        try:
            return describe(*args)
        except Exception:
            return _UNKNOWN

    return described


def request_line(request: Request, server_thread: threading.Thread) -> str:
    """Say of a running request: `GET /events, open 6.1 s, at shop/feed.py:31 in events`."""
    age = perf_counter() - request.started
    place = standing(request.task, server_thread)
    return f"{request.method} {request.path}, open {age:.1f} s, {place}"


def listed(lines: Iterable[str]) -> str:
    """Put each on a line of its own, below what a message says."""
    return "".join(f"\n  {line}" for line in lines)


def still_running(lines: Collection[str]) -> str:
    """End a message by what runs still, if anything does."""
    return f" Still running:{listed(lines)}" if lines else ""


@_never_raises
def standing(task: "asyncio.Task[Any] | None", server_thread: threading.Thread) -> str:
    """Say where a task of the server's loop stands: `at shop/feed.py:31 in events`."""
    if task is None:
        return _UNKNOWN
    frames: list[tuple[FrameType, int]] = []
    for _ in range(_LOOKS):
        frames = _task_frames(task, server_thread.ident, set())
        if _own(frames):
            break
    return _place(frames)


@_never_raises
def raised_at(error: BaseException) -> str:
    """Say where an exception was raised, in the words of `standing`."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]  # the group was only gathered where it was raised
    return _place([(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)])


def last_lines(error: BaseException) -> str:
    """Format the end of an exception's traceback: the user's own last line, its text, its notes."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    summary = traceback.StackSummary.extract(iter(_own(frames)[-1:]))
    lines = [*summary.format(), *traceback.format_exception_only(error)]
    text = "".join(lines).splitlines()
    return "\n".join(["..."] * (len(text) > _LAST) + text[-_LAST:])


def app_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Skip the frames of servers and frameworks that stand before the first one of the app."""
    rest = traceback
    while rest is not None:
        if not _is_library(rest.tb_frame.f_code.co_filename):
            return rest
        rest = rest.tb_next
    return traceback


def chain(error: BaseException, cause: BaseException) -> None:
    """Make an exception of the app's the cause of one of ours, its frames from the app's on.

    unittest trims the tracebacks of causes, and its run ends by a cause that refuses to be changed,
    as a frozen dataclass does. Such a one is told in a note instead.
    """
    error.__cause__ = cause.with_traceback(app_frames(cause.__traceback__))
    try:
        cause.__traceback__ = cause.__traceback__
    except Exception:
        error.__cause__ = None
        error.add_note(f"The cause:\n{plain_traceback(cause)}")


def passed_through_app(error: BaseException) -> bool:
    """Whether a line of the user's is in an exception's traceback."""
    return bool(_own(list(traceback.walk_tb(error.__traceback__))))


@_never_raises
def thread_standing(thread: threading.Thread) -> str:
    """Say where a thread stands, in the words of `standing`."""
    return _place(_thread_frames(thread.ident))


def _place(frames: list[tuple[FrameType, int]]) -> str:
    if not frames:
        return _UNKNOWN
    # The innermost line of the app itself tells more than the one of asyncio that it waits in.
    frame, line = (_own(frames) or frames)[-1]
    return f"at {_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"


@_never_raises
def thread_stack(thread: threading.Thread) -> str:
    """Format the app's own lines in a thread's stack, innermost last, as a traceback does."""
    frames = _thread_frames(thread.ident)
    lines = iter(_own(frames) or frames)
    summary = traceback.StackSummary.extract(lines, lookup_lines=False)
    return "".join(summary.format()).rstrip()


def _thread_frames(ident: int | None) -> list[tuple[FrameType, int]]:
    frame = sys._current_frames().get(ident) if ident is not None else None
    return list(traceback.walk_stack(frame))[::-1] if frame is not None else []


def _task_frames(
    task: "asyncio.Task[Any]", server_thread: int | None, seen: set[int]
) -> list[tuple[FrameType, int]]:
    """The lines a task stands at, outermost first, those of the tasks it waits for included."""
    if id(task) in seen or len(seen) > _DEPTH:
        return []
    seen.add(id(task))
    if getattr(task.get_coro(), "cr_running", False):
        return _thread_frames(server_thread)
    frames: list[tuple[FrameType, int]] = []
    awaited: Any = task.get_coro()
    for _ in range(_DEPTH):
        frame, inner = _step(awaited)
        if frame is None:
            break
        frames.append((frame, frame.f_lineno))
        awaited = inner
    for other in _awaited_tasks(getattr(task, "_fut_waiter", None), frames):
        deeper = _task_frames(other, server_thread, seen)
        if _own(deeper):
            return frames + deeper
    return frames + _worker_frames(getattr(task, "_fut_waiter", None), frames)


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


def _awaited_tasks(
    awaited: Any, frames: list[tuple[FrameType, int]]
) -> Iterator["asyncio.Task[Any]"]:
    """The tasks that the end of an await chain waits for."""
    # A task itself, the children of gather(), the inner one of shield().
    candidates: list[Any] = [awaited, *_enclosed(awaited)]
    if isinstance(awaited, asyncio.Future):
        candidates += getattr(awaited, "_children", ())
    for depth, (frame, _) in enumerate(reversed(frames)):
        # Not in the app's own frames: it may hold tasks that it does not wait for.
        if _is_library(frame.f_code.co_filename):
            values = list(frame.f_locals.values())
            # Those of wait() and wait_for() are near the end, task groups may be anywhere.
            candidates += values if depth < 3 else []
            for value in values:
                tasks = getattr(value, "_tasks", ()) if type(value).__name__ == "TaskGroup" else ()
                candidates += tasks if isinstance(tasks, set | list | weakref.WeakSet) else ()
    for candidate in candidates:
        if isinstance(candidate, asyncio.Task):
            yield candidate


def _worker_frames(
    awaited: Any, frames: list[tuple[FrameType, int]]
) -> list[tuple[FrameType, int]]:
    """The lines of the worker thread that the end of an await chain waits for."""
    for frame, _ in frames[-2:]:
        # anyio's run_sync keeps its thread in a local name.
        worker = frame.f_locals.get("worker")
        if isinstance(worker, threading.Thread):
            return _thread_frames(worker.ident)
    for source in _enclosed(awaited):
        for ident in sys._current_frames() if isinstance(source, Future) else ():
            stack = _thread_frames(ident)
            if any(getattr(f.f_locals.get("self"), "future", None) is source for f, _ in stack[:6]):
                return stack
    return []


def _enclosed(awaited: Any) -> Iterator[Any]:
    """What the callbacks of a future enclose: the executor's future of to_thread(), for one."""
    if not isinstance(awaited, asyncio.Future):
        return
    for entry in getattr(awaited, "_callbacks", None) or ():
        callback = entry[0] if isinstance(entry, tuple) else entry
        for cell in getattr(callback, "__closure__", None) or ():
            yield cell.cell_contents


def _own(frames: list[tuple[FrameType, int]]) -> list[tuple[FrameType, int]]:
    """The lines of the app itself, without those of libraries."""
    return [entry for entry in frames if not _is_library(entry[0].f_code.co_filename)]


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    import sysconfig  # which few runs need, and which takes a millisecond

    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(os.path.dirname(__file__))
    return tuple(os.path.join(folder, "") for folder in folders)


@lru_cache(maxsize=1000)
def _is_library(filename: str) -> bool:
    return filename.startswith(("<frozen", *_library_folders()))


def _short(filename: str) -> str:
    """The path as one would type it: relative where that is shorter."""
    try:
        relative = os.path.relpath(filename)
    except ValueError:  # another drive
        return filename
    return relative if len(relative) < len(filename) else filename
