"""What the tests share: a strict TestCase, a runner for inner test classes, a small client."""

import asyncio
import contextlib
import faulthandler
import functools
import gc
import http.client
import os
import random
import signal
import socket
import sys
import threading
import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerTestCase

BASES: tuple[Any, ...] = (LiveServerTestCase, IsolatedAsyncioLiveServerTestCase)
SCOPES = ("class", "test")
SECONDS_PER_TEST = 20

# A shell that starts the tests in its background has them ignore Ctrl-C, and what they start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Of tests that look at what a server keeps when nobody uses it.
without_plugin = unittest.skipIf(
    "liveserver.pytest_plugin" in sys.modules, "pytest's plugin follows the servers of this test"
)


class StrictTestCase(unittest.TestCase):
    """A test that fails by a warning, a leftover thread or socket, or an exception nobody saw.

    Whoever lasts longer than 20 seconds ends the whole run with the stacks of all threads.
    """

    seconds = SECONDS_PER_TEST

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        faulthandler.dump_traceback_later(self.seconds, exit=True)
        try:
            return super().run(result)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def setUp(self) -> None:
        super().setUp()
        # What is there by now need not be looked at by each collection; it took half of the time.
        gc.freeze()
        unseen: list[str] = []
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("error")
        self._hook(sys, "unraisablehook", lambda u: unseen.append(f"{u.err_msg} {u.exc_value!r}"))
        self._hook(threading, "excepthook", lambda a: unseen.append(repr(a.exc_value)))
        threads, sockets = set(threading.enumerate()), open_sockets()

        def nothing_is_left() -> None:
            gc.collect()
            join_new_threads(threads)
            self.assertEqual(set(threading.enumerate()) - threads, set(), "threads were left")
            self.assertEqual(open_sockets() - sockets, set(), "sockets were left")
            self.assertEqual(unseen, [], "exceptions that nobody saw")

        self.addCleanup(nothing_is_left)

    def _hook(self, module: Any, name: str, hook: Callable[[Any], None]) -> None:
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, hook)


def join_new_threads(known: set[threading.Thread]) -> None:
    """Give threads that are about to end the time to do so; a bound, not a sleep."""
    for thread in set(threading.enumerate()) - known:
        thread.join(1)


def open_sockets() -> set[str]:
    """The sockets this process holds, by inode; empty where the system does not tell."""
    found = set()
    if os.path.isdir("/proc/self/fd"):
        for fd in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{fd}")
            except FileNotFoundError:  # the listing's own descriptor
                continue
            if target.startswith("socket:"):
                found.add(target)
    return found


class Outcome(unittest.TestResult):
    """A result that keeps the exceptions themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[BaseException] = []

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self.raised.append(err[1])

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self.raised.append(err[1])

    def __str__(self) -> str:
        return "\n".join(text for _, text in self.errors + self.failures) or "all passed"


def run_class(*classes: type[unittest.TestCase]) -> Outcome:
    """Run test classes as unittest does, with their class fixtures."""
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
    outcome = Outcome()
    suite.run(outcome)
    return outcome


def each_base(test: Callable[[Any, Any], None]) -> Callable[[Any], None]:
    """Run a test once with each of the two base classes."""

    @functools.wraps(test)
    def both(self: unittest.TestCase) -> None:
        for base in BASES:
            with self.subTest(base=base.__name__):
                test(self, base)

    del both.__wrapped__  # type: ignore[attr-defined]  # pytest would see a fixture named base
    return both


def each_base_and_scope(test: Callable[[Any, Any, str], None]) -> Callable[[Any], None]:
    """Run a test once with each base class in each scope."""

    @functools.wraps(test)
    def all_four(self: unittest.TestCase) -> None:
        for base in BASES:
            for scope in SCOPES:
                with self.subTest(base=base.__name__, scope=scope):
                    test(self, base, scope)

    del all_four.__wrapped__  # type: ignore[attr-defined]  # see each_base
    return all_four


class Answer(NamedTuple):
    """A response, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """One connection to one server."""

    def __init__(self, base_url: str, timeout: float = 10) -> None:
        parts = urlsplit(base_url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def get(self, path: str = "/", method: str = "GET", body: bytes | None = None) -> Answer:
        self._connection.request(method, path, body)
        return self.receive()

    def send(self, path: str = "/") -> None:
        """Send a request and do not wait for the answer."""
        self._connection.request("GET", path)

    def receive(self) -> Answer:
        """Read the answer to what `send` sent."""
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    @property
    def local_port(self) -> int:
        """The port of this end; another one after a reconnect."""
        return int(self._connection.sock.getsockname()[1])

    def open(self, path: str) -> http.client.HTTPResponse:
        """Return a response as soon as its headers are there."""
        self._connection.request("GET", path)
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def get(base_url: str, path: str = "/") -> Answer:
    """Make one request on a connection of its own."""
    with Client(base_url) as client:
        return client.get(path)


def loops() -> Iterator[str]:
    """The event loops that are installed, by uvicorn's names."""
    yield "asyncio"
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return
    yield "uvloop"


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """Make a loop of a kind."""
    if name == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def with_loop(name: str) -> dict[str, Any]:
    """Server options for a loop."""
    return {"uvicorn_config": {"loop": name}}


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Await a blocking call of a test, and leave no thread of the test's loop behind."""
    with ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *args)


def unused_port() -> int:
    """Return a port that is free, and below those that a system gives to other tests' servers."""
    for port in random.sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.005)


def is_wrong(what: str, run: Callable[[], list[str]]) -> bool:
    """Run a suite and print what was wrong in it; return whether something was."""
    started = time.perf_counter()
    wrong = run()
    took = time.perf_counter() - started
    verdict = "all as it should be" if not wrong else f"{len(wrong)} things are wrong"
    print(f"{what}: {verdict}, in {took:.1f} s", flush=True)
    for each in wrong[:10]:
        print(f"  {each}")
    return bool(wrong)
