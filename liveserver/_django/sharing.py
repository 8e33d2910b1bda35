"""Connections of servers' threads to an in-memory SQLite database, which is a test thread's.

Django shares the connection object itself. Its state, such as "in a transaction", then belongs to
all threads at once, and parallel writers fail. Here each thread has an object of its own; what they
share is the `sqlite3.Connection`, which one server thread at a time uses, for a statement or for a
transaction. The test's thread uses it when it likes: it seldom writes while its server does, and a
cursor that it has open must not stop the server.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.db.backends.sqlite3.base import SQLiteCursorWrapper

__all__ = ["BoundedLock", "sharing_connection"]

# Seconds that a server's thread waits for a shared connection. After that it goes on without it: a
# view in a transaction may ask its own server.
_LOCK_SECONDS = 5.0

# By the class of connections that they change: Django's, or that of a backend built on it.
_CLASSES: dict[type, type] = {}


class BoundedLock:
    """A lock that its thread may take again, and that nobody waits for without a bound."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def acquire(self) -> bool:
        """Take it; return whether it could be had in time."""
        return self._lock.acquire(timeout=_LOCK_SECONDS)

    def release(self) -> None:
        """Let another thread have it."""
        self._lock.release()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold it in the block, or go on without it."""
        taken = self.acquire()
        try:
            yield
        finally:
            if taken:
                self.release()


def sharing_connection(shared: Any, lock: BoundedLock) -> Any:
    """Return a connection for the calling thread that uses the one of a test's thread."""
    made = _sharing_class(type(shared))(shared.settings_dict, shared.alias)
    made.share(shared, lock)
    return made


def _sharing_class(wrapper: type) -> Any:
    if wrapper not in _CLASSES:
        _CLASSES[wrapper] = type("SharingConnection", (SharingMixin, wrapper), {})
    return _CLASSES[wrapper]


class LockingCursor(SQLiteCursorWrapper):
    """A cursor that reads all rows while it has the lock.

    Cursors with the same SQL share a statement, which the end of one cursor's rows would reset
    under the other one.
    """

    lock: BoundedLock
    _rows: Iterator[Any] = iter(())

    def execute(self, *args: Any) -> Any:
        """Execute a statement and read its rows."""
        with self.lock.held():
            super().execute(*args)
            self._rows = iter(super().fetchall())
        return self

    def executemany(self, *args: Any) -> Any:
        """Execute a statement for each set of parameters."""
        with self.lock.held():
            return super().executemany(*args)

    def __next__(self) -> Any:
        return next(self._rows)

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> Any:
        """Return the next rows."""
        return list(islice(self._rows, size))

    def fetchall(self) -> Any:
        """Return all other rows."""
        return list(self._rows)


class SharingMixin:
    """What differs from Django's connection. Its methods have Django's names, but for `share`."""

    # Of Django's class.
    connection: Any
    in_atomic_block: bool
    connect: Callable[[], None]

    def share(self, shared: Any, lock: BoundedLock) -> None:
        """Use the connection of another thread, with a lock."""
        self._test_connection, self._server_lock = shared, lock
        self._holds_lock = False
        self._own_savepoint = ""  # in place of a transaction, in one of another thread

    def ensure_connection(self) -> None:
        """Connect, if the test's thread has not connected anew since the last time."""
        self._test_connection.ensure_connection()
        if not self.in_atomic_block and self.connection is not self._test_connection.connection:
            self.connect()

    def get_new_connection(self, conn_params: Any) -> Any:
        """Return the `sqlite3.Connection`."""
        return self._test_connection.connection

    def _set_autocommit(self, autocommit: bool) -> None:
        # Setting the mode that it has already would commit a transaction of another thread.
        if autocommit is not (self.connection.isolation_level is None):
            super()._set_autocommit(autocommit)  # type: ignore[misc]

    def cursor(self) -> Any:
        """Return a cursor, or raise, if the test's class does not name the database."""
        refusal = vars(self._test_connection).get("cursor")
        # After a class that does not name the database, Django leaves its own method there.
        return refusal() if hasattr(refusal, "wrapped") else super().cursor()  # type: ignore[misc]

    def create_cursor(self, name: Any = None) -> Any:
        """Return a cursor that uses the lock."""
        cursor = self.connection.cursor(factory=LockingCursor)
        cursor.lock = self._server_lock
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        self._holds_lock = self._server_lock.acquire()
        try:
            if self.connection.in_transaction:
                self._own_savepoint = f"liveserver_{id(self)}"
                self.connection.execute(f"SAVEPOINT {self._own_savepoint}")
            else:
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._let_go()
            raise

    def _commit(self) -> None:
        self._end_transaction(super()._commit, "RELEASE {0}")  # type: ignore[misc]

    def _rollback(self) -> None:
        rollback = super()._rollback  # type: ignore[misc]
        self._end_transaction(rollback, "ROLLBACK TO {0}", "RELEASE {0}")

    def _end_transaction(self, end: Callable[[], None], *of_savepoint: str) -> None:
        try:
            if not self._own_savepoint:
                end()
                return
            for statement in of_savepoint:
                self.connection.execute(statement.format(self._own_savepoint))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._own_savepoint = ""
        if self._holds_lock:
            self._holds_lock = False
            self._server_lock.release()
