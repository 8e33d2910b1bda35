"""The threads of requests' sync code, used again.

Django gives each request a thread of its own, in which all its sync code runs, and ends it with the
request. To start it, and to make its database connection, takes about a fifth of a request's CPU
time. Here the next request gets the thread when it is idle. Two requests never share one.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

__all__ = ["RequestThreads"]


class RequestThreads:
    """The threads of one server."""

    def __init__(self) -> None:
        # Only the server's loop uses them, but threads that become idle append to `_idle`.
        self._made: list[ThreadSensitiveContext] = []
        self._idle: list[ThreadSensitiveContext] = []
        self._end: AsyncGenerator[None] | None = None

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Run the sync code of the block, and of tasks that it starts, in one thread.

        A context of asgiref stands for a thread. Those that Django makes inside have no effect.
        """
        if self._end is None:
            self._end = self._until_the_end()
            await anext(self._end)
        idle = self._idle
        context = idle.pop() if idle else self._new()
        token = SyncToAsync.thread_sensitive_context.set(context)
        try:
            yield
        finally:
            SyncToAsync.thread_sensitive_context.reset(token)
            thread = SyncToAsync.context_to_thread_executor.get(context)
            if thread is None:
                idle.append(context)
            else:
                thread.submit(idle.append, context)  # after what it still does

    def _new(self) -> ThreadSensitiveContext:
        context = ThreadSensitiveContext()
        self._made.append(context)
        return context

    async def _until_the_end(self) -> AsyncGenerator[None]:
        """End the threads with the loop, which closes the generators that have begun in it."""
        try:
            yield
        finally:
            made = self._made
            self._made, self._idle, self._end = [], [], None
            for context in made:
                thread = SyncToAsync.context_to_thread_executor.pop(context, None)
                if thread is not None:
                    thread.shutdown(wait=False)  # after what it still does
