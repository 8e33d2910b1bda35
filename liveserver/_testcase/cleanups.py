"""The cleanups of a test: they close its session and stop its server.

unittest runs each awaitable one as a task of its own, on a loop in debug mode: the fewer there are,
the less a test costs.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from liveserver._server.live_server import LiveServer
from liveserver._testcase.class_config import is_async
from liveserver._testcase.http import aclose_session, close_session
from liveserver._testcase.server_property import forget_server

__unittest = __tracebackhide__ = True

__all__ = ["add_cleanup", "close_later", "stop_later"]


def add_cleanup(
    case: Any,
    blocking: Callable[..., object],
    awaitable: Callable[..., Awaitable[object]],
    *args: object,
) -> None:
    """Register a cleanup: the awaitable one for an asyncio test, else the blocking one."""
    if is_async(case):
        case.addAsyncCleanup(awaitable, *args)
    else:
        case.addCleanup(blocking, *args)


def close_later(case: Any) -> None:
    """Register the cleanup that closes the session of a test, whose server goes on."""
    add_cleanup(case, close_session, aclose_session, case)


def stop_later(case: Any, server: LiveServer) -> None:
    """Register the cleanup that closes the session of a test, and stops and forgets its server.

    The stop may wait for clients of an asyncio test, which run on the test's loop.
    """
    add_cleanup(case, _stop, _astop, case, server)


def _stop(case: Any, server: LiveServer) -> None:
    try:
        close_session(case)
    except BaseException:
        stop_later(case, server)  # unittest reports the error, and runs this cleanup next
        raise
    try:
        server.stop()
    finally:
        forget_server(case)


async def _astop(case: Any, server: LiveServer) -> None:
    try:
        await aclose_session(case)
    except BaseException:
        stop_later(case, server)
        raise
    try:
        await server.astop()
    finally:
        forget_server(case)
