"""One test and the servers in it: from the beginning of the test to its end."""

import sys
from collections.abc import Iterator, Mapping

from liveserver._monitor.app_errors import raise_app_errors
from liveserver._monitor.note import ServerNote, make_note, tracebacks_of
from liveserver._requests.log import Failure
from liveserver._server import watch
from liveserver._server.control import ServerControl
from liveserver._server.live_server import LiveServer
from liveserver._server.watch import Watch

__unittest = __tracebackhide__ = True

__all__ = ["TestMonitor", "late_errors"]


class TestMonitor:
    """Follows all servers of the process in one test: those that run, and those that start later.

    Args:
        own: The server of the test's class, if it runs before the test.
        raises: Whether exceptions of apps fail the test.
        own_raises: Whether those of its class's server do.
        watch: What has followed the servers already.

    Attributes:
        server: The server of the test's class.
    """

    __test__ = False  # pytest collects classes by their name

    def __init__(
        self,
        own: LiveServer | None = None,
        *,
        raises: bool = True,
        own_raises: bool = True,
        watch: Watch | None = None,
    ) -> None:
        self.server = own
        self._raises = raises
        self._own_raises = own_raises
        self._outlives_test = own is not None
        self._watch: Watch | None = watch or Watch()
        # Found without an import of it: few suites use it.
        self._clients = sys.modules.get("liveserver.testclient")
        self._clients_mark = self._clients.mark() if self._clients else 0

    def note(self, tracebacks: bool = False) -> str:
        """Say what the servers did in this test, and whose server is gone that should be running.

        Args:
            tracebacks: Whether to add what the apps raised, which is then reported.
        """
        if self._watch is None:
            return ""
        parts = [make_note(self._watch)]
        if tracebacks:
            parts += tracebacks_of(self._failures())
        if self._outlives_test and self.server is not None and not self.server.running:
            url = self.server.base_url
            parts.append(f"The server at {url} runs no more: it was stopped, or ended by itself.")
        return ServerNote("\n".join(filter(None, parts)))

    def mark(self) -> Mapping[ServerControl, int]:
        """Return a mark for `exclude_since`."""
        spans = {} if self._watch is None else self._watch.spans
        return {server: server.log.mark() for server in list(spans)}

    def exclude_since(self, mark: Mapping[ServerControl, int]) -> None:
        """Leave the requests after a mark out: a person made them by hand."""
        for server, span in list(self._watch.spans.items()) if self._watch else ():
            span.exclude_since(mark.get(server, 0))

    def has_news(self) -> bool:
        """Whether a server was asked since the test began, or since `finish_requests`."""
        return self._watch is not None and self._watch.has_news()

    def finish_requests(self) -> None:
        """Wait until the test's requests have ended."""
        if self._watch is not None:
            self._watch.finish_requests()

    async def afinish_requests(self) -> None:
        """Wait for them without blocking the test's loop, which its clients need."""
        if self._watch is not None:
            await self._watch.afinish_requests()

    def raise_app_errors(self, late: bool = False) -> None:
        """Raise what the apps raised, the innermost first: of services, the one that began it.

        Args:
            late: Whether to raise what requests of earlier tests raised after these tests, too.
        """
        raise_app_errors(self._failures(late))

    def _failures(self, late: bool = False) -> list[Failure]:
        if self._watch is None or not self._raises:
            return []
        return [each for server, each in self._watch.failures(late) if self._judges(server)]

    def _judges(self, server: ServerControl) -> bool:
        if self.server is not None and server is self.server._control and not self._own_raises:
            return False
        return server.options.raise_server_errors

    def detach(self) -> None:
        """Raise what the apps raised so far, and follow the servers no longer."""
        try:
            self.raise_app_errors()
        finally:
            self.release()

    def release(self) -> None:
        """Drop the apps' exceptions, whose frames would otherwise stay alive.

        The clients of `liveserver.testclient` that the test has made are stopped.
        """
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self._clients is not None:
            self._clients.stop_clients(self._clients_mark)


def late_errors() -> Iterator[tuple[str, BaseException]]:
    """Look for what apps raised while no test ran; it is then reported.

    Yields:
        For each such server: what failed, and the error.
    """
    for server in watch.servers():
        if server.options.raise_server_errors:
            server.wait_for_requests(server.options.shutdown_timeout)
            try:
                raise_app_errors(server.log.failures_since())
            except Exception as error:
                yield f"server of {server.name}", error
