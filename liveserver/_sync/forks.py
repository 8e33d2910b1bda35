"""What happens in a forked child, whose parent keeps the servers and their threads."""

import contextlib
import os
from collections.abc import Callable

__all__ = ["in_forked_child"]

_hooks: list[Callable[[], None]] = []


def in_forked_child(hook: Callable[[], None]) -> None:
    """Call a function in each forked child, to make locks and counters anew.

    A thread that held a lock stayed in the parent.
    """
    _hooks.append(hook)


def _run_hooks() -> None:
    for hook in _hooks:
        with contextlib.suppress(Exception):  # the others must run all the same
            hook()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_run_hooks)
