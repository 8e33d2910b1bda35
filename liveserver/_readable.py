"""A wait for input that heeds a signal whenever it comes.

Python runs its signal handlers between two steps of its own. A signal that comes after the last of
these and before a blocking read is heeded only when that read has ended.
"""

import os
import select
from typing import Any

__all__ = ["until_readable"]

# Seconds after which such a signal is heeded.
_LOOK = 0.5


def until_readable(source: Any) -> None:
    """Wait until there is something to read, or the end of it.

    Args:
        source: A file, or its descriptor. On Windows, where only sockets can be waited for, this
            does not wait.
    """
    while os.name == "posix" and not select.select([source], [], [], _LOOK)[0]:
        pass
