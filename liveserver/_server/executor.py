"""The executor of a server's loop, whose threads end with the server."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["LazyExecutor"]

# asyncio's own maximum. With few processors asyncio starts fewer, and WSGI requests that wait for
# each other could then block all of them.
_MAX_WORKERS = 32


class LazyExecutor(ThreadPoolExecutor):
    """A thread pool that is set up at its first use: most servers run nothing in it.

    Only the loop's thread submits to it and shuts it down.
    """

    # Set by the process's end, on a Python that then starts no threads.
    inline = False
    _is_set_up = False

    def __init__(self) -> None:
        """Postpone the set-up to the first `submit`."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self.inline:
            return _run_inline(function, *args, **kwargs)
        if not self._is_set_up:
            self._is_set_up = True
            super().__init__(_MAX_WORKERS, "liveserver-worker")
        return super().submit(function, *args, **kwargs)

    def threads(self) -> list[threading.Thread]:
        """Return the worker threads that still run."""
        return [each for each in getattr(self, "_threads", ()) if each.is_alive()]

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        if self._is_set_up:
            super().shutdown(*args, **kwargs)


def _run_inline(function: Callable[..., Any], *args: Any, **kwargs: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except BaseException as error:
        future.set_exception(error)
    return future
