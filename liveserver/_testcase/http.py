"""`self.http`: a session with the base URL of the test's server.

A test's first use of `http` makes the session, and imports its client library.
"""

from typing import TYPE_CHECKING, Any

from liveserver._errors import ConfigurationError, NotRunningError
from liveserver._server import sessions
from liveserver._server.live_server import LiveServer
from liveserver._server.sessions import check_session_timeout
from liveserver._testcase.class_config import is_async

if TYPE_CHECKING:
    import aiohttp

__unittest = __tracebackhide__ = True

__all__ = ["aclose_session", "close_session", "session_of", "session_property"]

# The attribute of a test that holds its session; absent until the first use.
_SESSION = "_live_server_http"


class session_property(property):
    """The type of `http`. On the class, each use of `http` is an error."""

    _owner: type | None = None  # the class that it was read from

    def __get__(self, case: Any, owner: type | None = None, /) -> Any:
        if case is not None:
            return super().__get__(case, owner)
        unbound = type(self)(self.fget)  # still a property, for tools that inspect the class
        unbound._owner = owner
        return unbound

    def __getattr__(self, name: str) -> Any:
        if self._owner is None:
            raise AttributeError(name)
        error = NotRunningError(
            f"{self._owner.__qualname__}.http exists only on an instance, during a test. In "
            "setUpClass use a client of your own, such as requests, with cls.base_url."
        )
        error.obj = self._owner  # without a name, so that Python does not suggest one
        raise error


def session_of(case: Any, server: LiveServer) -> Any:
    """Return the session of a running test; make it on the first call.

    Raises:
        ConfigurationError: `http_timeout` is wrong, or an asyncio test's loop is not running.
    """
    session = vars(case).get(_SESSION)
    if session is None:
        who, seconds = type(case).__qualname__, case.http_timeout
        check_session_timeout(seconds, f"{who}.http_timeout")
        if is_async(case):
            session = _async_session(server, seconds, who)
        else:
            session = sessions.session(server, seconds)
        vars(case)[_SESSION] = session
    return session


def close_session(case: Any) -> None:
    """Close the session of a test, if it has made one."""
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        session.close()


async def aclose_session(case: Any) -> None:
    """Close the session of an asyncio test, if it has made one."""
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        await session.close()


def _async_session(server: LiveServer, seconds: float, who: str) -> "aiohttp.ClientSession":
    try:
        return sessions.async_session(server, seconds)
    except RuntimeError:
        raise ConfigurationError(
            f"{who}.http is an aiohttp session and needs the test's loop, which is not running "
            "here. Use it in asyncSetUp(), an async def test or asyncTearDown(); in a "
            "LiveServerTestCase it is a requests session, for plain functions."
        ) from None
