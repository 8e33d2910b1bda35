"""Run a WSGI app behind an ASGI server, with a2wsgi.

a2wsgi runs the app in a worker thread, which passes each part of the response to the loop and waits
for it. It would wait for ever once the loop is closed, and write for ever to a client that has
left. So `send` raises in the worker when the client has left or the request has ended, and a2wsgi
calls `close()` of the response (https://peps.python.org/pep-3333/).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from liveserver._app.asgi import ASGIApp, Receive, Scope, Send, client_left, cycle_of
from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["check_a2wsgi", "from_wsgi"]

WSGIApp = Callable[..., Any]


def check_a2wsgi(who: str) -> None:
    """Raise ConfigurationError if a2wsgi is not installed; `who` starts the message."""
    try:
        import a2wsgi  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{who}, a WSGI app, which needs the package a2wsgi, and that is not installed. "
            'Install it: pip install "liveserver[wsgi]"'
        ) from error


def from_wsgi(app: WSGIApp) -> ASGIApp:
    """Return an ASGI app that runs a WSGI app in the worker threads of the server's loop."""
    from a2wsgi import WSGIMiddleware

    middleware: Any = WSGIMiddleware(app)
    responder_class = _responder_class()

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        serve = middleware
        if scope["type"] == "http":
            serve = responder_class(app, None, middleware.send_queue_size)
        await serve(scope, receive, send)

    return asgi


class _RequestEnded(ConnectionAbortedError):
    """Raised in the app where it writes for a request that has ended."""


@lru_cache(maxsize=1)
def _responder_class() -> Any:
    from a2wsgi.wsgi import WSGIResponder

    class Responder(WSGIResponder):
        """One request. The worker thread calls `send`, and `receive` through the loop."""

        # The loop's thread writes them, the worker reads them.
        _ended = False
        _cycle: Any = None

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            def receive_until_end() -> Any:
                self._check(self._ended)
                return receive()

            self._cycle = cycle_of(receive)
            try:
                await super().__call__(scope, receive_until_end, send)
            except _RequestEnded:
                # No error of the app, unless it wrote the page of one.
                if self.exc_info is not None:
                    raise self.exc_info[1] from None
            finally:
                self._ended = True
                self._cycle = None

        def send(self, message: Any) -> None:
            self._check(self._ended or client_left(self._cycle))
            super().send(message)

        def _check(self, over: bool) -> None:
            if over:
                raise _RequestEnded("The request has ended: its client or server left.")

    return Responder
