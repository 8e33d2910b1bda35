"""HTTP sessions that are bound to a server: one of requests, one of aiohttp.

Each library is imported when its first session is made, so a suite pays only for the one it uses.
Proxy variables of the environment are not heeded: they would catch the loopback address.
"""

import asyncio
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from liveserver._server import LiveServer

if TYPE_CHECKING:
    import aiohttp
    import requests

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["async_session", "sync_session"]


def sync_session(server: LiveServer, seconds: float) -> "requests.Session":
    """Make a `requests.Session` whose relative URLs go to a server.

    Args:
        server: The server.
        seconds: The timeout of requests that are given none: to connect, and without a byte.
    """
    bound = None if server._options.unbounded else seconds
    session: requests.Session = _bound_session_class()(server.base_url, bound)
    if server._options.tls:
        session.verify = server.ca_bundle
    return session


@lru_cache(maxsize=1)
def _bound_session_class() -> Any:
    import requests

    class BoundSession(requests.Session):
        """A session with a base URL and a default timeout."""

        def __init__(self, base_url: str, seconds: float | None) -> None:
            super().__init__()
            self.trust_env = False
            self._base_url = base_url
            self._seconds = seconds

        def prepare_request(self, request: Any) -> Any:
            url = request.url
            if isinstance(url, str) and url.startswith("/") and not url.startswith("//"):
                request.url = self._base_url + url  # urljoin() takes 20 microseconds
            else:
                request.url = urljoin(f"{self._base_url}/", url)
            return super().prepare_request(request)

        def send(self, request: Any, **kwargs: Any) -> Any:
            if kwargs.get("timeout") is None:
                kwargs["timeout"] = self._seconds
            return super().send(request, **kwargs)

    return BoundSession


def async_session(server: LiveServer, seconds: float) -> "aiohttp.ClientSession":
    """Make an `aiohttp.ClientSession` on the running loop whose relative URLs go to a server.

    Args:
        server: The server.
        seconds: The timeout of requests that are given none: to connect, and without a byte. An
            event stream that goes on may last longer.
    """
    _let_the_import_last()
    import aiohttp

    ssl = server.client_ssl_context if server._options.tls else True
    bound = None if server._options.unbounded else seconds
    return aiohttp.ClientSession(
        server.base_url,
        connector=aiohttp.TCPConnector(ssl=ssl),
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # also for hosts that are IP addresses
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=bound, sock_read=bound),
        trust_env=False,
    )


def _let_the_import_last() -> None:
    """Keep the test's loop, in its debug mode, from complaining how long an import takes."""
    if "aiohttp" not in sys.modules:
        loop = asyncio.get_running_loop()
        usual = loop.slow_callback_duration
        loop.slow_callback_duration = float("inf")  # looked at when this step is done
        loop.call_soon(setattr, loop, "slow_callback_duration", usual)
