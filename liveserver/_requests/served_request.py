"""`ServedRequest`: what a user sees of a request."""

from typing import NamedTuple

__all__ = ["ServedRequest"]


class ServedRequest(NamedTuple):
    """A request that a server was asked, as it stood when this object was made.

    Attributes:
        method: The HTTP method; `GET` for a WebSocket.
        path: The path, percent-decoded.
        query: The query string as it was sent, without the question mark.
        http_version: `"1.0"`, `"1.1"` or `"2"`.
        scheme: `"http"`, `"https"`, `"ws"` or `"wss"`.
        client: The client's address and port, if it is known.
        status: The response's status; for a WebSocket 101, or that of its refusal. None while
            there is none.
        started: When it wait_for_future, in seconds since the epoch.
        duration: How long the app has run for it so far, background tasks included, in seconds.
        response_bytes: How many bytes of body, or of WebSocket messages, the app has sent.
        running: Whether the app still runs for it.
        exception: The exception that the app did not handle. A test case keeps it until its test
            has ended, and the text of it in `error` for longer.
        error: What the exception is, `"ValueError: no such item"`, or an empty string.
    """

    method: str
    path: str
    query: str
    http_version: str
    scheme: str
    client: tuple[str, int] | None
    status: int | None
    started: float
    duration: float
    response_bytes: int
    running: bool
    exception: BaseException | None
    error: str

    def __str__(self) -> str:
        time = (
            f", running for {_span(self.duration)}"
            if self.running
            else f" in {_span(self.duration)}"
        )
        error = f", raised {self.error}" if self.error else ""
        return f"{self.answered()}{time}{error}"

    def answered(self) -> str:
        """Return the request and its status: `GET /items → 200`."""
        query = f"?{self.query}" if self.query else ""
        method = "WebSocket" if self.scheme in ("ws", "wss") else self.method
        status = "no answer" if self.status is None else str(self.status)
        return f"{method} {self.path}{query} \N{RIGHTWARDS ARROW} {status}"


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
