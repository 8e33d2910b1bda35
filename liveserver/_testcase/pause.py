"""`LIVESERVER_PAUSE=1`: a failing test keeps its server running until Enter is pressed.

unittest, also under pytest, first reports a failure to its result, then runs the cleanups, which
stop the server. The pause is between the two. In a subtest of an asyncio test it blocks the test's
loop, but not the server's.
"""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from liveserver._reporting.tracebacks import last_lines
from liveserver._server.live_server import LiveServer
from liveserver._sync.threads import wait_readable

__all__ = ["is_failure", "pause"]

_RULE = "=" * 70

# Whether this process has already said that it cannot pause.
_said = False


def is_failure(error: BaseException, result: Any) -> bool:
    """Return whether an exception of a test is a failure: not a skip, nor expected by pytest.

    Args:
        error: The exception.
        result: The result; pytest's has the marks of the test.
    """
    # pytest's outcomes, found without an import of it. Some claim to be builtins.
    if any(base.__module__ == "_pytest.outcomes" for base in type(error).__mro__):
        return type(error).__name__ == "Failed"
    marker_of = getattr(result, "get_closest_marker", None)
    mark = marker_of("xfail") if marker_of is not None else None
    return mark is None or not _is_expected(mark, error)


def _is_expected(mark: Any, error: BaseException) -> bool:
    """Return whether pytest's mark xfail applies to this exception."""
    conditions = list(mark.args)
    if "condition" in mark.kwargs:
        conditions.append(mark.kwargs["condition"])
    raises = mark.kwargs.get("raises") or BaseException
    return isinstance(error, raises) and (not conditions or any(conditions))


def pause(test: object, error: BaseException, server: LiveServer | None) -> bool:
    """Show a failure of a test or subtest and wait for Enter; return whether it waited."""
    global _said
    if server is None or not server.running:
        _say(f"No pause at {test}: it has no server running.")
        return False
    if obstacle := _obstacle():
        if not _said:
            _said = True
            _say(f"LIVESERVER_PAUSE=1, but the test cannot pause: {obstacle}.")
        return False
    with _ctrl_c_raises():
        _say(
            f"{_RULE}\nPAUSED: {test}\n\n{last_lines(error)}\n\n"
            f"  {server.base_url}\n  {server._control.curl()}\n\n"
            "Its server is still running. Press Enter to go on with the tests."
        )
        wait_readable(sys.stdin)
        sys.stdin.readline()
    return True


def _obstacle() -> str:
    """Return why the user cannot see the message or press Enter, or an empty string."""
    if not _is_terminal(sys.stdin):
        return "standard input is not a terminal (pytest needs -s)"
    if not _is_terminal(sys.stderr):
        return "standard error is not a terminal (unittest's -b and --buffer hold it back)"
    return ""


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):  # it is None, or closed
        return False


def _say(text: str) -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        print(f"\n{text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _ctrl_c_raises() -> Iterator[None]:
    """Let Ctrl-C raise here. While a loop runs, it would only cancel the current task."""
    usual = signal.getsignal(signal.SIGINT)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        usual = None
    if usual is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
