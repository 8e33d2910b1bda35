"""What uvicorn's protocols share, with somebody who hears of it: connections, tasks, a count."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.server import ServerState

__all__ = ["shared_state", "unwatch", "watch"]


class _Server(Protocol):
    def wake(self) -> None: ...

    def on_client_gone(self) -> None: ...

    def on_late_member(self, member: Any) -> None: ...

    def on_member_gone(self) -> None: ...


class _Tasks(set[Any]):
    """One for each request; while the server runs it is just a set, and as fast."""

    server: _Server  # while somebody watches


class _Connections(_Tasks):
    """It says when one has gone."""

    def discard(self, member: Any, /) -> None:
        super().discard(member)
        # Not at once: the protocol notes only then that its request has lost its client.
        asyncio.get_running_loop().call_soon(self.server.on_client_gone)


class _Watched(_Tasks):
    """What both become when the server closes: it says when a member comes and when one goes."""

    def add(self, member: Any, /) -> None:
        super().add(member)
        self.server.on_late_member(member)

    def discard(self, member: Any, /) -> None:
        super().discard(member)
        self._gone()

    def remove(self, member: Any, /) -> None:
        super().remove(member)
        self._gone()

    def _gone(self) -> None:
        # Not at once: an upgrade takes a connection out and puts its WebSocket in.
        asyncio.get_running_loop().call_soon(self.server.on_member_gone)


class _Counting(ServerState):
    """With `limit_max_requests`, each response is an event."""

    _total = 0

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    @property
    def total_requests(self) -> int:
        """How many responses are complete; counted by the protocols."""
        return self._total

    @total_requests.setter
    def total_requests(self, value: int) -> None:
        self._total = value
        if value:
            self._wake()


def shared_state(server: _Server, counts: bool) -> ServerState:
    """Make what the protocols of a server share.

    Args:
        server: Who hears of it.
        counts: Whether it hears of each response.
    """
    state = _Counting(server.wake) if counts else ServerState()
    state.connections, state.tasks = _Connections(), _Tasks()
    state.connections.server = server
    return state


def watch(state: ServerState, server: _Server) -> None:
    """From now on tell a server of each member that comes or goes."""
    members: Any
    for members in (state.connections, state.tasks):
        members.__class__ = _Watched
        members.server = server
    for task in state.tasks:
        # Those that run already hold the plain set's own method.
        task.add_done_callback(lambda _: server.on_member_gone())


def unwatch(state: ServerState) -> None:
    """Tell nobody any more, and refer to nobody."""
    members: Any
    for members in (state.connections, state.tasks):
        members.__class__ = _Tasks
        vars(members).clear()
