"""Tell an observer of each request as it is served. A server without one pays nothing."""

from typing import Protocol

from liveserver._app.asgi import Message
from liveserver._requests.middleware import RecordingMiddleware
from liveserver._requests.record import RequestRecord

__all__ = ["Observer", "observe"]

_OPENINGS = ("http.response.start", "websocket.accept")


class Observer(Protocol):
    """What is told, in the server's thread. Its methods raise nothing and return at once."""

    def opened(self, record: RequestRecord) -> None:
        """An event stream or a WebSocket is open, which has no end of its own."""

    def ended(self, record: RequestRecord) -> None:
        """The app has returned from a request, or raised."""

    def over(self) -> None:
        """The server has ended, for whatever reason."""

    def cut(self, text: str) -> None:
        """The stop has cut requests, which the text names. Called by the thread that stops."""


def observe(middleware: RecordingMiddleware, observer: Observer) -> None:
    """Tell an observer of all requests that come from now on, until the run ends."""

    class ObservedRecord(RequestRecord):
        __slots__ = ()

        def sent(self, message: Message) -> None:
            super().sent(message)
            if message["type"] in _OPENINGS and self.endless:
                observer.opened(self)

        def end(self) -> None:
            super().end()
            observer.ended(self)

    middleware.on_end = observer.over
    middleware.record_class = ObservedRecord
