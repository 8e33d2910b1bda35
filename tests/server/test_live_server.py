"""`LiveServer` by hand: where it is, and what its starts and stops do."""

import asyncio
import gc
import inspect
import itertools
import socket
import threading
import unittest
import warnings
import weakref
from functools import partial
from unittest import mock

from liveserver import LiveServer, LiveServerTestCase, NotRunningError, ShutdownError, StartupError
from tests.helpers import apps
from tests.helpers.support import (
    Client,
    StrictTestCase,
    get,
    in_thread,
    loops,
    until,
    unused_port,
    with_loop,
    without_plugin,
)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class StartAndStopTests(StrictTestCase):
    """start(), stop(), restart(), with and async with."""

    def test_serves_between_start_and_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, **with_loop(loop))
                self.assertFalse(server.running)
                server.start()
                self.addCleanup(server.stop)
                self.assertTrue(server.running)
                self.assertEqual(get(server.base_url).body, b"hello")
                server.stop()
                self.assertFalse(server.running)
                with self.assertRaises(ConnectionRefusedError):
                    get(server.base_url)

    def test_the_lifespan_is_run_around_the_requests(self) -> None:
        app = apps.Recorder()
        with LiveServer(app) as server:
            self.assertEqual(app.events, ["startup"])
            get(server.base_url)
        self.assertEqual(app.events, ["startup", "shutdown"])

    def test_stop_may_be_called_twice_and_before_a_start(self) -> None:
        server = LiveServer(apps.hello)
        server.stop()
        server.start()
        server.stop()
        server.stop()

    def test_stop_from_many_threads_stops_once(self) -> None:
        app = apps.Recorder()
        server = LiveServer(app)
        server.start()
        threads = [threading.Thread(target=server.stop) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(app.events, ["startup", "shutdown"])

    def test_a_second_start_is_refused_and_harms_nothing(self) -> None:
        with LiveServer(apps.hello) as server:
            with self.assertRaisesRegex(StartupError, r"runs already.*stop\(\) first") as caught:
                server.start()
            self.assertIn(server.base_url, str(caught.exception))
            self.assertEqual(get(server.base_url).status, 200)

    def test_start_after_stop_takes_the_same_port(self) -> None:
        server = LiveServer(apps.hello)
        self.addCleanup(server.stop)
        server.start()
        url = server.base_url
        with Client(url) as client:
            client.get()  # leaves a connection in TIME_WAIT on this port
            server.stop()
        server.start()
        self.assertEqual(server.base_url, url)
        self.assertEqual(get(url).status, 200)

    def test_restart_keeps_the_port_and_runs_the_lifespan_anew(self) -> None:
        app = apps.Recorder()
        with LiveServer(app) as server:
            url = server.base_url
            get(url)
            server.restart()
            self.assertEqual(server.base_url, url)
            self.assertEqual(app.events, ["startup", "shutdown", "startup"])
            self.assertEqual(get(url).body, b"2")

    def test_a_factory_builds_an_app_for_every_start(self) -> None:
        with LiveServer(apps.Recorder, factory=True) as server:
            first = server.app
            get(server.base_url)
            server.restart()
            self.assertIsNot(server.app, first)
            self.assertEqual(get(server.base_url).body, b"1")

    def test_a_factory_may_use_the_running_loop(self) -> None:
        seen: list[threading.Thread] = []

        def build() -> object:
            asyncio.get_running_loop()
            seen.append(threading.current_thread())
            return apps.hello

        with LiveServer(build, factory=True):
            self.assertNotIn(threading.main_thread(), seen)

    def test_a_body_that_raises_still_stops_the_server(self) -> None:
        server = LiveServer(apps.hello)
        with self.assertRaises(ZeroDivisionError), server:
            _ = 1 / 0
        self.assertFalse(server.running)

    def test_waiting_for_it_in_a_handler_is_a_clear_error(self) -> None:
        said: list[BaseException] = []

        async def stops_itself(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            wait_idle = partial(server.wait_idle, 1)
            for method in (server.stop, server.restart, server.drop_connections, wait_idle):
                try:
                    method()
                except ShutdownError as error:
                    said.append(error)
            await apps.answer(send, b"still here")

        with LiveServer(stops_itself) as server:
            self.assertEqual(get(server.base_url).body, b"still here")
        self.assertEqual(len(said), 4)
        for error in said:
            self.assertIn("in its own thread", str(error))

    def test_servers_are_apart_from_each_other(self) -> None:
        one, two = apps.Recorder(), apps.Recorder()
        with LiveServer(one) as first, LiveServer(two) as second:
            self.assertNotEqual(first.port, second.port)
            get(first.base_url)
            self.assertEqual((one.requests, two.requests), (1, 0))

    def test_starts_inside_a_running_loop(self) -> None:
        async def sync_in_async() -> int:
            with LiveServer(apps.hello) as server:
                return (await in_thread(get, server.base_url)).status

        self.assertEqual(asyncio.run(sync_in_async()), 200)


class AsyncWithTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """`async with` leaves the caller's loop free."""

    async def test_serves_and_stops(self) -> None:
        async with LiveServer(apps.hello) as server:
            self.assertEqual((await in_thread(get, server.base_url)).status, 200)
        self.assertFalse(server.running)

    async def test_the_loop_turns_while_the_app_starts_and_stops(self) -> None:
        loop = asyncio.get_running_loop()

        async def asks_the_callers_loop(
            scope: apps.Scope, receive: apps.Receive, send: apps.Send
        ) -> None:
            for step in ("startup", "shutdown"):
                await receive()
                # It goes on only if the loop that waits for it is free.
                turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
                await asyncio.wait_for(asyncio.wrap_future(turn), 5)
                await send({"type": f"lifespan.{step}.complete"})

        async with LiveServer(asks_the_callers_loop):
            pass

    async def test_the_loop_turns_while_a_worker_ends(self) -> None:
        loop = asyncio.get_running_loop()

        def outlive_the_server(server: LiveServer) -> None:
            until(lambda: not server.running)
            # It ends only if the loop of the test is free.
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)

        def leave_a_worker(server: LiveServer) -> None:
            asyncio.get_running_loop().run_in_executor(None, outlive_the_server, server)

        with mock.patch("liveserver._options.bounds.GRACE", 3):
            async with LiveServer(apps.hello) as server:
                await server.acall(leave_a_worker, server)

    async def test_a_cancelled_start_leaves_nothing_running(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        async def starts_slowly(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            begun.set()
            await asyncio.to_thread(go_on.wait, 10)
            await apps.lifespan(receive, send)

        server = LiveServer(starts_slowly)
        entering = asyncio.create_task(server.__aenter__())
        await in_thread(begun.wait, 10)
        entering.cancel()
        go_on.set()
        with self.assertRaises(asyncio.CancelledError):
            await entering
        self.assertFalse(server.running)

    async def test_a_failed_start_raises_here(self) -> None:
        with self.assertRaisesRegex(StartupError, "does not resolve"):
            async with LiveServer(apps.hello, host="no.such.host.invalid"):
                self.fail("it started")


class AddressTests(StrictTestCase):
    """base_url, ws_url, host and port."""

    def test_the_default_is_a_free_port_on_loopback(self) -> None:
        with LiveServer(apps.hello) as server:
            self.assertEqual(server.base_url, f"http://127.0.0.1:{server.port}")
            self.assertEqual(server.ws_url, f"ws://127.0.0.1:{server.port}")
            self.assertEqual(server.host, "127.0.0.1")

    def test_before_the_first_start_there_is_no_address(self) -> None:
        server = LiveServer(apps.hello)
        for name in ("base_url", "ws_url", "port"):
            with self.assertRaisesRegex(NotRunningError, rf"no {name}.*Call start\(\)"):
                getattr(server, name)

    def test_an_app_given_by_its_name_is_called_by_it(self) -> None:
        server = LiveServer("tests.helpers.apps:hello")
        expected = "The server of 'tests.helpers.apps:hello' has no"
        with self.assertRaisesRegex(NotRunningError, expected):
            _ = server.base_url

    def test_an_address_that_is_not_there_is_a_missing_attribute(self) -> None:
        class Tests(LiveServerTestCase):
            app = apps.hello

        self.assertFalse(hasattr(LiveServer(apps.hello), "base_url"))
        self.assertFalse(hasattr(Tests, "base_url"))
        inspect.getmembers(Tests)  # it expects nothing but an AttributeError

    def test_before_the_first_start_a_factory_has_no_app(self) -> None:
        with self.assertRaisesRegex(NotRunningError, "no app"):
            _ = LiveServer(apps.Recorder, factory=True).app
        self.assertIs(LiveServer(apps.hello).app, apps.hello)

    def test_a_fixed_port_is_taken_again_at_once(self) -> None:
        port = unused_port()
        for _ in range(3):
            with LiveServer(apps.hello, port=port) as server:
                client = Client(server.base_url)
                self.assertEqual(client.get().status, 200)
                self.assertEqual(server.port, port)
            client.close()  # last, so that it is the server's end that lingers on the port

    @unittest.skipUnless(has_ipv6(), "no IPv6 on this machine")
    def test_ipv6_is_written_with_brackets(self) -> None:
        with LiveServer(apps.hello, host="::1") as server:
            self.assertEqual(server.base_url, f"http://[::1]:{server.port}")
            self.assertEqual(get(server.base_url).status, 200)

    @unittest.skipUnless(has_ipv6(), "no IPv6 on this machine")
    def test_the_ipv6_wildcard_is_reached_on_loopback(self) -> None:
        with LiveServer(apps.hello, host="::") as server:
            self.assertEqual(server.base_url, f"http://[::1]:{server.port}")
            self.assertEqual(get(server.base_url).status, 200)

    def test_the_wildcard_is_reached_on_loopback(self) -> None:
        with LiveServer(apps.hello, host="0.0.0.0") as server:
            self.assertEqual(server.base_url, f"http://127.0.0.1:{server.port}")
            self.assertEqual(get(server.base_url).status, 200)

    def test_a_public_host_is_what_the_urls_name(self) -> None:
        with LiveServer(apps.hello, host="0.0.0.0", public_host="tests.internal") as server:
            self.assertEqual(server.base_url, f"http://tests.internal:{server.port}")
            self.assertEqual(server.ws_url, f"ws://tests.internal:{server.port}")
            self.assertEqual(get(f"http://127.0.0.1:{server.port}").status, 200)

    def test_the_repr_says_whether_it_runs(self) -> None:
        server = LiveServer(apps.hello)
        self.assertEqual(repr(server), "<LiveServer of tests.helpers.apps.hello, not running>")
        with server:
            self.assertIn(f"running at {server.base_url}", repr(server))


class PortTests(StrictTestCase):
    """The port belongs to the server from before its start until its stop."""

    def test_nobody_can_take_the_port_of_a_running_server(self) -> None:
        with LiveServer(apps.hello) as server, socket.socket() as rival:
            rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with self.assertRaises(OSError):
                rival.bind((server.host, server.port))

    def test_connections_wait_while_the_app_starts(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        async def starts_slowly(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                begun.set()
                await asyncio.to_thread(go_on.wait, 10)
            await apps.hello(scope, receive, send)

        port = unused_port()
        server = LiveServer(starts_slowly, port=port)
        starting = threading.Thread(target=server.start)
        starting.start()
        self.addCleanup(server.stop)
        self.addCleanup(starting.join)
        self.assertTrue(begun.wait(10))
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(get(f"http://127.0.0.1:{port}").status)
        )
        asking.start()
        go_on.set()
        asking.join(10)
        self.assertEqual(answers, [200])

    def test_a_taken_port_is_a_clear_error(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = LiveServer(apps.hello, port=port)
            with self.assertRaisesRegex(StartupError, rf"{port}.*in use.*port=0") as caught:
                server.start()
        self.assertIsInstance(caught.exception.__cause__, OSError)
        server.start()  # and with the port free again it works
        server.stop()

    def test_an_address_of_another_machine_is_a_clear_error(self) -> None:
        with self.assertRaisesRegex(StartupError, "no such address"):
            LiveServer(apps.hello, host="192.0.2.1").start()

    def test_a_host_that_does_not_resolve_is_a_clear_error(self) -> None:
        for host in ("no.such.host.invalid", "x" * 70):
            with (
                self.subTest(host=host),
                self.assertRaisesRegex(StartupError, "does not resolve"),
            ):
                LiveServer(apps.hello, host=host).start()


class OpenConnectionsTests(StrictTestCase):
    """What a stop does to connections that are still open."""

    def test_an_idle_connection_does_not_hold_it_up(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, **with_loop(loop))
                server.start()
                with Client(server.base_url) as client:
                    client.get()
                    server.stop()
                    self.assertFalse(server.running)

    def test_a_silent_connection_does_not_hold_it_up(self) -> None:
        server = LiveServer(apps.hello)
        server.start()
        with socket.create_connection((server.host, server.port)) as silent:
            get(server.base_url)  # the silent one was accepted before this one
            server.stop()
            self.assertEqual(silent.recv(1), b"")

    def test_an_event_stream_is_cut_and_the_app_sees_a_disconnect(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                app = apps.Stream()
                server = LiveServer(app, **with_loop(loop))
                server.start()
                with Client(server.base_url) as client, client.open("/") as response:
                    self.assertEqual(response.readline(), b"data: 1\n")
                    server.stop()
                self.assertEqual(app.ended, "disconnect")

    def test_an_event_stream_that_does_not_look_is_cancelled(self) -> None:
        app = apps.DeafStream()
        server = LiveServer(app)
        server.start()
        with Client(server.base_url) as client, client.open("/"):
            server.stop()
        self.assertEqual(app.ended, "cancelled")

    def test_a_request_has_until_the_shutdown_timeout(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        async def slow(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            begun.set()
            await asyncio.to_thread(go_on.wait, 10)
            await apps.answer(send, b"done")

        server = LiveServer(slow)
        server.start()
        answers: list[bytes] = []
        asking = threading.Thread(target=lambda: answers.append(get(server.base_url).body))
        asking.start()
        self.assertTrue(begun.wait(10))
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while server.running:
            pass
        go_on.set()
        stopping.join(10)
        asking.join(10)
        self.assertEqual(answers, [b"done"])

    def test_a_request_that_does_not_end_is_cut_and_named(self) -> None:
        app = apps.Stream(kind=b"text/plain")  # a long response that is no event stream
        server = LiveServer(app, shutdown_timeout=0.1)
        server.start()
        with (
            Client(server.base_url) as client,
            client.open("/endless"),
            warnings.catch_warnings(),
            self.assertWarnsRegex(
                ResourceWarning, r"GET /endless, open \d.*tests/helpers/apps.py:\d+ in __call__"
            ),
        ):
            server.stop()
        self.assertEqual(app.ended, "disconnect")


class MemoryTests(StrictTestCase):
    """A server that nobody refers to is gone at once, and its app with it."""

    @without_plugin
    def test_nothing_waits_for_the_garbage_collector(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)
        limits = ({}, {"limit_max_requests": 9}, {"limit_concurrency": 9})
        for loop in loops():
            for restarts, limit in itertools.product((0, 1), limits):
                with self.subTest(loop=loop, restarts=restarts, limit=limit):
                    app = apps.Recorder()
                    server = LiveServer(app, uvicorn_config={"loop": loop, **limit})
                    with server:
                        for _ in range(restarts):
                            server.restart()
                        get(server.base_url)
                        server.drop_connections()
                        server.call(int)
                    seen = weakref.ref(app)
                    del app
                    self.assertIsNotNone(seen())  # the server has it still
                    del server
                    self.assertIsNone(seen())
