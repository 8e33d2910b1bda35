"""HTTP clients that are bound to the URL of a server.

Their libraries are imported at the first use. They ignore the proxy variables of the environment,
which would redirect requests to the loopback address.
"""

import asyncio
import math
import sys
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from liveserver._errors import ConfigurationError
from liveserver._options.validation import matches_annotation
from liveserver._sync.threads import check_asyncio

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from requests import Session

__unittest = __tracebackhide__ = True

__all__ = ["SessionFactory", "async_session", "check_session_timeout", "session"]

# A `LiveServer`, whose module imports this one.
_Server = Any


class SessionFactory:
    """The methods of `LiveServer` that make sessions."""

    def session(self, timeout: float = 30.0) -> "Session":
        """Return a new `requests.Session` whose relative URLs go to this server.

        It trusts the server's throw-away certificate, ignores proxy variables and keeps cookies.
        It is a context, for `with`; else close it.

        Args:
            timeout: Seconds that a request waits to connect, and for each next byte; `math.inf`
                for no bound.

        Raises:
            ConfigurationError: `timeout` is no such number.
            NotRunningError: The server was not started yet.
        """
        check_session_timeout(timeout, "The timeout of session()")
        return session(self, timeout)

    def async_session(self, timeout: float = 30.0) -> "ClientSession":
        """Return a new `aiohttp.ClientSession`, as `session` does, for `async with`.

        Args:
            timeout: Seconds that a request waits to connect, and for each next byte; `math.inf`
                for no bound.

        Raises:
            ConfigurationError: `timeout` is no such number, or no loop of asyncio is running.
            NotRunningError: The server was not started yet.
        """
        check_session_timeout(timeout, "The timeout of async_session()")
        check_asyncio("async_session()", "session()")
        return async_session(self, timeout)


def check_session_timeout(seconds: object, name: str) -> None:
    """Raise ConfigurationError if this is no timeout of a session."""
    if not matches_annotation(seconds, float) or not seconds > 0:  # type: ignore[operator]
        raise ConfigurationError(
            f"{name} is {seconds!r}. Use a number of seconds, more than 0, or math.inf for no "
            "bound."
        )


def session(server: _Server, seconds: float) -> "Session":
    """Return a new session whose relative URLs go to a server."""
    made: Session = _bound_session_class()(server, _bound(server, seconds))
    return made


def _bound(server: _Server, seconds: float) -> float | None:
    return None if server._control.options.environment.unbounded or math.isinf(seconds) else seconds


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

        def __init__(self, server: _Server, seconds: float | None) -> None:
            super().__init__()
            self.trust_env = False
            adapter = PathAdapter()
            self.mount("http://", adapter)
            self.mount("https://", adapter)
            if server._control.options.tls:
                self.verify = server.ca_bundle
            self._base_url = server.base_url
            self._seconds = seconds

        def __repr__(self) -> str:
            return f"<requests.Session of {self._base_url}>"

        def prepare_request(self, request: Any) -> Any:
            request.url = _absolute(request.url, self._base_url)
            return super().prepare_request(request)

        def send(self, request: Any, **kwargs: Any) -> Any:
            if kwargs.get("timeout") is None:
                kwargs["timeout"] = self._seconds
            return super().send(request, **kwargs)

    return BoundSession


def _absolute(url: object, base_url: str) -> str:
    text = url.decode() if isinstance(url, bytes) else str(url)  # a yarl.URL, for one
    return base_url + text if text.startswith("/") else urljoin(f"{base_url}/", text)


def async_session(server: _Server, seconds: float) -> "ClientSession":
    """Return a new session for the running loop.

    Raises:
        RuntimeError: No loop is running.
    """
    _allow_slow_import(asyncio.get_running_loop())
    import aiohttp

    bound = _bound(server, seconds)
    ssl = server.client_ssl_context if server._control.options.tls else True
    made: ClientSession = _async_session_class()(
        server.base_url,
        connector=aiohttp.TCPConnector(ssl=ssl),
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # also for hosts that are IP addresses
        # Without a total, so that an event stream may last longer.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=bound, sock_read=bound),
        trust_env=False,
    )
    return made


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
