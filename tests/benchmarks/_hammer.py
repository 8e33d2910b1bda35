"""Clients in a process of their own, and uvicorn in another: for requests per second."""

import contextlib
import multiprocessing
import socket
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

from tests.benchmarks._common import BODY, HOST, app, listening_socket

__all__ = ["Hammer", "uvicorn_process"]

CONNECTIONS = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

# Seconds. A process that says nothing for that long ends the run.
PATIENCE = 60

_spawn = multiprocessing.get_context("spawn")


class Hammer:
    """Keep-alive connections in another process, each with one request on its way."""

    def __enter__(self) -> "Hammer":
        self._orders, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_hammer, args=(theirs,), daemon=True)
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.send(None)
        self._process.join(PATIENCE)

    def rate(self, port: int, seconds: float) -> float:
        """Ask a server for so long; return the requests per second."""
        self._orders.send((port, seconds))
        rate: float = _said(self._orders)
        return rate


def _said(connection: "Connection[Any, Any]") -> float:
    if not connection.poll(PATIENCE):
        raise TimeoutError("the other process says nothing")
    return float(connection.recv())


def _hammer(orders: "Connection[Any, Any]") -> None:
    while (order := orders.recv()) is not None:
        port, seconds = order
        with contextlib.ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_connection((HOST, port), 10))
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
def uvicorn_process(options: Mapping[str, str]) -> Iterator[int]:
    """Run uvicorn in a process of its own; yield its port."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(theirs, options), daemon=True)
    process.start()
    try:
        yield int(_said(ours))
    finally:
        process.terminate()  # its SIGTERM is how uvicorn is stopped
        process.join(PATIENCE)


def _serve(port: "Connection[Any, Any]", options: Mapping[str, str]) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_config=None, interface="asgi3", **options)  # type: ignore[arg-type]
    with listening_socket() as sock:
        port.send(sock.getsockname()[1])  # connections wait until it accepts them
        uvicorn.Server(config).run(sockets=[sock])
