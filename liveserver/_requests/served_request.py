"""`ServedRequest`: what a user sees of a request."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, overload

from liveserver._errors import printable

__all__ = ["ServedRequest", "ServedRequests"]


class ServedRequest(NamedTuple):
    """A request that a server was asked, as it stood when this object was made.

    Attributes:
        method: The HTTP method; `GET` for a WebSocket.
        path: The path that the client asked for, percent-decoded, without uvicorn's `root_path`.
        query: The query string as it was sent, without the question mark.
        http_version: `"1.0"`, `"1.1"` or `"2"`.
        scheme: `"http"`, `"https"`, `"ws"` or `"wss"`.
        client: The client's address and port, if it is known.
        status: The status that was sent; for a WebSocket 101, or that of its refusal. None while
            there is none.
        started: When it came, in seconds since the epoch.
        duration: How long the app has run for it so far, background tasks included, in seconds.
        response_bytes: How many bytes of body, or of WebSocket messages, the app has sent.
        running: Whether the app still runs for it.
        exception: The exception that the app did not handle. A test case keeps it until its test
            has ended, and the text of it in `error` for longer.
        error: What the exception is, `"ValueError: no such item"`, or an empty string.
        raw_path: The path as it was sent, percent-encoded.
        headers: The request's headers in their order, pairs of a name in lower case and a value.
        answered_after: Seconds until the response was complete; None before that, and for a
            WebSocket.
        by_uvicorn: Whether uvicorn itself answered it, so that the app was not asked.
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
    raw_path: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    answered_after: float | None
    by_uvicorn: bool

    def __str__(self) -> str:
        if self.by_uvicorn:
            return f"{self.answered()} by uvicorn, the app was not asked"
        if not self.running:
            time = f" in {_span(self.duration)}"
        elif self.answered_after is not None:
            time = f" in {_span(self.answered_after)}"
        else:
            time = f", running for {_span(self.duration)}"
        error = f", raised {self.error}" if self.error else ""
        return f"{self.answered()}{time}{error}"

    def answered(self) -> str:
        """Return the request and its status: `GET /items → 200`."""
        query = f"?{self.query}" if self.query else ""
        method = "WebSocket" if self.scheme in ("ws", "wss") else self.method
        status = "no answer" if self.status is None else str(self.status)
        path = self.raw_path.decode("latin-1") or self.path
        target = printable(f"{method} {path}{query}".rstrip())
        return f"{target} \N{RIGHTWARDS ARROW} {status}"


class _Record(Protocol):
    def served(self) -> ServedRequest: ...


class ServedRequests(Sequence[ServedRequest]):
    """Requests, each of which is made when it is looked at: there may be 10,000 of them."""

    def __init__(self, records: Sequence[_Record]) -> None:
        self._records = records

    @overload
    def __getitem__(self, index: int) -> ServedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> "ServedRequests": ...
    def __getitem__(self, index: int | slice) -> "ServedRequest | ServedRequests":
        if isinstance(index, slice):
            return ServedRequests(self._records[index])
        return self._records[index].served()

    def __len__(self) -> int:
        return len(self._records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # its requests may still change

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


# Tracebacks and reprs show the names that users import.
ServedRequest.__module__ = "liveserver"
