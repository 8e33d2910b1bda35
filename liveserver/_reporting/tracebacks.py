"""Tracebacks of the app's exceptions."""

import traceback
from collections.abc import Iterator

from liveserver._errors import printable
from liveserver._reporting.frames import app_frames, is_users, users_lines

__all__ = ["chain", "last_lines", "passed_through_app", "plain_traceback", "short_traceback"]

# Lines of a failure that are shown.
_MAX_LINES = 40
_MAX_WIDTH = 500


def plain_traceback(error: BaseException) -> str:
    """Format an exception, with its causes, without carets.

    To place the carets, Python parses source code. Two threads that do so at once can end the
    process on Python 3.11 ("SystemError: AST constructor recursion depth mismatch").
    """
    formatted = traceback.TracebackException.from_exception(error, compact=True)
    _remove_carets(formatted)
    return "".join(formatted.format()).rstrip()


def short_traceback(error: BaseException) -> str:
    """Format an exception as `plain_traceback` does, with the app's frames and the last one alone.

    Between the frames of an app are dozens of its framework. A long text is cut in the middle.
    """
    formatted = traceback.TracebackException.from_exception(error, compact=True)
    _remove_carets(formatted)
    for each in _parts(formatted):
        last = each.stack[-1:]
        each.stack[:] = [line for line in each.stack if line in last or is_users(line.filename)]
    lines = "".join(formatted.format()).rstrip().splitlines()
    half = _MAX_LINES // 2
    if len(lines) > _MAX_LINES:
        lines = [*lines[:half], "  ...", *lines[-half:]]
    return "\n".join(printable(line, _MAX_WIDTH) for line in lines)


def _remove_carets(formatted: traceback.TracebackException) -> None:
    for each in _parts(formatted):
        for line in each.stack:
            line.colno = line.end_colno = None


def _parts(formatted: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """Return an exception, its causes and the exceptions of its groups."""
    # Not recursive: an app that tries again and again makes chains of thousands.
    seen: set[int] = set()
    rest: list[traceback.TracebackException | None] = [formatted]
    while rest:
        each = rest.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            rest += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


def last_lines(error: BaseException) -> str:
    """Format the end of an exception's traceback: the user's own last line, its text, its notes."""
    lines = users_lines(list(traceback.walk_tb(error.__traceback__)))
    summary = traceback.StackSummary.extract(iter(lines[-1:]))
    text = "".join([*summary.format(), *traceback.format_exception_only(error)]).splitlines()
    shown = ["..."] * (len(text) > _MAX_LINES) + text[-_MAX_LINES:]
    return "\n".join(printable(line, _MAX_WIDTH) for line in shown)


def chain(error: BaseException, cause: BaseException) -> None:
    """Make an exception of the app the cause of one of ours, with its frames from the app's on.

    unittest changes the tracebacks of causes, and its run ends at a cause that refuses the change,
    as a frozen dataclass does. A note describes such a cause instead.
    """
    error.__cause__ = cause.with_traceback(app_frames(cause.__traceback__))
    try:
        cause.__traceback__ = cause.__traceback__
    except Exception:
        error.__cause__ = None
        error.add_note(f"The cause:\n{plain_traceback(cause)}")


def passed_through_app(error: BaseException) -> bool:
    """Whether a line of the user's code is in an exception's traceback."""
    return bool(users_lines(list(traceback.walk_tb(error.__traceback__))))
