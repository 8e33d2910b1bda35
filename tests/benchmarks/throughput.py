"""How many requests per second? `python -m tests.benchmarks.throughput --help`

The clients live in another process: 16 keep-alive connections, each with one request on its way.
A liveserver, the same without its witness, and uvicorn with the same options all run at once, and
take turns of a few hundredths of a second: uvicorn in a process of its own, as in production, and
in a bare thread of this one. As it comes, uvicorn writes no access log here, as it has no handler
for it; liveserver's own handler, which keeps it from printing, would make uvicorn in this process
write one for nobody, so that is turned off for it.
"""

import argparse
import contextlib
import importlib.util
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import uvicorn

from liveserver import LiveServer
from liveserver._requests.middleware import RecordingMiddleware
from tests.benchmarks._common import app, listening_socket, loops
from tests.benchmarks._hammer import Hammer, uvicorn_process
from tests.benchmarks._table import Answer, machine, versions

__all__ = ["CONTENDERS", "answer", "measure", "witness_answer"]

OURS, THREAD, PROCESS = "liveserver", "uvicorn, thread", "uvicorn, process"
BARE = "liveserver without witness"

# By contender, in the order of the rounds.
Rates = Mapping[str, Sequence[float]]


@contextlib.contextmanager
def with_liveserver(options: Mapping[str, str]) -> Iterator[int]:
    """Run a liveserver; yield its port."""
    with LiveServer(app, uvicorn_config=dict(options)) as server:
        yield server.port


async def _pass_by(_self: RecordingMiddleware, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


@contextlib.contextmanager
def without_witness(options: Mapping[str, str]) -> Iterator[int]:
    """Run a liveserver that writes down no request; yield its port."""
    with contextlib.ExitStack() as stack:
        with mock.patch.object(RecordingMiddleware, "asgi", _pass_by):  # others start beside it
            port = stack.enter_context(with_liveserver(options))
        yield port


@contextlib.contextmanager
def with_uvicorn(options: Mapping[str, str]) -> Iterator[int]:
    """Run uvicorn's own `Server.run` in a thread; yield its port."""
    config = uvicorn.Config(app, log_config=None, interface="asgi3", **options)  # type: ignore[arg-type]
    config.load()
    config.http_protocol_class = _without_access_log(config.http_protocol_class)
    server = uvicorn.Server(config)
    with listening_socket() as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.001)
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def _without_access_log(protocol_class: Any) -> Any:
    class Protocol(protocol_class):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.access_log = False

    return Protocol


CONTENDERS: Mapping[str, Callable[[Mapping[str, str]], AbstractContextManager[int]]] = {
    OURS: with_liveserver,
    BARE: without_witness,
    THREAD: with_uvicorn,
    PROCESS: uvicorn_process,
}


def ways() -> list[tuple[str, str]]:
    """Return each kind of loop with each HTTP parser that is installed."""
    parsers = ["h11", "httptools"] if importlib.util.find_spec("httptools") else ["h11"]
    return list(itertools.product(loops(), parsers))


def measure(rounds: int, seconds: float) -> dict[tuple[str, str], Rates]:
    """Measure all contenders in each way."""
    with Hammer() as hammer:
        return {way: _alternate(hammer, way, rounds, seconds) for way in ways()}


def _alternate(hammer: Hammer, way: tuple[str, str], rounds: int, seconds: float) -> Rates:
    options = dict(zip(("loop", "http"), way, strict=True))
    names = list(CONTENDERS)
    rates: dict[str, list[float]] = {name: [] for name in names}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(CONTENDERS[name](options)) for name in names}
        for number in range(rounds):
            for name in names if number % 2 else names[::-1]:
                rates[name].append(hammer.rate(ports[name], seconds))
    return rates


def ratio(rates: Rates, other: str) -> float:
    """Return the median of liveserver's rates by those of another in the same round."""
    return statistics.median(a / b for a, b in zip(rates[OURS], rates[other], strict=True))


def answer(found: Mapping[tuple[str, str], Rates]) -> Answer:
    """Answer the question for requests per second."""
    rows, figures = [], {}
    for (loop, parser), rates in found.items():
        medians = {name: statistics.median(values) for name, values in rates.items()}
        ratios = {name: ratio(rates, name) for name in rates if name != OURS}
        cells = [f"{value:.0f}" for value in medians.values()]
        rows.append([f"{loop}, {parser}", *cells, *(f"{each:.3f}" for each in ratios.values())])
        figures[f"{loop}, {parser}"] = {"per_second": medians, "ratio": ratios}
    names = list(next(iter(found.values())))
    header = ["requests per second", *names, *(f"by {name}" for name in names if name != OURS)]
    notes = ["Medians; the ratios are medians of those of each round."]
    return Answer("How many requests per second?", header, rows, notes, figures)


def witness_answer(found: Mapping[tuple[str, str], Rates]) -> Answer:
    """Answer what the witness costs, from the same figures: it is all that is in between."""
    rows, figures = [], {}
    for (loop, parser), rates in found.items():
        ours, alone = statistics.median(rates[OURS]), statistics.median(rates[BARE])
        share = ratio(rates, BARE)
        # By the ratio, which is steadier than the difference of the medians.
        extra = 1e6 / alone * (1 / share - 1)
        rows.append([f"{loop}, {parser}", f"{1e6 / alone:.1f}", f"{extra:.1f}", f"{share:.3f}"])
        figures[f"{loop}, {parser}"] = {
            "without_us": 1e6 / alone,
            "with_us": 1e6 / ours,
            "ratio": share,
        }
    return Answer(
        "What does it cost that each request is written down?",
        ("one request", "without us", "more us", "requests per second, ratio"),
        rows,
        [
            "Against the same server without it, in the same process. The witness also keeps",
            "uvicorn from writing lines of an access log that nobody reads.",
        ],
        figures,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.throughput")
    parser.add_argument("--rounds", type=int, default=200, help="alternating rounds (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of each turn (%(default)s)")
    options = parser.parse_args()
    print(f"{machine()}\n{versions()}\n")
    found = measure(options.rounds, options.seconds)
    print(answer(found), witness_answer(found), sep="\n\n")


if __name__ == "__main__":
    main()
