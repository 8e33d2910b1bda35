"""Tell somebody of each request as it is served. A server that nobody observes pays nothing."""

from collections.abc import Awaitable
from typing import Protocol

from liveserver._asgi import Message
from liveserver._request import Request
from liveserver._server import LiveServer

__all__ = ["observe"]

_OPENINGS = ("http.response.start", "websocket.accept")


class Observer(Protocol):
    """Who is told, in the server's thread. It raises nothing, and does not take long."""

    def opened(self, request: Request) -> None:
        """Be told that an event stream or a WebSocket is open, which has no end of its own."""

    def ended(self, request: Request) -> None:
        """Be told that the app has returned from a request, or raised."""

    def over(self) -> None:
        """Be told that the server has ended, for whatever reason."""


def observe(server: LiveServer, observer: Observer) -> None:
    """Tell an observer of the requests that a server is asked from now on, until it stops."""

    class Observed(Request):
        __slots__ = ()

        def send(self, message: Message) -> Awaitable[None]:
            sending = super().send(message)
            if message["type"] in _OPENINGS and self.endless:
                observer.opened(self)
            return sending

        def end(self) -> None:
            super().end()
            observer.ended(self)

    witness = server._witness
    witness.on_end = observer.over
    witness.request_class = Observed
    if not server.running:
        observer.over()  # it ended before it could say so
