"""`LIVESERVER_TIMEOUTS=off`: no wait of ours ends before what it waits for."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import unittest
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from liveserver import (
    BusyTimeout,
    ConfigurationError,
    LiveServer,
    LiveServerTestCase,
    ShutdownTimeout,
    StartupTimeout,
)
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, each_base, get, run_class
from tests.server.test_process import HANGING_AT_EXIT, LIFESPAN_APP, WAKEABLE, ProcessTestCase

BOUND = 0.05
OUTLASTING = 0.4  # seconds: more than all bounds of a test together


def set_to(value: str) -> Any:
    """Set the variable, in a `with` statement."""
    return mock.patch.dict(os.environ, LIVESERVER_TIMEOUTS=value)


class Gate:
    """Something to stand at, in a thread or on a loop, until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def block(self) -> None:
        self.reached.set()
        self.opened.wait(10)

    async def hold(self, *_: object) -> None:
        self.reached.set()
        while not self.opened.is_set():  # noqa: ASYNC110  # a threading.Event, for every loop
            await asyncio.sleep(0.01)

    async def hold_and_answer(self, _app: apps.Faulty, _receive: Any, send: Any) -> None:
        await self.hold()
        await apps.answer(send, b"at last")

    async def answer_and_hold(self, _app: apps.Faulty, _receive: Any, send: Any) -> None:
        await apps.answer(send, b"at once")
        await self.hold()

    async def block_the_loop(self, _app: apps.Faulty, _receive: Any, send: Any) -> None:
        self.block()
        await apps.answer(send, b"at last")

    async def leave_a_worker(self, _app: apps.Faulty, _receive: Any, send: Any) -> None:
        asyncio.get_running_loop().run_in_executor(None, self.block)
        await apps.answer(send, b"at once")


def server_of(app: object) -> LiveServer:
    return LiveServer(app, startup_timeout=BOUND, shutdown_timeout=BOUND)


class TimeoutsOffTests(StrictTestCase):
    """Each wait outlasts its bound, and then does what it would have done in time."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("GRACE", "RESPONSE_END"):
            self.enterContext(mock.patch(f"liveserver._options.bounds.{name}", BOUND))

    @contextlib.contextmanager
    def asked(self, server: LiveServer, gate: Gate) -> Iterator[Client]:
        """Have a request of the server stand at the gate."""
        with Client(server.base_url) as client:
            client.send("/held")
            self.assertTrue(gate.reached.wait(5))
            yield client

    def outlasts(self, wait: Callable[[], Any], gate: Gate) -> Any:
        """Check that a wait does not end before the gate is opened; return what it returns."""
        outcome: list[Any] = []
        thread = threading.Thread(target=lambda: outcome.append(wait()))
        thread.start()
        try:
            thread.join(OUTLASTING)
            self.assertTrue(thread.is_alive(), "it did not wait")
        finally:
            gate.opened.set()
            thread.join(5)
        self.assertEqual(len(outcome), 1, "it raised, or did not end")
        return outcome[0]

    def test_a_start(self) -> None:
        for value in ("", "off"):
            gate = Gate()
            with self.subTest(value=value), set_to(value):
                server = server_of(apps.Faulty(startup=gate.hold))
                if not value:
                    with self.assertRaises(StartupTimeout):
                        server.start()
                    continue
                self.outlasts(server.start, gate)
                self.assertEqual(get(server.base_url).body, b"fine")
                server.stop()

    def stop_with_a_request(self, gate: Gate, handler: Any, value: str) -> bytes:
        with set_to(value):
            server = server_of(apps.Faulty(handler=handler))
        server.start()
        with self.asked(server, gate) as client:
            if value:
                self.outlasts(server.stop, gate)
                return client.receive().body
            server.stop()
        return b""

    def test_a_stop_that_waits_for_a_request(self) -> None:
        gate = Gate()
        with self.assertWarnsRegex(ResourceWarning, "GET /held"):
            self.stop_with_a_request(gate, gate.hold_and_answer, "")
        gate = Gate()
        body = self.stop_with_a_request(gate, gate.hold_and_answer, "off")
        self.assertEqual(body, b"at last")

    def test_a_stop_while_the_loop_is_blocked(self) -> None:
        gate = Gate()
        self.addCleanup(gate.opened.set)
        with self.assertRaisesRegex(ShutdownTimeout, "Its loop is blocked"):
            self.stop_with_a_request(gate, gate.block_the_loop, "")
        gate.opened.set()
        gate = Gate()
        body = self.stop_with_a_request(gate, gate.block_the_loop, "off")
        self.assertEqual(body, b"at last")

    def test_a_stop_that_waits_for_the_lifespan(self) -> None:
        for value in ("", "off"):
            gate = Gate()
            with self.subTest(value=value), set_to(value):
                server = server_of(apps.Faulty(shutdown=gate.hold))
                server.start()
                if value:
                    self.outlasts(server.stop, gate)
                else:
                    with self.assertRaises(ShutdownTimeout):
                        server.stop()

    def test_a_stop_that_waits_for_a_worker_thread(self) -> None:
        for value in ("", "off"):
            gate = Gate()
            with self.subTest(value=value), set_to(value):
                server = server_of(apps.Faulty(handler=gate.leave_a_worker))
                server.start()
                get(server.base_url, "/held")
                self.assertTrue(gate.reached.wait(5))
                if value:
                    self.outlasts(server.stop, gate)
                else:
                    with self.assertWarnsRegex(ResourceWarning, "worker thread"):
                        server.stop()
                    gate.opened.set()

    def test_an_event_stream_does_not_hold_up_a_stop(self) -> None:
        with set_to("off"):
            server = server_of(apps.DeafStream())
        server.start()
        with Client(server.base_url) as client, client.open("/"):
            server.stop()

    def test_wait_idle(self) -> None:
        for value in ("", "off"):
            gate = Gate()
            with (
                self.subTest(value=value),
                set_to(value),
                server_of(apps.Faulty(handler=gate.hold_and_answer)) as server,
                self.asked(server, gate) as client,
            ):
                if value:
                    self.outlasts(lambda each=server: each.wait_idle(BOUND), gate)
                else:
                    with self.assertRaises(BusyTimeout):
                        server.wait_idle(BOUND)
                    gate.opened.set()
                client.receive()

    def test_drop_connections(self) -> None:
        for value in ("", "off"):
            gate = Gate()
            with (
                self.subTest(value=value),
                set_to(value),
                server_of(apps.Faulty(handler=gate.block_the_loop)) as server,
                self.asked(server, gate),
            ):
                if value:
                    self.outlasts(server.drop_connections, gate)
                else:
                    with self.assertRaises(BusyTimeout):
                        server.drop_connections()
                    gate.opened.set()

    def test_call_and_acall(self) -> None:
        def call(server: LiveServer, gate: Gate) -> None:
            server.call(gate.hold, timeout=BOUND)

        def acall(server: LiveServer, gate: Gate) -> None:
            asyncio.run(server.acall(gate.hold, timeout=BOUND))

        for function in (call, acall):
            for value in ("", "off"):
                gate = Gate()
                with (
                    self.subTest(function=function.__name__, value=value),
                    set_to(value),
                    server_of(apps.hello) as server,
                ):
                    if value:
                        self.outlasts(lambda s=server, f=function, g=gate: f(s, g) or 1, gate)
                    else:
                        with self.assertRaises(BusyTimeout):
                            function(server, gate)

    def ran(self, gate: Gate, base: Any, body: Any, handler: Any) -> Any:
        test_class = type(
            "Tests",
            (base,),
            {
                "app": apps.Faulty(handler=handler),
                "http_timeout": BOUND,
                "server_options": {"startup_timeout": 5, "shutdown_timeout": BOUND},
                "test_it": body,
            },
        )
        return lambda: run_class(test_class)

    @each_base
    def test_the_session_of_a_test(self, base: Any) -> None:
        async def ask(case: Any) -> None:
            async with case.http.get("/held") as response:
                case.assertEqual(await response.read(), b"at last")

        def ask_and_wait(case: Any) -> None:
            case.assertEqual(case.http.get("/held").content, b"at last")

        body = ask_and_wait if base is LiveServerTestCase else ask
        gate = Gate()
        with warnings.catch_warnings():  # that the request was cut
            warnings.simplefilter("ignore", ResourceWarning)
            outcome = self.ran(gate, base, body, gate.hold_and_answer)()
        self.assertRegex(str(outcome), "(?i)timeout")
        gate = Gate()
        with set_to("off"):
            outcome = self.outlasts(self.ran(gate, base, body, gate.hold_and_answer), gate)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    @each_base
    def test_what_goes_on_after_a_response_and_raises(self, base: Any) -> None:
        async def hold_and_raise(app: Any, receive: Any, send: Any) -> None:
            await gate.answer_and_hold(app, receive, send)
            raise apps.Trouble("later")

        async def ask_async(case: Any) -> None:
            get(case.base_url, "/held")

        def ask(case: Any) -> None:
            get(case.base_url, "/held")

        body = ask if base is LiveServerTestCase else ask_async
        gate = Gate()
        with set_to("off"):
            outcome = self.outlasts(self.ran(gate, base, body, hold_and_raise), gate)
        self.assertRegex(str(outcome), "AppError: GET /held .*Trouble: later")

    def test_what_uvicorn_waits_for(self) -> None:
        def config(**given: Any) -> Any:
            return LiveServer(apps.hello, uvicorn_config=given)._control._configuration.config

        with set_to("off"):
            off, chosen = config(), config(ws_ping_interval=7.0, timeout_keep_alive=3)
        self.assertIsNone(off.ws_ping_interval)
        self.assertEqual(off.timeout_keep_alive, threading.TIMEOUT_MAX)
        self.assertEqual((chosen.ws_ping_interval, chosen.timeout_keep_alive), (7.0, 3))
        self.assertEqual((config().ws_ping_interval, config().timeout_keep_alive), (20.0, 5))


class ValueTests(StrictTestCase):
    """A value that means nothing is refused, in words that say what does."""

    def test_by_a_server(self) -> None:
        for name, on in (("LIVESERVER_TIMEOUTS", "off"), ("LIVESERVER_PAUSE", "1")):
            for value in ("", on):
                with (
                    self.subTest(name=name, value=value),
                    mock.patch.dict(os.environ, {name: value}),
                ):
                    LiveServer(apps.hello)
            with (
                self.subTest(name=name),
                mock.patch.dict(os.environ, {name: "yes"}),
                self.assertRaises(ConfigurationError) as caught,
            ):
                LiveServer(apps.hello)
            self.assertEqual(
                str(caught.exception),
                f"The environment variable {name} is 'yes'. Set it to '{on}', or unset it.",
            )

    def test_by_a_test_class(self) -> None:
        for scope in ("class", "test", "session"):

            class Tests(LiveServerTestCase):
                app = staticmethod(apps.hello)
                server_scope = scope

                def test_is_never_run(self) -> None:
                    raise AssertionError("it ran")

            with self.subTest(scope=scope), set_to("none"):
                outcome = run_class(Tests)
                self.assertEqual([type(each) for each in outcome.raised], [ConfigurationError])
                self.assertRegex(
                    str(outcome.raised[0]),
                    "^The environment variable LIVESERVER_TIMEOUTS is 'none'",
                )


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class ProcessEndTests(ProcessTestCase):
    """The end of the process is not held up."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(set_to("off"))

    def test_by_a_request_that_hangs(self) -> None:
        self.assertEqual(self.run_script(HANGING_AT_EXIT), (0, "hanging\nshutdown\n", ""))

    def test_by_a_stop_that_hangs_when_ctrl_c_interrupts_it(self) -> None:
        code = f"""{WAKEABLE}{LIFESPAN_APP}
import socket
server = LiveServer(app)
server.start()
client = socket.create_connection((server.host, server.port))
client.sendall(b"GET /hang HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
while not server._control.run.loop_thread.middleware.running:
    get(server.base_url)
server.stop()
"""
        process = self.start(code)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "hanging\n")
        process.send_signal(signal.SIGINT)
        for _ in range(20):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
                break
            process.send_signal(signal.SIGWINCH)
        self.assertIsNotNone(process.returncode, "Ctrl-C did not end it")
        self.assertNotEqual(process.returncode, 0)
