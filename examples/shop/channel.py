"""Messages from one handler to the clients that listen."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

MessageT = TypeVar("MessageT")


class Channel(Generic[MessageT]):
    """Gives each message to all subscribers; belongs to one event loop."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[MessageT]] = set()

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[MessageT]]:
        """Give a queue of the messages published from now on, until the block ends."""
        queue: asyncio.Queue[MessageT] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.remove(queue)

    def publish(self, message: MessageT) -> None:
        """Put a message into the queue of every subscriber."""
        for queue in self._queues:
            queue.put_nowait(message)
