"""Which frames of an error of ours stand in a test's report: the user's.

unittest and pytest leave out the frames of modules that ask for it, but unittest only at the
beginning of a traceback, and pytest not where nothing else would be left.
"""

from collections.abc import Iterator
from types import FrameType, TracebackType

__all__ = ["from_last_runner", "up_to_users"]

# How the names of modules begin whose frames are nobody's, beside ours.
_RUNNERS = ("unittest", "asyncio")


def up_to_users(traceback: TracebackType | None) -> TracebackType | None:
    """Cut a traceback after its last frame of the user's; None if there is none."""
    last = None
    for each in _walk(traceback):
        if not _is_ours(each.tb_frame) and _package(each.tb_frame) not in _RUNNERS:
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
        if _is_ours(each.tb_frame):
            return before
        if _package(each.tb_frame) not in _RUNNERS:
            break
        before = each
    return traceback


def _walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_ours(frame: FrameType) -> bool:
    return _package(frame) == __package__


def _package(frame: FrameType) -> str:
    name: object = frame.f_globals.get("__name__")
    return name.partition(".")[0] if isinstance(name, str) else ""
