"""What it costs that each request is written down: `python -m tests.benchmarks.witness`.

Requests per second of a liveserver and of uvicorn's own `Server.run` in a thread, with the same
options, one after the other in alternating rounds. The clients live in another process: 16
keep-alive connections, each with one request on its way.
"""

import argparse
import contextlib
import importlib.util
import itertools
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import uvicorn

from liveserver import LiveServer
from tests.benchmarks._common import BODY, app, listening_socket, versions
from tests.benchmarks._table import machine, table

CONNECTIONS = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def hammer(orders: Connection) -> None:
    """Be the clients: for each port and number of seconds, send back the requests per second."""
    while (order := orders.recv()) is not None:
        port, seconds = order
        with contextlib.ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                for _ in range(CONNECTIONS)
            ]
            for sock in sockets:
                sock.sendall(REQUEST)
            count = 0
            started = time.perf_counter()
            while time.perf_counter() - started < seconds:
                for sock in sockets:
                    while not sock.recv(4096).endswith(BODY):  # head and body may come apart
                        pass
                    sock.sendall(REQUEST)
                count += CONNECTIONS
            orders.send(count / (time.perf_counter() - started))


@contextlib.contextmanager
def with_liveserver(options: dict[str, str]) -> Iterator[int]:
    with LiveServer(app, uvicorn_config=options) as server:
        yield server.port


@contextlib.contextmanager
def with_uvicorn(options: dict[str, str]) -> Iterator[int]:
    config = uvicorn.Config(app, log_config=None, interface="asgi3", **options)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    with listening_socket() as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        while not server.started:
            time.sleep(0.001)
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


CONTENDERS = {"liveserver": with_liveserver, "uvicorn": with_uvicorn}


def measure(rounds: int, seconds: float) -> Iterator[tuple[str, str, dict[str, list[float]]]]:
    """Measure each loop with each HTTP parser that is installed."""
    context = multiprocessing.get_context("spawn")
    orders, theirs = context.Pipe()
    client = context.Process(target=hammer, args=(theirs,), daemon=True)
    client.start()
    loops = ["asyncio", "uvloop"] if importlib.util.find_spec("uvloop") else ["asyncio"]
    https = ["h11", "httptools"] if importlib.util.find_spec("httptools") else ["h11"]
    for loop, http in itertools.product(loops, https):
        rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for number in range(rounds):
            order = list(CONTENDERS) if number % 2 else list(CONTENDERS)[::-1]
            for name in order:
                with CONTENDERS[name]({"loop": loop, "http": http}) as port:
                    orders.send((port, seconds))
                    if not orders.poll(60):
                        raise RuntimeError("the clients do not report")
                    rates[name].append(orders.recv())
        yield loop, http, rates
    orders.send(None)
    client.join(10)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="alternating rounds (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions(['uvicorn', 'uvloop', 'httptools', 'h11'])}\n")
    rows = []
    for loop, http, rates in measure(options.rounds, options.seconds):
        medians = {name: statistics.median(values) for name, values in rates.items()}
        pairs = zip(rates["liveserver"], rates["uvicorn"], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        rows.append([f"{loop}, {http}", *(f"{medians[n]:.0f}" for n in CONTENDERS), f"{ratio:.3f}"])
    print(table(["requests per second", *CONTENDERS, "median of ratios"], rows))


if __name__ == "__main__":
    main()
