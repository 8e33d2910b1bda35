"""Random sequences of what users do with a server, against a model of its states."""

import asyncio
import contextlib
import importlib.util
import os
import threading
import unittest
import warnings
from typing import Any
from unittest import mock

from liveserver import LiveServer, NotRunningError, StartupError
from tests.helpers import apps
from tests.helpers.faults import websocket
from tests.helpers.support import (
    SECONDS_PER_TEST,
    Client,
    StrictTestCase,
    join_new_threads,
    loops,
    open_sockets,
)

WEBSOCKETS = any(map(importlib.util.find_spec, ("websockets", "wsproto")))

# The suite tries a few hundred steps; set it to 2000 for a search that takes minutes.
SEQUENCES = int(os.environ.get("LIVESERVER_SEQUENCES", "25"))


class Everything:
    """An app with a path for each kind of request."""

    def __init__(self) -> None:
        self.starts = 0
        self.stops = 0
        self.begun = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.starts += 1
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.stops += 1
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["path"] == "/raise":
            raise apps.Trouble("out of order")
        elif scope["path"] == "/stream":
            await apps.Stream()(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await apps.long_poll(self, receive, send)  # type: ignore[arg-type]
        elif scope["path"] == "/hang":
            self.begun.set()
            await apps.long_poll(self, receive, send)  # type: ignore[arg-type]
        else:
            await apps.answer(send, b"fine")


@unittest.skipUnless(importlib.util.find_spec("hypothesis"), "hypothesis is not installed")
class StatesTests(StrictTestCase):
    """No sequence hangs, leaks or ends in a wrong state."""

    seconds = max(SECONDS_PER_TEST, SEQUENCES)

    def test_random_sequences(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # plugins of other packages warn while it is imported
            from hypothesis import HealthCheck, settings
            from hypothesis.stateful import run_state_machine_as_test

        for loop in loops():
            with self.subTest(loop=loop):
                machine = make_machine(loop)
                run_state_machine_as_test(  # type: ignore[no-untyped-call]
                    machine,
                    settings=settings(
                        max_examples=SEQUENCES,
                        stateful_step_count=20,
                        deadline=None,
                        database=None,
                        suppress_health_check=list(HealthCheck),
                    ),
                )


def make_machine(loop: str) -> Any:
    """Make the state machine for a loop; hypothesis is imported only here."""
    from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
    from hypothesis.strategies import booleans

    awaited = booleans()  # whether the awaitable form is used
    running = precondition(lambda self: self.running)
    stopped = precondition(lambda self: not self.running)

    class ServerMachine(RuleBasedStateMachine):
        """The model: whether it runs, how often it started, which clients are open."""

        def __init__(self) -> None:
            super().__init__()
            self.threads, self.sockets = set(threading.enumerate()), open_sockets()
            self.app = Everything()
            self.server = LiveServer(self.app, shutdown_timeout=0.05, uvicorn_config={"loop": loop})
            self.running = False
            self.starts = 0
            self.url = ""
            self.clients: list[Any] = []
            self.patches = contextlib.ExitStack()
            self.patches.enter_context(mock.patch("liveserver._options.bounds.GRACE", 0.2))

        def do(self, method: str, awaited: bool) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                if awaited:
                    asyncio.run(getattr(self.server, f"a{method}")())
                else:
                    getattr(self.server, method)()

        def client(self) -> Client:
            client = Client(self.url)
            self.clients.append(client)
            return client

        @stopped
        @rule(awaited=awaited)
        def start(self, awaited: bool) -> None:
            self.do("start", awaited)
            self.running = True
            self.starts += 1
            assert self.url in ("", self.server.base_url), "the port has changed"
            self.url = self.server.base_url

        @rule(awaited=awaited)
        def stop(self, awaited: bool) -> None:
            self.do("stop", awaited)
            self.running = False

        @running
        @rule(awaited=awaited)
        def restart(self, awaited: bool) -> None:
            self.do("restart", awaited)
            self.starts += 1

        @running
        @rule(awaited=awaited)
        def start_again(self, awaited: bool) -> None:
            with contextlib.suppress(StartupError):
                self.do("start", awaited)
                raise AssertionError("a running server started")

        @running
        @rule()
        def ask(self) -> None:
            with Client(self.url) as client:
                assert client.get("/fine").body == b"fine"

        @running
        @rule()
        def ask_and_keep(self) -> None:
            assert self.client().get("/fine").body == b"fine"

        @running
        @rule()
        def raise_in_the_app(self) -> None:
            with Client(self.url) as client:
                assert client.get("/raise").status == 500

        @running
        @rule()
        def open_a_stream(self) -> None:
            assert self.client().open("/stream").readline() == b"data: 1\n"

        @running
        @precondition(lambda _: WEBSOCKETS)
        @rule()
        def open_a_websocket(self) -> None:
            self.clients.append(websocket(self.url))

        @running
        @rule()
        def hang(self) -> None:
            self.app.begun.clear()
            self.client().send("/hang")
            assert self.app.begun.wait(5)

        @running
        @rule(awaited=awaited)
        def drop(self, awaited: bool) -> None:
            self.do("drop_connections", awaited)
            self.server.wait_idle(5)
            self.close_clients()

        @rule()
        def close_clients(self) -> None:
            for client in self.clients:
                client.close()
            self.clients.clear()

        @stopped
        @rule()
        def ask_a_stopped_server(self) -> None:
            if self.url:
                with contextlib.suppress(ConnectionRefusedError), Client(self.url) as client:
                    client.get()
                    raise AssertionError("a stopped server answered")
            with contextlib.suppress(NotRunningError):
                self.server.wait_idle(0.1)
                raise AssertionError("a stopped server was idle")

        @invariant()
        def states_agree(self) -> None:
            assert self.server.running == self.running
            assert self.app.starts == self.starts
            assert self.app.stops == self.starts - self.running
            # Beside those of the session, which other tests may have started.
            names = [thread.name for thread in set(threading.enumerate()) - self.threads]
            assert sum(name.startswith("liveserver-") for name in names) == self.running, names

        def teardown(self) -> None:
            self.close_clients()
            self.do("stop", awaited=False)
            self.patches.close()
            join_new_threads(self.threads)
            assert set(threading.enumerate()) <= self.threads
            assert open_sockets() <= self.sockets

    return ServerMachine
