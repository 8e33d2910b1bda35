"""What one run of the shop holds, and how a handler gets it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from starlette.types import StatefulLifespan

from .channel import Channel
from .models import ChatEvent, ItemEvent
from .store import Store


class State(TypedDict):
    """Made by the lifespan; the server hands it to every request."""

    store: Store
    changes: Channel[ItemEvent]
    chat: Channel[ChatEvent]


def build_lifespan(database: Path | str | None) -> StatefulLifespan[FastAPI]:
    """Return a lifespan that opens the database and closes it again.

    Nothing outlives the run, so that the same app can be started again after a stop.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        with ExitStack() as stack:
            path = database
            if path is None:
                folder = stack.enter_context(TemporaryDirectory(prefix="shop-"))
                path = Path(folder, "shop.db")
            # One connection, opened and used in the event loop's thread alone: every handler is
            # `async def`, so none runs in a worker thread, and sqlite3 itself checks that (it
            # refuses a connection that comes from another thread). The loop waits during a query,
            # which is right for a small local file and wrong for a slow database.
            connection = stack.enter_context(closing(sqlite3.connect(path)))
            yield {"store": Store(connection), "changes": Channel(), "chat": Channel()}

    return lifespan


async def _store(connection: HTTPConnection) -> Store:
    store: Store = connection.state.store
    return store


async def _changes(connection: HTTPConnection) -> Channel[ItemEvent]:
    changes: Channel[ItemEvent] = connection.state.changes
    return changes


async def _chat(connection: HTTPConnection) -> Channel[ChatEvent]:
    chat: Channel[ChatEvent] = connection.state.chat
    return chat


StoreOfRun = Annotated[Store, Depends(_store)]
ChangesOfRun = Annotated[Channel[ItemEvent], Depends(_changes)]
ChatOfRun = Annotated[Channel[ChatEvent], Depends(_chat)]
