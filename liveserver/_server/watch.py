"""Which servers the process has, and what all of them do in a span of time."""

import itertools
import sys
from typing import Any
from weakref import ref

from liveserver._options import bounds
from liveserver._requests.log import Failure
from liveserver._requests.span import RequestSpan
from liveserver._sync.threads import run_in_thread

__unittest = __tracebackhide__ = True

__all__ = ["Watch", "add", "remove", "servers", "take_first", "tell_started"]

# A `ServerControl`, which imports this module.
_Server = Any

# All servers and watches that are in use, by the order in which they were made. Any thread changes
# both; a reader copies in one step.
_servers: "dict[int, ref[_Server]]" = {}
_watches: "dict[int, ref[Watch]]" = {}
_numbers = itertools.count()

# Of services that never stop to ask each other.
_MOST_ROUNDS = 20


def add(server: _Server) -> None:
    """Let the process know a server."""
    server.watch_number = _add(server, _servers)


def _add(new: Any, known: "dict[int, ref[Any]]") -> int:
    number = next(_numbers)
    known[number] = ref(new, lambda _: known.pop(number, None))
    return number


def remove(server: _Server) -> None:
    """Let no watch follow a server that was not started: its client looks after it."""
    _servers.pop(server.watch_number, None)


def servers() -> list[_Server]:
    """Return all servers of the process, oldest first."""
    return _living(_servers)


def _living(known: "dict[int, ref[Any]]") -> list[Any]:
    found = [each() for each in list(known.values())]
    return [each for each in found if each is not None]


def tell_started(server: _Server) -> None:
    """Let all watches follow a server that starts."""
    if server.watch_number in _servers:
        for each in _living(_watches):
            each.follow(server)


def take_first() -> "Watch | None":
    """Return, once, a watch that began with the import of this package, under pytest's plugin.

    The plugin imports nothing before a test does, and so begins too late for that one.
    """
    global _first
    first, _first = _first, None
    return first


class Watch:
    """What servers do from one moment on: those that run, and those that start later.

    Args:
        only: The server to follow; None follows all of the process.

    Attributes:
        spans: The requests of each server. The thread that starts a server adds to it.
    """

    _number = -1  # its place among those that follow all servers

    def __init__(self, only: _Server | None = None) -> None:
        self.spans: dict[_Server, RequestSpan] = {}
        self._finished: dict[_Server, int] = {}
        if only is not None:
            self.follow(only)
            return
        self._number = _add(self, _watches)
        for server in servers():
            if server.run is not None:
                server.log.lines.lower_root_level()  # an earlier test may have raised it
                self.follow(server)
        self._finished = {server: server.log.mark() for server in list(self.spans)}

    def follow(self, server: _Server) -> None:
        """Follow a server from now on."""
        if server not in self.spans:
            self.spans[server] = RequestSpan(server.log)

    def failures(self, late: bool = False) -> list[tuple[_Server, Failure]]:
        """Return what the apps raised and no test was told of: of services, the innermost first.

        Args:
            late: Whether to add what requests from before this watch have raised since then.
        """
        spans = list(self.spans.items())
        found = [(server, each) for server, span in spans for each in span.failures(late)]
        return _innermost_first(found) if len({id(server) for server, _ in found}) > 1 else found

    def has_news(self) -> bool:
        """Whether a server was asked since the last `finish_requests`."""
        return any(self._finished.get(each) != each.log.mark() for each in list(self.spans))

    def finish_requests(self) -> None:
        """Wait until the requests have ended; see `ServerControl.finish_requests`."""
        followed = list(self.spans)
        # Again, as one server may have asked another one after that was waited for; and until no
        # server was asked anything in a whole round.
        for number in range(_MOST_ROUNDS if len(followed) > 1 else 1):
            before, self._finished = self._finished, {each: each.log.mark() for each in followed}
            if number > 1 and before == self._finished:
                break
            for server in followed:
                server.finish_requests()
        self._finished = {server: server.log.mark() for server in followed}

    async def afinish_requests(self) -> None:
        """Wait for them without blocking the running loop, which clients need."""
        followed = list(self.spans)
        if len(followed) != 1 or not followed[0].wait_for_requests(bounds.LOOP_BLOCK):
            await run_in_thread(self.finish_requests)

    def end(self) -> None:
        """Follow no server any longer, and drop what was not told."""
        _watches.pop(self._number, None)
        for span in list(self.spans.values()):
            span.release()


def _innermost_first(found: list[tuple[_Server, Failure]]) -> list[tuple[_Server, Failure]]:
    """Sort by the end; what began while another one ran may be asked by it, and precedes it."""
    keys: dict[Failure, tuple[float, float]] = {}
    ends: list[float] = []  # of those that run when the next one begins, the outermost first
    for _, each in sorted(found, key=lambda pair: pair[1].started):
        while ends and ends[-1] < each.started:
            ends.pop()
        ends.append(min([each.started + (each.duration or 0.0), *ends[-1:]]))
        keys[each] = ends[-1], -each.started
    return sorted(found, key=lambda pair: keys[pair[1]])


_first = Watch() if "liveserver.pytest_plugin" in sys.modules else None
