"""Tracebacks of the app's exceptions."""

import traceback

from liveserver._reporting.frames import app_frames, users_lines

__all__ = ["chain", "last_lines", "passed_through_app", "plain_traceback"]

# The last lines of a failure that are shown at a terminal.
_MAX_LINES = 40


def plain_traceback(error: BaseException) -> str:
    """Format an exception, with its causes, without carets.

    To place the carets, Python parses source code. Two threads that do so at once can end the
    process on Python 3.11 ("SystemError: AST constructor recursion depth mismatch").
    """
    formatted = traceback.TracebackException.from_exception(error, compact=True)
    _remove_carets(formatted)
    return "".join(formatted.format()).rstrip()


def _remove_carets(formatted: traceback.TracebackException) -> None:
    # Not recursive: an app that tries again and again makes chains of thousands.
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


def last_lines(error: BaseException) -> str:
    """Format the end of an exception's traceback: the user's own last line, its text, its notes."""
    lines = users_lines(list(traceback.walk_tb(error.__traceback__)))
    summary = traceback.StackSummary.extract(iter(lines[-1:]))
    text = "".join([*summary.format(), *traceback.format_exception_only(error)]).splitlines()
    return "\n".join(["..."] * (len(text) > _MAX_LINES) + text[-_MAX_LINES:])


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
