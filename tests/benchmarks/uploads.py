"""Do failing uploads pile up? `python -m tests.benchmarks.uploads --help`

Thousands of requests with a body of 1 MB, to a server that is used by hand; the app reads the body
and raises. The exceptions' frames hold the bodies, and must not live as long as the server. Ends
with exit status 1 if the memory grows by 20 MiB or more.
"""

import argparse
import http.client
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from liveserver import LiveServer
from tests.benchmarks._common import loops
from tests.benchmarks._table import Answer, machine, versions
from tests.benchmarks.growth import MIB, in_new_process, resident

__all__ = ["answer", "run"]

BODY = bytes(1_000_000)
WARM = 100
MOST_GROWTH = 20.0  # in MiB


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Read the whole body, and fail."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    raise ValueError(f"{len(body)} bytes are too many")


def run(uploads: int, loop: str) -> tuple[float, float]:
    """Upload so often; return the MiB that the process occupies when it is warm, and at the end."""
    logging.disable()
    with LiveServer(app, uvicorn_config={"loop": loop, "lifespan": "off"}) as server:
        for number in range(1, uploads + 1):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
            connection.request("POST", "/", BODY)
            assert connection.getresponse().status == 500
            connection.close()
            if number == WARM:
                warm = resident() / MIB
        server.wait_idle(30)
        assert all(each.error for each in server.requests)
        return warm, resident() / MIB


def answer(uploads: int, found: dict[str, tuple[float, float]]) -> Answer:
    """Answer what piles up."""
    broken = any(last - warm >= MOST_GROWTH for warm, last in found.values())
    return Answer(
        f"Do failing uploads pile up? {uploads:,} of 1 MB, each raises",
        ("MiB", f"after {WARM}", f"after {uploads:,}"),
        [(loop, f"{warm:.1f}", f"{last:.1f}") for loop, (warm, last) in found.items()],
        [f"{'BROKEN' if broken else 'holds'}: grows by less than {MOST_GROWTH:g} MiB"],
        {"broken": broken, "mib": found},
    )


def main() -> int:
    """Print the table; 1 if the bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.uploads")
    parser.add_argument("--uploads", type=int, default=5000, help="how many (%(default)s)")
    uploads = parser.parse_args().uploads
    found = answer(uploads, {loop: in_new_process(run, uploads, loop) for loop in loops()})
    print(f"{machine()}\n{versions()}\n\n{found}")
    return int(found.figures["broken"])


if __name__ == "__main__":
    sys.exit(main())
