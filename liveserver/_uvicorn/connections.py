"""The connections and tasks of a uvicorn server, as events.

uvicorn's protocols share two sets and a count. Here the server hears of each change, once it has
to. Connections whose TLS handshake is not done yet are in neither set: only the loop knows them,
asyncio's in a task, and uvloop's in no attribute at all. So the garbage collector is asked for the
object that holds the protocol.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakSet

import uvicorn
from uvicorn.server import ServerState

from liveserver._requests.record import RequestRecord
from liveserver._uvicorn.refusals import OnRefusal, refused_scope

__all__ = ["Handshakes", "disconnect", "prepare_state", "unsent", "unwatch", "watch"]


class _Server(Protocol):
    server_state: ServerState

    def wake(self) -> None: ...

    def on_client_gone(self) -> None: ...

    def on_late_member(self, member: Any) -> None: ...

    def on_member_gone(self) -> None: ...


class _Tasks(set[Any]):
    """A set; while the server runs it behaves as any other, and is as fast."""

    server: _Server  # while it is watched


class _Connections(_Tasks):
    """Tells the server when a connection has gone."""

    def discard(self, member: Any, /) -> None:
        super().discard(member)
        # In the next turn: the protocol notes only after this that its request lost its client.
        asyncio.get_running_loop().call_soon(self.server.on_client_gone)


class _Watched(_Tasks):
    """What both sets become when the server closes: tells of each member that comes or goes."""

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
        # In the next turn: an upgrade takes a connection out, then puts its WebSocket in.
        asyncio.get_running_loop().call_soon(self.server.on_member_gone)


class _LimitedTasks(_Tasks):
    """Tells of each request that uvicorn refuses, over `limit_concurrency`."""

    on_refusal: OnRefusal

    def add(self, member: Any, /) -> None:
        super().add(member)
        scope = refused_scope(member)
        if scope is not None:
            self.on_refusal(503, scope)


class _Counting(ServerState):
    """Wakes the server at each complete response, for `limit_max_requests`."""

    _total = 0

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    @property
    def total_requests(self) -> int:
        """The number of complete responses, which the protocols count."""
        return self._total

    @total_requests.setter
    def total_requests(self, value: int) -> None:
        self._total = value
        if value:
            self._wake()


def prepare_state(server: _Server, config: uvicorn.Config, on_refusal: OnRefusal) -> None:
    """Let a server hear of what its protocols change in the state that they share.

    Args:
        server: The server. With `limit_max_requests` its state is replaced.
        config: Its configuration.
        on_refusal: Hears of each request that is over `limit_concurrency`.
    """
    if config.limit_max_requests is not None:
        server.server_state = _Counting(server.wake)
    state = server.server_state
    state.connections, state.tasks = _Connections(), _Tasks()
    state.connections.server = server
    if config.limit_concurrency is not None:
        state.tasks = _LimitedTasks()
        state.tasks.on_refusal = on_refusal


def watch(state: ServerState, server: _Server) -> None:
    """Tell a server of each connection and each task that comes or goes from now on."""
    members: Any
    for members in (state.connections, state.tasks):
        members.__class__ = _Watched
        members.server = server
    for task in state.tasks:
        # Tasks that run already call the plain set's method.
        task.add_done_callback(lambda _: server.on_member_gone())


def unwatch(state: ServerState) -> None:
    """Stop telling the server, and drop the reference to it."""
    members: Any
    for members in (state.connections, state.tasks):
        members.__class__ = _Tasks
        vars(members).clear()
    if isinstance(state, _Counting):
        del state._wake


class Handshakes:
    """A server's class of protocols, which remembers those that it makes. Used on its loop."""

    def __init__(self, protocol_class: Any) -> None:
        self._protocol_class = protocol_class
        self._made: WeakSet[Any] = WeakSet()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the protocol of a connection that was accepted now."""
        protocol = self._protocol_class(*args, **kwargs)
        self._made.add(protocol)
        return protocol

    def abort(self) -> None:
        """Abort the connections whose handshake is not done."""
        waiting = [each for each in self._made if getattr(each, "transport", self) is None]
        for protocol in waiting:
            for holder in gc.get_referrers(protocol):
                transport = _transport(holder)
                if transport is not None:
                    transport.abort()


def _transport(holder: Any) -> Any:
    """Return the transport of the object that does a handshake; None for other objects.

    Both loops call its class `SSLProtocol`. asyncio's may appear as the dict of its attributes.
    """
    if isinstance(holder, dict):
        return holder.get("_transport") if "_app_protocol" in holder else None
    if hasattr(type(holder), "_get_app_transport"):
        return holder._get_app_transport()
    return None


def disconnect(record: RequestRecord) -> None:
    """Abort a request's connection; under HTTP/2, where others share it, the request's stream."""
    cycle = record.cycle
    if hasattr(cycle, "abort_stream"):
        cycle.abort_stream()
        cycle.message_event.set()  # the app sees a disconnect
    elif cycle is not None:
        cycle.transport.abort()


def unsent(transport: Any) -> int:
    """Return how many bytes a transport still has to send; 0 if it has lost its connection."""
    try:
        return int(transport.get_write_buffer_size())
    except AttributeError:
        return 0
