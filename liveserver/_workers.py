"""The executor of a server's loop, whose threads end with the server."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["Workers"]

# As many as asyncio has at most; on a machine with few processors it has fewer, and many WSGI
# requests at once, which wait for each other, would stand still.
_MOST_WORKERS = 32


class Workers(ThreadPoolExecutor):
    """The loop's executor, made when it is first used. Only the loop's thread calls it."""

    # Set when the process ends on a Python that starts no more threads then.
    inline = False

    _made = False

    def __init__(self) -> None:
        """Put off the work: most servers run nothing in an executor."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self.inline:
            return _done_inline(function, *args, **kwargs)
        if not self._made:
            self._made = True
            super().__init__(_MOST_WORKERS, "liveserver-worker")
        return super().submit(function, *args, **kwargs)

    def threads(self) -> list[threading.Thread]:
        """The worker threads that still run."""
        return [each for each in getattr(self, "_threads", ()) if each.is_alive()]

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        if self._made:
            super().shutdown(*args, **kwargs)


def _done_inline(function: Callable[..., Any], *args: Any, **kwargs: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except BaseException as error:
        future.set_exception(error)
    return future
