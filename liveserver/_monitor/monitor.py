"""One test and its server: from the beginning of the test to its end."""

from liveserver._monitor.app_errors import raise_app_errors
from liveserver._monitor.span import RequestSpan, ServerNote
from liveserver._options import bounds
from liveserver._server.live_server import LiveServer
from liveserver._sync.threads import run_in_thread

__unittest = __tracebackhide__ = True

__all__ = ["TestMonitor"]


class TestMonitor:
    """Follows the server of one test.

    Args:
        server: The server, if it runs before the test.
        raises: Whether the app's exceptions fail the test.

    Attributes:
        server: The server that it follows.
    """

    __test__ = False  # pytest collects classes by their name

    def __init__(self, server: LiveServer | None, raises: bool) -> None:
        self.server: LiveServer | None = None
        self._raises = raises
        self._span: RequestSpan | None = None
        self._outlives_test = server is not None
        if server is not None:
            self.follow(server)

    def follow(self, server: LiveServer) -> None:
        """Count the requests that a server gets from now on as the test's."""
        self.server = server
        self._span = RequestSpan(server)

    def note(self, tracebacks: bool = False) -> str:
        """Say what the server did in this test, and that it is gone where it should be running."""
        if self._span is None or self.server is None:
            return ""
        note = self._span.note(tracebacks and self._raises)
        if self._outlives_test and not self.server.running:
            url = self.server.base_url
            gone = f"The server at {url} runs no more: it was stopped, or ended by itself."
            note = ServerNote(f"{note}\n{gone}" if note else gone)
        return note

    def mark(self) -> int:
        """Return a mark for `exclude_since`."""
        return 0 if self.server is None else self.server._control.log.mark()

    def exclude_since(self, mark: int) -> None:
        """Leave the requests after a mark out: a person made them by hand."""
        if self._span is not None:
            self._span.exclude_since(mark)

    def finish_requests(self) -> None:
        """Wait until the test's requests have ended."""
        if self._span is not None:
            self._span.finish_requests()

    async def afinish_requests(self) -> None:
        """Wait for them without blocking the test's loop, which its clients need."""
        if self._span is not None and not self._span.wait_for_requests(bounds.LOOP_BLOCK):
            await run_in_thread(self._span.finish_requests)

    def raise_app_errors(self) -> None:
        """Raise what the app raised."""
        if self._raises and self._span is not None:
            raise_app_errors(self._span.failures())

    def detach(self) -> None:
        """Raise what the app raised so far, and follow the server no longer."""
        try:
            self.raise_app_errors()
        finally:
            self._span = None

    def release(self) -> None:
        """Drop the app's exceptions, whose frames would otherwise stay alive."""
        if self._span is not None:
            self._span.release()
