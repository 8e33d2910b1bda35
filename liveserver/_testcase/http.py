"""`self.http`: a session with the base URL of the test's server.

A test's first use of `http` makes the session, and imports its client library. Sessions ignore the
proxy variables of the environment, which would redirect requests to the loopback address.
"""

import asyncio
import math
import sys
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from liveserver._errors import ConfigurationError, NotRunningError
from liveserver._options.validation import matches_annotation
from liveserver._server.live_server import LiveServer
from liveserver._testcase.class_config import add_cleanup, is_async

if TYPE_CHECKING:
    import aiohttp

__unittest = __tracebackhide__ = True

__all__ = ["close_later", "session_of", "session_property"]

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
        if not matches_annotation(seconds, float) or not seconds > 0:
            raise ConfigurationError(
                f"{who}.http_timeout is {seconds!r}. Use a number of seconds, more than 0, or "
                "math.inf for no bound."
            )
        unbounded = server._control.options.unbounded or math.isinf(seconds)
        bound = None if unbounded else seconds
        if is_async(case):
            session = _async_session(server, bound, who)
        else:
            session = _bound_session_class()(server, bound)
        vars(case)[_SESSION] = session
    return session


def close_later(case: Any) -> None:
    """Register the cleanup that closes the session of a test."""
    add_cleanup(case, _close, _close_async, case)


def _close(case: Any) -> None:
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        session.close()


async def _close_async(case: Any) -> None:
    session = vars(case).pop(_SESSION, None)
    if session is not None:
        await session.close()


@lru_cache(maxsize=1)
def _bound_session_class() -> Any:
    import requests
    from requests.adapters import HTTPAdapter

    class PathAdapter(HTTPAdapter):
        """Sends a path that begins with two slashes as it is; requests would drop one of them."""

        def request_url(self, request: Any, proxies: Any) -> Any:
            path = request.path_url
            return path if path.startswith("//") else super().request_url(request, proxies)

    class BoundSession(requests.Session):
        """A session with a base URL, and a default timeout to connect and for each next byte."""

        def __init__(self, server: LiveServer, seconds: float | None) -> None:
            super().__init__()
            self.trust_env = False
            self.mount("http://", PathAdapter())
            self.mount("https://", PathAdapter())
            if server._control.options.tls:
                self.verify = server.ca_bundle
            self._base_url = server.base_url
            self._seconds = seconds

        def prepare_request(self, request: Any) -> Any:
            url = request.url
            text = url.decode() if isinstance(url, bytes) else str(url)  # a yarl.URL, for one
            if text.startswith("/"):
                request.url = self._base_url + text
            else:
                request.url = urljoin(f"{self._base_url}/", text)
            return super().prepare_request(request)

        def send(self, request: Any, **kwargs: Any) -> Any:
            if kwargs.get("timeout") is None:
                kwargs["timeout"] = self._seconds
            return super().send(request, **kwargs)

    return BoundSession


def _async_session(server: LiveServer, seconds: float | None, who: str) -> "aiohttp.ClientSession":
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            f"{who}.http is an aiohttp session and needs the test's loop, which is not running "
            "here. Use it in asyncSetUp(), an async def test or asyncTearDown(); in a "
            "LiveServerTestCase it is a requests session, for plain functions."
        ) from None
    _allow_slow_import(loop)
    import aiohttp

    ssl = server.client_ssl_context if server._control.options.tls else True
    return _async_session_class()(  # type: ignore[no-any-return]
        server.base_url,
        connector=aiohttp.TCPConnector(ssl=ssl),
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # also for hosts that are IP addresses
        # Without a total, so that an event stream may last longer.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
        trust_env=False,
    )


@lru_cache(maxsize=1)
def _async_session_class() -> Any:
    import aiohttp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a subclass

        class BoundClientSession(aiohttp.ClientSession):
            """A session that takes `//path` for a path of its server, not for another host."""

            def _build_url(self, str_or_url: Any) -> Any:
                text = str(str_or_url)
                if text.startswith("//"):
                    str_or_url = f"{self._base_url}".rstrip("/") + text
                return super()._build_url(str_or_url)

    return BoundClientSession


def _allow_slow_import(loop: asyncio.AbstractEventLoop) -> None:
    """Keep a loop in debug mode from logging that the import of aiohttp is slow."""
    if "aiohttp" not in sys.modules:
        usual = loop.slow_callback_duration
        loop.slow_callback_duration = float("inf")  # the loop reads it after this step
        loop.call_soon(setattr, loop, "slow_callback_duration", usual)
