"""The database connections of the servers' threads: found, shared, closed.

Django keeps a connection for each thread and alias. A request's sync code runs in a thread of its
own, so what a client that left, `CONN_MAX_AGE` or a failing handler leaves open has no owner any
more, and holds the test database. A context variable, which asgiref and asyncio hand on to threads,
tells the connections that are made for servers; all are closed when the requests of a test have
ended.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from django.db import Error, connections

from liveserver._django.sharing import BoundedLock, sharing_connection

__all__ = ["SERVER_CONNECTIONS", "in_server"]

in_server: ContextVar[bool] = ContextVar("liveserver_in_server", default=False)


class ServerConnections:
    """The connections that servers' threads have made.

    Attributes:
        shared: The test thread's connections to in-memory SQLite databases, by alias, which the
            servers' threads use too. The test's thread writes it while no server of its class runs.
    """

    def __init__(self) -> None:
        self.shared: Mapping[str, Any] = {}
        # By alias, and kept: threads that outlive a class, as those of Channels do, hold them.
        self._locks: dict[str, BoundedLock] = {}
        # Written under the lock: the connections, each with the thread that made it.
        self._made: list[tuple[Any, threading.Thread]] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Watch what servers' threads connect to, and share what is in memory, in the block."""
        own = [each for each in connections.all() if _is_in_memory(each)]
        before = self.shared  # of a class in whose test another one is started
        self.shared = {each.alias: each for each in own}
        for each in own:
            self._locks.setdefault(each.alias, BoundedLock())
            each.inc_thread_sharing()
        create = connections.create_connection

        def create_connection(alias: str) -> Any:
            return self._create(alias, create) if in_server.get() else create(alias)

        connections.create_connection = create_connection
        try:
            yield
        finally:
            connections.create_connection = create
            self.close()
            for each in own:
                each.dec_thread_sharing()
            self.shared = before

    def _create(self, alias: str, create: Callable[[str], Any]) -> Any:
        shared = self.shared.get(alias)
        if shared is not None:
            return sharing_connection(shared, self._locks[alias])
        made = create(alias)
        with self._lock:
            self._made.append((made, threading.current_thread()))
        return made

    async def close_abandoned(self) -> None:
        """Close the connections of ended threads, in a thread: Django refuses it on a loop."""
        if any(not thread.is_alive() for _, thread in list(self._made)):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self.close, True)

    def close(self, only_of_ended_threads: bool = False) -> None:
        """Close connections; forget those whose threads have ended, which cannot open them again.

        Args:
            only_of_ended_threads: Leave the others open, for requests that still run.
        """
        with self._lock:
            made, self._made = self._made, []
            for each, thread in made:
                if not thread.is_alive():
                    _close(each)
                    continue
                if not only_of_ended_threads:
                    _close(each)
                self._made.append((each, thread))


SERVER_CONNECTIONS = ServerConnections()


def _close(connection: Any) -> None:
    if connection.connection is None:
        return
    connection.inc_thread_sharing()
    try:
        with contextlib.suppress(Error):  # the database may have closed it
            connection.close()
    finally:
        connection.dec_thread_sharing()


def _is_in_memory(connection: Any) -> bool:
    return bool(connection.vendor == "sqlite" and connection.is_in_memory_db())
