"""What happens at the same moment, or while something else is not to be had."""

import asyncio
import contextlib
import errno
import gc
import importlib.util
import logging
import signal
import socket
import threading
import time
import unittest
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest import mock

from uvicorn.logging import TRACE_LOG_LEVEL

from liveserver import (
    BusyTimeout,
    ConfigurationError,
    LiveServer,
    ShutdownTimeout,
    StartupError,
    StartupTimeout,
)
from liveserver._options.server_options import make_options
from liveserver._requests.log import RequestLog
from liveserver._server import process_hooks
from liveserver._server.control import ServerControl
from liveserver._server.lifecycle import ServerRun
from liveserver._sync.latches import Latch, Outcome
from liveserver._sync.threads import DaemonThread
from liveserver._uvicorn.server import UvicornServer
from tests.helpers import apps
from tests.helpers.faults import websocket
from tests.helpers.observed import needs_websockets
from tests.helpers.support import (
    Client,
    StrictTestCase,
    get,
    loops,
    until,
    with_loop,
    without_plugin,
)
from tests.server.test_process import ProcessTestCase
from tests.server.test_robustness import ends, thread_of

HAS_TRUSTME = importlib.util.find_spec("trustme") is not None


class StartTests(StrictTestCase):
    """A start that fails leaves nothing, whatever it fails by."""

    @unittest.skipUnless(hasattr(signal, "pthread_kill"), "no such signals on this system")
    def test_ctrl_c_while_it_waits_for_the_app(self) -> None:
        async def interrupt(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            ident = threading.main_thread().ident
            assert ident is not None
            signal.pthread_kill(ident, signal.SIGINT)
            await asyncio.Event().wait()

        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, usual)
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(startup=interrupt)
                server = LiveServer(app, **with_loop(loop))
                with self.assertRaises(KeyboardInterrupt):
                    server.start()
                self.assertFalse(server.running)
                app.startup = None
                with server:  # on the same port
                    self.assertEqual(get(server.base_url).body, b"fine")

    def test_no_thread_is_to_be_had(self) -> None:
        server = LiveServer(apps.hello)
        reason = RuntimeError("can't start new thread")
        with (
            mock.patch("threading.Thread.start", side_effect=reason),
            self.assertRaisesRegex(StartupError, "no thread for the server: can't start") as caught,
        ):
            server.start()
        self.assertIs(caught.exception.__cause__, reason)
        server.stop()  # there is nothing to stop
        with server:
            self.assertEqual(get(server.base_url).body, b"hello")

    def test_ctrl_c_while_the_thread_starts(self) -> None:
        start = threading.Thread.start

        def not_begun(thread: threading.Thread) -> None:
            raise KeyboardInterrupt

        def begun(thread: threading.Thread) -> None:
            start(thread)
            raise KeyboardInterrupt

        for moment in (not_begun, begun):
            for loop in loops():
                with self.subTest(moment=moment.__name__, loop=loop):
                    known = set(process_hooks._runs)
                    server = LiveServer(apps.hello, **with_loop(loop))
                    with (
                        mock.patch("threading.Thread.start", moment),
                        self.assertRaises(KeyboardInterrupt),
                    ):
                        server.start()
                    self.assertEqual(process_hooks._runs - known, set())
                    with server:  # its port is free again
                        self.assertEqual(get(server.base_url).body, b"hello")

    def test_ctrl_c_while_nobody_knows_yet_that_the_thread_is_alive(self) -> None:
        start = threading.Thread.start

        def begun(thread: threading.Thread) -> None:
            start(thread)
            raise KeyboardInterrupt

        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, **with_loop(loop))
                with (
                    mock.patch("threading.Thread.start", begun),
                    mock.patch("threading.Thread.is_alive", return_value=False),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    server.start()
                with server:  # its port is free again
                    self.assertEqual(get(server.base_url).body, b"hello")

    def test_ctrl_c_just_before_the_thread_starts(self) -> None:
        register = process_hooks.register

        def interrupted(run: Any) -> None:
            register(run)
            raise KeyboardInterrupt

        for name, moment in (
            ("liveserver._server.lifecycle.process_hooks.register", interrupted),
            (
                "liveserver._server.lifecycle.ServerRun.start",
                mock.Mock(side_effect=KeyboardInterrupt),
            ),
        ):
            for loop in loops():
                with self.subTest(moment=name, loop=loop):
                    known = set(process_hooks._runs)
                    server = LiveServer(apps.hello, **with_loop(loop))
                    with mock.patch(name, moment), self.assertRaises(KeyboardInterrupt):
                        server.start()
                    self.assertEqual(process_hooks._runs - known, set())
                    with server:  # its port is free again
                        self.assertEqual(get(server.base_url).body, b"hello")

    def test_an_app_that_is_ready_just_after_ctrl_c_is_shut_down(self) -> None:
        begun, interrupted, down = (threading.Event() for _ in range(3))

        async def startup(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            begun.set()
            await asyncio.to_thread(interrupted.wait, 10)

        async def shutdown(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            down.set()

        def interrupt(_seconds: float) -> bool:
            self.assertTrue(begun.wait(5))
            raise KeyboardInterrupt

        kill = ServerRun._kill

        def kill_late(run: ServerRun) -> str:
            interrupted.set()
            self.assertTrue(down.wait(5), "it was not shut down")
            return kill(run)

        for loop in loops():
            with self.subTest(loop=loop):
                for event in (begun, interrupted, down):
                    event.clear()
                server = LiveServer(apps.Faulty(startup, shutdown), **with_loop(loop))
                with (
                    mock.patch.object(ServerRun, "_kill", kill_late),
                    mock.patch.object(Outcome, "wait", side_effect=interrupt),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    server.start()
                self.assertFalse(server.running)

    def test_ctrl_c_before_the_thread_has_begun_builds_no_app(self) -> None:
        built: list[None] = []

        def build() -> Any:
            built.append(None)
            return apps.hello

        held, begin = threading.Event(), DaemonThread.run

        def hold(thread: DaemonThread) -> None:
            self.assertTrue(held.wait(5))
            begin(thread)

        for loop in loops():
            with self.subTest(loop=loop):
                held.clear()
                server = LiveServer(build, factory=True, **with_loop(loop))
                known = set(threading.enumerate())
                with (
                    mock.patch.object(DaemonThread, "run", hold),
                    mock.patch.object(Outcome, "wait", side_effect=KeyboardInterrupt),
                    mock.patch.object(ServerRun, "_kill", side_effect=held.set),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    server.start()
                until(lambda: not set(threading.enumerate()) - known)  # noqa: B023
                self.assertEqual(built, [])
                with server:
                    self.assertEqual(get(server.base_url).body, b"hello")
                built.clear()

    def test_the_process_may_end_before_the_thread_has_begun(self) -> None:
        held, begin = threading.Event(), DaemonThread._bootstrap_inner  # type: ignore[attr-defined]

        def hold(thread: DaemonThread) -> None:
            self.assertTrue(held.wait(10))
            begin(thread)

        server = LiveServer(apps.hello)
        starting = threading.Thread(target=server.start)
        with mock.patch.object(DaemonThread, "_bootstrap_inner", hold):
            starting.start()
            until(lambda: server._control.run is not None)
            run = server._control.run
            assert run is not None
            self.assertFalse(run._wait_ended(0.01))  # join() would raise
            held.set()
            starting.join(10)
        self.assertEqual(get(server.base_url).body, b"hello")
        server.stop()

    def test_a_factory_that_is_interrupted(self) -> None:
        def build() -> Any:
            raise KeyboardInterrupt

        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(build, factory=True, **with_loop(loop))
                with self.assertNoLogs("asyncio"):
                    with self.assertRaisesRegex(StartupError, "did not start: KeyboardInterrupt"):
                        server.start()
                    gc.collect()

    def test_a_factory_of_something_else(self) -> None:
        server = LiveServer(lambda: None, factory=True)
        with self.assertRaisesRegex(ConfigurationError, "returned None, which is not an app"):
            server.start()

    def test_the_loop_refuses_the_socket(self) -> None:
        app = apps.Recorder()
        server = LiveServer(app, uvicorn_config={"loop": "tests.server.test_races:FullLoop"})
        with self.assertRaises(StartupError) as caught:
            server.start()
        self.assertIsInstance(caught.exception.__cause__, OSError)
        self.assertEqual(app.events, ["startup", "shutdown"])

    def test_an_app_that_is_ready_just_too_late_is_shut_down(self) -> None:
        for loop in loops():
            for tls in (False, True) if HAS_TRUSTME else (False,):
                with self.subTest(loop=loop, tls=tls):
                    self.be_just_too_late(loop, tls)

    def be_just_too_late(self, loop: str, tls: bool) -> None:
        given_up, down = threading.Event(), threading.Event()
        clients: list[socket.socket] = []

        async def startup(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            while not given_up.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        async def shutdown(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            # Somebody has already found the server; with TLS he says nothing.
            clients.append(socket.create_connection(("127.0.0.1", server.port), 5))
            assert server._control.run is not None
            uvicorn = server._control.run.loop_thread.server
            handshakes = uvicorn._handshakes
            connections = (
                uvicorn.server_state.connections if handshakes is None else handshakes._made
            )
            while not connections:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            down.set()

        kill = ServerRun._kill

        def kill_late(run: ServerRun) -> str:
            given_up.set()
            self.assertTrue(down.wait(5), "it was not shut down")
            return kill(run)

        server = LiveServer(
            apps.Faulty(startup, shutdown), tls=tls, startup_timeout=0.05, **with_loop(loop)
        )
        with (
            mock.patch.object(ServerRun, "_kill", kill_late),
            # In debug mode it tells of a handshake that was cut.
            mock.patch.object(logging.getLogger("asyncio"), "disabled", tls),
            self.assertRaises(StartupTimeout) as caught,
        ):
            server.start()
        self.assertNotIn("left behind", str(caught.exception))
        self.assertFalse(server.running)
        with clients[0], contextlib.suppress(ConnectionResetError):
            self.assertEqual(clients[0].recv(1), b"", "it is still open")

    def test_an_app_that_is_ready_at_the_last_moment_is_served(self) -> None:
        wait = Outcome.wait

        def wait_too_short(ready: Outcome[Any], seconds: float) -> bool:
            """See it ready only after the look at the clock."""
            wait(ready, seconds)
            return False

        for loop in loops():
            with (
                self.subTest(loop=loop),
                mock.patch.object(Outcome, "wait", wait_too_short),
                LiveServer(apps.hello, **with_loop(loop)) as server,
            ):
                self.assertEqual(get(server.base_url).body, b"hello")

    def test_what_is_left_behind_is_cancelled_when_it_gets_free(self) -> None:
        cancelled: list[str] = []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("work")

        async def startup(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            app.task = asyncio.create_task(work())  # type: ignore[attr-defined]
            await asyncio.sleep(0)  # it begins
            app.blocked.wait()
            asyncio.get_running_loop().call_soon(int, "guest")

        for loop in loops():
            # Nor does it complain any more.
            with self.subTest(loop=loop), self.assertNoLogs("asyncio", "ERROR"):
                cancelled.clear()
                app = apps.Faulty(startup=startup)
                self.addCleanup(app.blocked.released.set)
                server = LiveServer(app, startup_timeout=0.05, **with_loop(loop))
                known = set(threading.enumerate())
                with (
                    mock.patch("liveserver._options.bounds.GRACE", 0.1),
                    self.assertRaisesRegex(StartupTimeout, "left behind"),
                ):
                    server.start()
                (thread,) = set(threading.enumerate()) - known
                app.blocked.released.set()
                self.assertTrue(ends(thread))
                self.assertEqual(cancelled, ["work"])

    @without_plugin
    def test_a_loop_that_is_made_too_late(self) -> None:
        server = LiveServer(
            apps.hello,
            startup_timeout=0.05,
            uvicorn_config={"loop": "tests.server.test_races:LateLoop"},
        )
        LateLoop.released.clear()
        self.addCleanup(LateLoop.released.set)
        with (
            mock.patch("liveserver._options.bounds.GRACE", 0.05),
            self.assertRaisesRegex(StartupTimeout, "is left behind"),
        ):
            server.start()
        self.assertFalse(server.running)

    @without_plugin
    def test_nothing_keeps_what_failed_to_start(self) -> None:
        async def fail(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            raise apps.Trouble("out of order")

        async def hang(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await asyncio.Event().wait()

        for startup in (fail, hang):
            with self.subTest(startup=startup.__name__):
                app = apps.Faulty(startup=startup)
                seen = weakref.ref(app)
                with self.assertRaises(StartupError):
                    LiveServer(app, startup_timeout=0.05).start()
                del app
                gc.collect()
                self.assertIsNone(seen())


class LateLoop(asyncio.SelectorEventLoop):
    """One that takes long to be made."""

    released = threading.Event()

    def __init__(self) -> None:
        LateLoop.released.wait(10)
        super().__init__()


class RestartTests(StrictTestCase):
    """A restart is one step to everybody else."""

    def test_nobody_comes_between_its_stop_and_its_start(self) -> None:
        entered: list[ServerControl] = []

        class Watched(ServerControl):
            """When it is stopped, another thread tries whether it could be started."""

            def stop(self) -> None:
                super().stop()
                thread = threading.Thread(target=self.try_it)
                thread.start()
                thread.join()

            def try_it(self) -> None:
                if self._lock.acquire(blocking=False):
                    self._lock.release()
                    entered.append(self)

        control = Watched(apps.hello, make_options({}))
        control.start()
        control.restart()
        self.assertEqual(entered, [])
        control.stop()
        self.assertEqual(entered, [control])


class FullLoop(asyncio.SelectorEventLoop):
    """A loop that has no room for a listener."""

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.ENOMEM, "no memory for it")


class EndOfProcessTests(ProcessTestCase):
    """A process whose start failed has nothing to end."""

    def test_without_a_thread(self) -> None:
        code = """
import threading
from unittest import mock
from liveserver import *
from tests.helpers import apps
with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("no more threads")):
    try:
        LiveServer(apps.hello).start()
    except StartupError as error:
        print(error)
"""
        said = "The system gave no thread for the server: no more threads.\n"
        self.assertEqual(self.run_script(code), (0, said, ""))

    def test_a_python_that_starts_no_threads_at_its_end(self) -> None:
        code = """
import asyncio, threading
from liveserver import *

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(print, "done all the same")
    try:
        await asyncio.to_thread(int, "guest")
    except ValueError as error:
        print(error)
    await send({"type": "lifespan.shutdown.complete"})

server = LiveServer(app)
server.start()

def refuse(thread):  # as Python 3.12 does
    raise RuntimeError("can't create new thread at interpreter shutdown")

threading.Thread.start = refuse
"""
        said = "done all the same\ninvalid literal for int() with base 10: 'guest'\n"
        self.assertEqual(self.run_script(code), (0, said, ""))


class HurryTests(StrictTestCase):
    """What the end of the process does with a server, while there is time to look."""

    def test_a_request_that_hangs(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(handler=apps.hang)
                server = LiveServer(app, shutdown_timeout=60, **with_loop(loop))
                server.start()
                run = server._control.run
                assert run is not None
                with Client(server.base_url) as client:
                    client.send("/")
                    self.assertTrue(app.begun.wait(5))
                    started = time.perf_counter()
                    run.end_with_process()  # a warning would be an error here
                    self.assertLess(time.perf_counter() - started, 5)
                self.assertTrue(run.over)

    def test_threads_that_can_be_had(self) -> None:
        self.assertTrue(process_hooks.can_start_threads())
        no_more = RuntimeError("can't create new thread at interpreter shutdown")
        with mock.patch("threading.Thread.start", side_effect=no_more):
            self.assertFalse(process_hooks.can_start_threads())


class Growing(deque[Any]):
    """Gets one more while a thread looks through it."""

    new = mock.Mock(number=4)

    def __reversed__(self) -> Iterator[Any]:
        found = super().__reversed__()
        yield next(found)
        self.append(self.new)
        yield from found


class LatchTests(StrictTestCase):
    """A latch lets everybody through."""

    def test_two_that_wait(self) -> None:
        latch = Latch()
        lock, begun = latch._lock, threading.Barrier(3)

        class Announced:
            """The latch's lock, whose users say that they are there."""

            release = lock.release

            def acquire(self, timeout: float) -> bool:
                begun.wait(5)
                return lock.acquire(timeout=timeout)

        latch._lock = Announced()  # type: ignore[assignment]
        with ThreadPoolExecutor(2) as pool:
            waits = [pool.submit(latch.wait, 10) for _ in range(2)]
            begun.wait(5)
            latch.set()
            for each in waits:
                self.assertTrue(each.result(5))


class WaitTests(StrictTestCase):
    """An answer that comes when the waiting ends is not lost, and none comes twice."""

    def test_a_request_that_comes_while_somebody_looks_for_those_before(self) -> None:
        log = RequestLog()
        entries: list[Any] = [mock.Mock(number=number) for number in range(1, 4)]
        log._records = Growing(entries)
        self.assertEqual(log.since(1), [*entries[1:], Growing.new])

    def test_idle_at_the_last_moment(self) -> None:
        class LastMoment(Outcome[Any]):
            """Its wait ends in the moment in which it gets its result."""

            def wait(self, seconds: float) -> bool:
                super().wait(5)
                return False

        with (
            LiveServer(apps.hello) as server,
            mock.patch("liveserver._server.portal.Outcome", LastMoment),
        ):
            server.drop_connections()
            self.assertEqual(server.call(int, timeout=0.1), 0)

    def test_a_request_that_becomes_an_event_stream_meanwhile(self) -> None:
        async def stream(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            assert server._control.run is not None
            while not server._control.run.loop_thread.middleware._waiters:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await apps.event_stream(app, receive, send)

        for loop in loops():
            app = apps.Faulty(handler=stream)
            with (
                self.subTest(loop=loop),
                LiveServer(app, **with_loop(loop)) as server,
                Client(server.base_url) as client,
            ):
                client.send("/")
                self.assertTrue(app.begun.wait(5))
                server.wait_idle(5)
                self.assertEqual(server.requests[0].status, 200)
                self.assertTrue(server.requests[0].running)

    def test_a_stop_while_somebody_waits(self) -> None:
        for handler, error in ((apps.hang, None), (apps.hang_for_all_that, ShutdownTimeout)):
            for loop in loops():
                with self.subTest(handler=handler.__name__, loop=loop):
                    self.stop_while_somebody_waits(handler, error, loop)

    def stop_while_somebody_waits(self, handler: Any, error: Any, loop: str) -> None:
        app = apps.Faulty(handler=handler)
        server = LiveServer(app, shutdown_timeout=0.05, **with_loop(loop))
        server.start()
        assert server._control.run is not None
        middleware = server._control.run.loop_thread.middleware
        with Client(server.base_url) as client, ThreadPoolExecutor(1) as pool:
            client.send("/")
            self.assertTrue(app.begun.wait(5))
            waiting = pool.submit(server.wait_idle, 30)
            until(lambda: bool(middleware._waiters))
            with (
                mock.patch("liveserver._options.bounds.GRACE", 0.1),
                self.assertWarns(ResourceWarning),
                self.assertRaises(error) if error else contextlib.nullcontext(),
            ):
                server.stop()
            self.assertIsNone(waiting.result(5))

    def test_a_wait_for_a_server_that_ends_at_that_moment(self) -> None:
        server = LiveServer(apps.hello)
        server.start()
        run = server._control.run
        server.stop()
        with mock.patch.object(server._control, "serving_run", return_value=run):
            server.wait_idle(30)

    def test_a_wait_of_which_the_loop_hears_too_late(self) -> None:
        for loop in loops():
            for method in ("wait_idle", "drop_connections"):
                with self.subTest(method=method, loop=loop), ThreadPoolExecutor(1) as pool:
                    server = LiveServer(apps.hello, shutdown_timeout=30, **with_loop(loop))
                    server.start()
                    assert server._control.run is not None
                    serving = server._control.run.loop_thread
                    wait = partial(getattr(server, method), *[30] * (method == "wait_idle"))
                    with (
                        mock.patch.object(serving, "post"),
                        mock.patch.object(serving, "is_quiet", return_value=False),
                    ):
                        waiting = pool.submit(wait)
                        until(lambda: bool(serving._unset))  # noqa: B023
                    server.stop()
                    self.assertIsNone(waiting.result(5))

    def test_a_loop_that_gets_free_too_late_to_drop_connections(self) -> None:
        begun, released = threading.Event(), threading.Event()

        async def block(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            begun.set()
            released.wait(10)
            await apps.answer(send, b"blocked")

        for loop in loops():
            with (
                self.subTest(loop=loop),
                LiveServer(
                    apps.Faulty(handler=block), shutdown_timeout=0.05, **with_loop(loop)
                ) as server,
                Client(server.base_url) as client,
            ):
                begun.clear()
                released.clear()
                client.send("/block")
                self.assertTrue(begun.wait(10))
                with self.assertRaisesRegex(BusyTimeout, "did not drop .*\n.*GET /block"):
                    server.drop_connections()
                released.set()
                server.wait_idle(5)
                self.assertEqual(get(server.base_url, "/fine").body, b"fine")

    def test_a_request_that_begins_while_the_server_closes(self) -> None:
        ended: list[str] = []

        async def begin_another(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            server = app.server  # type: ignore[attr-defined]
            while not server.closing:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            # As uvicorn does for a WebSocket whose handshake was under way.
            task = asyncio.create_task(take_a_moment())
            server.server_state.tasks.add(task)
            task.add_done_callback(server.server_state.tasks.discard)
            await apps.answer(send, b"done")

        async def take_a_moment() -> None:
            await asyncio.sleep(0.05)
            ended.append("in its own time")

        for loop in loops():
            with self.subTest(loop=loop):
                ended.clear()
                app = apps.Faulty(handler=begin_another)
                with (
                    LiveServer(app, **with_loop(loop)) as server,
                    Client(server.base_url) as client,
                ):
                    assert server._control.run is not None
                    app.server = server._control.run.loop_thread.server  # type: ignore[attr-defined]
                    client.send("/")
                    self.assertTrue(app.begun.wait(5))
                    server.stop()
                    self.assertEqual(client.receive().body, b"done")
                self.assertEqual(ended, ["in its own time"])


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """As the usual one on Windows."""

    def remove_reader(self, fd: Any) -> bool:
        raise NotImplementedError


class SlowToCloseLoop(asyncio.SelectorEventLoop):
    """A loop that is closed, and then does not come back."""

    released: threading.Event

    def close(self) -> None:
        super().close()
        self.released.wait(10)


class StopTests(StrictTestCase):
    """A stop that cannot be completed is bounded, and says what it knows."""

    def test_a_loop_that_does_not_close(self) -> None:
        SlowToCloseLoop.released = threading.Event()
        server = LiveServer(
            apps.hello,
            shutdown_timeout=0.1,
            uvicorn_config={"loop": "tests.server.test_races:SlowToCloseLoop"},
        )
        server.start()
        thread = thread_of(server)
        with (
            mock.patch("liveserver._options.bounds.GRACE", 0.1),
            self.assertRaises(ShutdownTimeout) as caught,
        ):
            server.stop()
        self.assertEqual(caught.exception.pending, ())
        self.assertRegex(str(caught.exception), "was not down within 0.1 s.*\n.*is left behind")
        SlowToCloseLoop.released.set()
        self.assertTrue(ends(thread))

    def test_tasks_that_have_no_end(self) -> None:
        began: list[int] = []

        async def again() -> None:
            began.append(1)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if len(began) < 100:
                    app.task = asyncio.create_task(again())  # type: ignore[attr-defined]

        async def begin(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            app.task = asyncio.create_task(again())  # type: ignore[attr-defined]
            await asyncio.sleep(0)

        for loop in loops():
            with self.subTest(loop=loop):
                began.clear()
                app = apps.Faulty(startup=begin)
                server = LiveServer(app, **with_loop(loop))
                server.start()
                line = r"Cut at the stop:\n  task Task-\d+, at .*test_races\.py:\d+ in again$"
                with self.assertWarnsRegex(ResourceWarning, line):
                    server.stop()
                self.assertGreater(len(began), 5)
                self.assertLess(len(began), 100)
                with self.assertNoLogs("asyncio", "ERROR"):
                    del app.task  # type: ignore[attr-defined]
                    gc.collect()

    def test_in_the_servers_own_thread_nothing_is_waited_for(self) -> None:
        with LiveServer(apps.hello) as server:
            assert server._control.run is not None
            self.assertFalse(server.call(server._control.run.stops_at_once))
            self.assertEqual(get(server.base_url).body, b"hello")

    def test_a_loop_without_readers(self) -> None:
        app = apps.Recorder()
        config = {"loop": "tests.server.test_races:LoopWithoutReaders"}
        with (
            # As that loop is not one of selectors.
            mock.patch.object(asyncio, "SelectorEventLoop", asyncio.Event),
            LiveServer(app, uvicorn_config=config) as server,
        ):
            self.assertEqual(get(server.base_url).status, 200)
        self.assertEqual(app.events, ["startup", "shutdown"])

    def test_a_download_whose_client_has_left(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.DeafStream(b"text/plain")
                server = LiveServer(app, **with_loop(loop))
                server.start()
                self.addCleanup(server.stop)
                with Client(server.base_url) as client, client.open("/") as response:
                    self.assertEqual(response.readline(), b"data: 1\n")
                (request,) = server._control.run.loop_thread.middleware.running
                until(lambda request=request: request.abandoned)  # type: ignore[misc]
                server.stop()  # without a warning: leaving is how a client ends one
                self.assertEqual(app.ended, "cancelled")

    def test_a_connection_that_allows_no_goodbye(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, **with_loop(loop))
                server.start()
                self.addCleanup(server.stop)
                with Client(server.base_url) as client:
                    client.get()
                    assert server._control.run is not None
                    uvicorn: UvicornServer = server._control.run.loop_thread.server
                    (connection,) = uvicorn.server_state.connections
                    with mock.patch.object(
                        type(connection), "shutdown", side_effect=RuntimeError("in this state?")
                    ):
                        server.stop()
                    with self.assertRaises(ConnectionError):
                        client.get()
                        raise AssertionError("it is still open")

    @unittest.skipUnless(HAS_TRUSTME, "trustme is not installed")
    def test_a_tls_connection_that_was_closed_twice(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), ThreadPoolExecutor(1) as pool:
                server = LiveServer(apps.hello, tls=True, **with_loop(loop))
                server.start()
                self.addCleanup(server.stop)
                context = server.client_ssl_context
                with (
                    socket.create_connection((server.host, server.port), 5) as plain,
                    context.wrap_socket(plain, server_hostname="localhost") as client,
                ):
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
                    assert server._control.run is not None
                    uvicorn = server._control.run.loop_thread.server
                    (connection,) = uvicorn.server_state.connections
                    for _ in range(2):  # after which asyncio's transport does not know it any more
                        server.call(connection.transport.close)
                    stopping = pool.submit(server.stop)
                    until(lambda uvicorn=uvicorn: uvicorn.closing)  # type: ignore[misc]
                stopping.result(5)

    def test_what_follows_a_response_whose_client_has_left(self) -> None:
        answered, followed = threading.Event(), threading.Event()

        async def answer_and_go_on(
            app: apps.Faulty, receive: apps.Receive, send: apps.Send
        ) -> None:
            await apps.long_poll(app, receive, send)
            await apps.answer(send, b"nobody hears it")
            answered.set()
            while server.running:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.01)
            followed.set()

        for loop in loops():
            with self.subTest(loop=loop):
                answered.clear()
                followed.clear()
                app = apps.Faulty(handler=answer_and_go_on)
                with LiveServer(app, **with_loop(loop)) as server:
                    with Client(server.base_url) as client:
                        client.send("/")
                        self.assertTrue(app.begun.wait(5))
                    self.assertTrue(answered.wait(5))
                self.assertTrue(followed.is_set())

    def test_a_worker_that_is_stuck_is_named(self) -> None:
        released = threading.Event()

        async def leave_a_worker(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            asyncio.get_running_loop().run_in_executor(None, released.wait, 10)
            await apps.answer(send, b"left")

        for loop in loops():
            with self.subTest(loop=loop):
                released.clear()
                server = LiveServer(apps.Faulty(handler=leave_a_worker), **with_loop(loop))
                server.start()
                thread = thread_of(server)
                self.assertEqual(get(server.base_url).body, b"left")
                pattern = r"worker thread liveserver-worker_0, at .*threading\.py:\d+"
                with (
                    mock.patch("liveserver._options.bounds.GRACE", 0.1),
                    self.assertWarnsRegex(ResourceWarning, pattern),
                ):
                    server.stop()
                released.set()
                self.assertTrue(ends(thread))

    def test_a_client_that_does_not_read_what_was_answered(self) -> None:
        async def answer_at_once(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await apps.answer(send, bytes(50 << 20))

        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(
                    apps.Faulty(handler=answer_at_once), shutdown_timeout=0.2, **with_loop(loop)
                )
                server.start()
                self.addCleanup(server.stop)
                with Client(server.base_url) as client:
                    client.send("/")
                    until(lambda server=server: bool(server.requests))  # type: ignore[misc]
                    server.wait_idle(5)
                    port = client.local_port
                    with self.assertWarnsRegex(
                        ResourceWarning,
                        rf"connection of 127\.0\.0\.1:{port}, whose client does not",
                    ):
                        server.stop()

    @needs_websockets
    def test_a_websocket_whose_client_does_not_read(self) -> None:
        async def flood(app: apps.Faulty, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            while True:
                await send({"type": "websocket.send", "bytes": bytes(1 << 20)})

        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Faulty(handler=flood)
                server = LiveServer(app, shutdown_timeout=60, **with_loop(loop))
                server.start()
                self.addCleanup(server.stop)
                with websocket(server.base_url):
                    self.assertTrue(app.begun.wait(5))
                    server.stop()

    def test_a_deaf_stream_behind_uvicorns_own_middleware(self) -> None:
        log = logging.getLogger("uvicorn.error")
        self.addCleanup(log.setLevel, log.level)
        log.setLevel(TRACE_LOG_LEVEL)  # for which uvicorn wraps the app
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.DeafStream()
                server = LiveServer(app, **with_loop(loop))
                server.start()
                self.addCleanup(server.stop)
                with Client(server.base_url) as client, client.open("/") as response:
                    self.assertEqual(response.readline(), b"data: 1\n")
                    server.stop()
                self.assertEqual(app.ended, "cancelled")
