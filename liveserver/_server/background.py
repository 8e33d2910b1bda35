"""What the app raises outside of requests: in tasks, callbacks and generators of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

from liveserver._reporting.tracebacks import passed_through_app
from liveserver._requests.log import BackgroundFailure, RequestLog

__all__ = ["exception_handler"]

_Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]


def exception_handler(log: RequestLog) -> _Handler:
    """Return the exception handler of a server's loop; the app may still set its own.

    asyncio calls it when an exception is noticed that nothing has retrieved, in any thread.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        failure = _failure(context)
        if failure is not None:
            log.add_failure(failure)
        loop.default_exception_handler(context)

    return handle


def _failure(context: dict[str, Any]) -> BackgroundFailure | None:
    error = context.get("exception")
    if not isinstance(error, BaseException) or isinstance(error, asyncio.CancelledError):
        return None
    future = context.get("task") or context.get("future")
    if isinstance(future, asyncio.Task):
        name = getattr(future.get_coro(), "__qualname__", "")  # not of a generator's aclose()
        function = f" ({name})" if name else ""
        return BackgroundFailure(f"the app's task {future.get_name()}{function}", error)
    if future is not None:
        return BackgroundFailure("a future of the app", error)
    # Other contexts are those of connections and of uvicorn's own callbacks.
    if ("handle" in context or "asyncgen" in context) and passed_through_app(error):
        what = "callback" if "handle" in context else "asynchronous generator"
        return BackgroundFailure(f"a {what} of the app", error)
    return None
