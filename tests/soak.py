"""A soak, run by hand: `python -m tests.soak`. Many clients, one server, many servers beside it.

50 threads and 50 asyncio clients make 10,000 requests to one server while 200 others start, answer
and stop: half of them in a thread, the other half as tasks of asyncio, restarted and asked twice.
Each server answers with its own id; nothing may be lost or answered by another one.
"""

import argparse
import asyncio
import sys
import threading
import time
from collections import Counter
from typing import Any

import aiohttp

from liveserver import LiveServer
from tests.helpers import apps
from tests.helpers.support import Client, loops

REQUESTS, THREADS, TASKS, SERVERS = 10_000, 50, 50, 200


def identified(name: str) -> Any:
    """Make an app that answers with a name and the request's path."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        await apps.answer(send, f"{name} {scope['path']}".encode())

    return app


def soak(loop: str) -> Counter[str]:
    """Run the soak on one kind of loop; return how often each thing happened."""
    seen: Counter[str] = Counter()
    each = REQUESTS // (THREADS + TASKS)

    def note(answer: str, expected: str) -> None:
        seen["right" if answer == expected else f"wrong: {answer!r} for {expected!r}"] += 1

    def ask(worker: int) -> None:
        try:
            with Client(server.base_url, timeout=60) as client:
                for number in range(each):
                    path = f"/thread/{worker}/{number}"
                    note(client.get(path).body.decode(), f"main {path}")
        except Exception as error:
            seen[f"lost: {error!r}"] += 1

    async def ask_async(session: aiohttp.ClientSession, worker: int) -> None:
        try:
            for number in range(each):
                path = f"/task/{worker}/{number}"
                async with session.get(path) as response:
                    note(await response.text(), f"main {path}")
        except Exception as error:
            seen[f"lost: {error!r}"] += 1

    async def ask_all() -> None:
        async with aiohttp.ClientSession(server.base_url) as session:
            await asyncio.gather(*(ask_async(session, worker) for worker in range(TASKS)))

    async def restart_async(number: int) -> None:
        other = LiveServer(identified(str(number)), uvicorn_config={"loop": loop})
        try:
            await other.astart()
            for _ in range(2):
                async with other.async_session() as session, session.get("/x") as response:
                    note(await response.text(), f"{number} /x")
                await other.arestart()
            await other.await_idle(60)
            await other.astop()
        except Exception as error:
            seen[f"lost: {error!r}"] += 1

    async def restart_all() -> None:
        for first in range(SERVERS // 2, SERVERS, 10):
            await asyncio.gather(*map(restart_async, range(first, first + 10)))

    def start_and_stop() -> None:
        for number in range(SERVERS // 2):
            try:
                app = identified(str(number))
                with (
                    LiveServer(app, uvicorn_config={"loop": loop}) as other,
                    Client(other.base_url, timeout=60) as client,
                ):
                    note(client.get("/x").body.decode(), f"{number} /x")
            except Exception as error:
                seen[f"lost: {error!r}"] += 1

    with LiveServer(identified("main"), uvicorn_config={"loop": loop}) as server:
        threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(THREADS)]
        threads.append(threading.Thread(target=start_and_stop))
        threads.append(threading.Thread(target=lambda: asyncio.run(ask_all())))
        threads.append(threading.Thread(target=lambda: asyncio.run(restart_all())))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return seen


def main() -> int:
    """Run the soak on each loop; 1 if anything was lost or wrong."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    status = 0
    for loop in loops():
        started = time.perf_counter()
        seen = soak(loop)
        print(f"{loop}: {dict(seen)} in {time.perf_counter() - started:.1f} s")
        status |= set(seen) != {"right"} or seen["right"] != REQUESTS + SERVERS * 3 // 2
    return status


if __name__ == "__main__":
    sys.exit(main())
