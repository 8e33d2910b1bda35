"""Whose a frame is: the user's, a library's, a test runner's or this package's.

unittest and pytest leave the frames of a module out of their reports that has the globals
`__unittest` and `__tracebackhide__`; each module that raises an error for the user has both.
unittest does so only at the beginning of a traceback, and pytest not where nothing else is left,
so the functions here cut the rest.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from types import FrameType, TracebackType

__all__ = [
    "Lines",
    "app_frames",
    "from_last_runner",
    "is_own_module",
    "short_path",
    "up_to_users",
    "users_lines",
]

# Frames, each with the number of the line that it is at, outermost first.
Lines = list[tuple[FrameType, int]]

_PACKAGE, *_ = __name__.partition(".")
# The folder of this package, whichever module of it asks.
_FOLDER = os.path.dirname(os.path.dirname(__file__))
# The packages that run tests: their frames are nobody's.
_RUNNERS = ("unittest", "asyncio")


def is_own_module(name: str) -> bool:
    """Whether a module, named in full, is one of this package's."""
    return _top_level(name) == _PACKAGE


def users_lines(lines: Lines) -> Lines:
    """Return the lines of the user's code, without those of libraries."""
    return [line for line in lines if not _is_library(line[0].f_code.co_filename)]


def app_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Skip the frames of servers and frameworks before the first one of the app."""
    for each in _walk(traceback):
        if not _is_library(each.tb_frame.f_code.co_filename):
            return each
    return traceback


def up_to_users(traceback: TracebackType | None) -> TracebackType | None:
    """Cut a traceback after its last frame of the user's; None if there is none."""
    last = None
    for each in _walk(traceback):
        if not _is_own(each.tb_frame) and not _is_runner(each.tb_frame):
            last = each
    if last is None:
        return None
    last.tb_next = None
    return traceback


def from_last_runner(traceback: TracebackType | None) -> TracebackType | None:
    """Begin a traceback just before its first frame of ours, if none before that is the user's.

    pytest hides ours; its summary needs one that it does not hide, and shows it.
    """
    before = traceback
    for each in _walk(traceback):
        if _is_own(each.tb_frame):
            return before
        if not _is_runner(each.tb_frame):
            break
        before = each
    return traceback


def short_path(filename: str) -> str:
    """Return a file's path relative to the current folder, where that is shorter."""
    try:
        relative = os.path.relpath(filename)
    except ValueError:  # another drive
        return filename
    return relative if len(relative) < len(filename) else filename


def _walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_own(frame: FrameType) -> bool:
    return is_own_module(_module(frame))


def _is_runner(frame: FrameType) -> bool:
    return _top_level(_module(frame)) in _RUNNERS


def _module(frame: FrameType) -> str:
    name: object = frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


def _top_level(module: str) -> str:
    return module.partition(".")[0]


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    import sysconfig  # takes a millisecond, and few runs need it

    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(os.path.join(folder, "") for folder in (*folders, _FOLDER))


@lru_cache(maxsize=1000)
def _is_library(filename: str) -> bool:
    return filename.startswith(("<frozen", *_library_folders()))
