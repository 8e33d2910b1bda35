"""`self.http`: the session of a test, made when the test asks for it and closed after it."""

import asyncio
import unittest
from typing import Any

from liveserver._clients import async_session, sync_session
from liveserver._errors import ConfigurationError, NotRunningError
from liveserver._server import LiveServer
from liveserver._values import fits

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["close_later", "session_of", "session_property"]

# The attribute of an instance; absent until its test asks for the session.
_SESSION = "_live_server_http"


class session_property(property):
    """`http`, which is asked of the class by mistake, and then says where it is to be had."""

    _owner: type | None = None  # of one that was asked of a class

    def __get__(self, case: Any, owner: type | None = None, /) -> Any:
        if case is not None:
            return super().__get__(case, owner)
        asked = type(self)(self.fget)  # a property still, for whoever looks at the class
        asked._owner = owner
        return asked

    def __getattr__(self, name: str) -> Any:
        if self._owner is None:
            raise AttributeError(name)
        error = NotRunningError(
            f"{self._owner.__qualname__}.http exists only on an instance, during a test. In "
            "setUpClass use a client of your own, such as requests, with cls.base_url."
        )
        error.obj = self._owner  # and no name, so that Python does not suggest one
        raise error


def session_of(case: Any, server: LiveServer) -> Any:
    """Return the session of a running test, the same one each time.

    Raises:
        ConfigurationError: The class's `http_timeout` is wrong, or the session lives on the test's
            loop, and that does not run.
    """
    session = vars(case).get(_SESSION)
    if session is None:
        session = vars(case)[_SESSION] = _open(case, server)
    return session


def _open(case: Any, server: LiveServer) -> Any:
    who, seconds = type(case).__qualname__, case.http_timeout
    if not fits(seconds, float) or not seconds > 0:
        raise ConfigurationError(
            f"{who}.http_timeout is {seconds!r}. Use a number of seconds, more than 0."
        )
    if not isinstance(case, unittest.IsolatedAsyncioTestCase):
        return sync_session(server, seconds)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            f"{who}.http is an aiohttp session and needs the test's loop, which is not running "
            "here. Use it in asyncSetUp(), an async def test or asyncTearDown(); in a "
            "LiveServerTestCase it is a requests session, for plain functions."
        ) from None
    return async_session(server, seconds)


def close_later(case: Any) -> None:
    """Have a test's session closed among the test's cleanups, if there will be one."""
    if isinstance(case, unittest.IsolatedAsyncioTestCase):
        case.addAsyncCleanup(_close_async, case)
    else:
        case.addCleanup(_close, case)


def _close(case: Any) -> None:
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        session.close()


async def _close_async(case: Any) -> None:
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        await session.close()
