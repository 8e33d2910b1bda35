"""What a test waits for at its end, and what it says when that does not come."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from unittest import mock

from liveserver import LiveServer, LiveServerTestCase
from liveserver._monitor.app_errors import raise_app_errors
from liveserver._requests import announcements
from liveserver._requests.log import BackgroundFailure
from liveserver._server import watch
from liveserver._server.control import ServerControl
from liveserver._uvicorn.connections import disconnect
from tests.helpers import apps
from tests.helpers.observed import HANG, Shop, notes
from tests.helpers.support import (
    Client,
    StrictTestCase,
    each_base,
    get,
    loops,
    run_class,
    until,
    with_loop,
)


class LeavesOpen:
    """Test classes whose tests may leave a request behind."""

    app = Shop()
    server_options: ClassVar[Any] = {"shutdown_timeout": 0.05}
    client: ClassVar[Client]

    def leave_open(self: Any) -> None:
        type(self).client = Client(self.base_url)
        self.client.send("/hang")
        until(lambda: bool(self.server.requests))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.client.close()
        super().tearDownClass()  # type: ignore[misc]


class OutlastingTests(StrictTestCase):
    """A request that outlasts a test is waited for once, and named."""

    def setUp(self) -> None:
        super().setUp()
        self.waits: list[bool] = []
        wait = ServerControl.wait_for_requests

        def noted(server: ServerControl, *args: Any) -> bool:
            self.waits.append(wait(server, *args))
            return self.waits[-1]

        # Without the servers of other tests, of which some may run.
        self.enterContext(mock.patch.dict(watch._servers, clear=True))
        self.enterContext(mock.patch.object(ServerControl, "wait_for_requests", noted))
        self.warned = self.enterContext(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")

    @each_base
    def test_no_later_test_waits_for_it(self, base: Any) -> None:
        class Tests(LeavesOpen, base):  # type: ignore[misc]
            def test_1(self) -> None:
                self.leave_open()

            def test_2(self) -> None:
                with self.assertServerRaises(Exception):
                    get(self.base_url, "/raise")

            def test_3(self) -> None:
                pass

        self.waits.clear()
        self.warned.clear()
        outcome = run_class(Tests)
        self.assertEqual((outcome.testsRun, outcome.raised), (3, []))
        # The asyncio class looks twice: at once, and then in a thread.
        failed = self.waits.count(False)
        self.assertEqual(failed, 1 if base is LiveServerTestCase else 2)
        self.assertEqual(self.waits[:failed], [False] * failed)
        texts = [str(each.message) for each in self.warned]
        (text,) = [text for text in texts if text.startswith("Requests still running")]
        self.assertRegex(
            text,
            r"^Requests still running after 0\.05 s \(shutdown_timeout\):\n"
            rf"  GET /hang, open \d\.\d s, at {HANG} in do_hang$",
        )

    @each_base
    def test_where_warnings_are_errors_the_app_is_judged_all_the_same(self, base: Any) -> None:
        class Tests(LeavesOpen, base):  # type: ignore[misc]
            def test_it(self) -> None:
                self.leave_open()
                get(self.base_url, "/raise")

        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            raised = run_class(Tests).raised
        (warning,) = raised  # the client has left at the stop
        self.assertIsInstance(warning, ResourceWarning)
        self.assertRegex(str(warning), "^Requests still running after")
        self.assertIn("raise Trouble(f", warning.__notes__[0])


class EdgeTests(StrictTestCase):
    """What another thread may do between two looks."""

    def test_a_request_that_ends_when_it_is_about_to_be_named(self) -> None:
        with LiveServer(apps.hello) as server:
            control = server._control
            with mock.patch.object(control, "wait_for_requests", return_value=False):
                control.finish_requests()

    def test_a_failure_whose_exception_was_dropped(self) -> None:
        dropped = BackgroundFailure("a task", apps.Trouble())
        dropped.exception = None
        raise_app_errors([dropped])
        self.assertFalse(dropped.reported)

    def test_a_framework_that_announces_an_exception_outside_of_requests(self) -> None:
        announcements._on_exception(None, exception=apps.Trouble())

    def test_a_request_of_another_protocol_is_not_disconnected(self) -> None:
        with LiveServer(apps.hello) as server:
            get(server.base_url)
            server.wait_idle(5)
            (record,) = server._control.log.since()
            disconnect(record)  # it has no connection that is known
            self.assertEqual(get(server.base_url).status, 200)


class LeavingTests(StrictTestCase):
    """A client that leaves while its request is waited for ends the wait."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = self.enterContext(ThreadPoolExecutor(1))

    @contextlib.contextmanager
    def hanging(self, loop: str) -> Iterator[tuple[LiveServer, Client]]:
        """A server whose requests would be waited for for ever, and a client of one."""
        app = apps.Faulty(handler=apps.hang)
        server = LiveServer(app, shutdown_timeout=600, **with_loop(loop))
        with server, Client(server.base_url) as client:
            client.send("/")
            self.assertTrue(app.begun.wait(5))
            yield server, client
            server.stop()  # without a warning

    def test_at_the_end_of_a_test(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), self.hanging(loop) as (server, client):
                settled = self.pool.submit(server._control.wait_for_requests, 600)
                until(lambda: bool(server._control.run.loop_thread.middleware._waiters))
                client.close()
                self.assertTrue(settled.result(5))

    def test_at_the_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), self.hanging(loop) as (server, client):
                stopped = self.pool.submit(server.stop)
                until(lambda: not server.running)
                client.close()
                self.assertIsNone(stopped.result(5))


class GoneTests(StrictTestCase):
    """A test that fails because its server is gone is told so."""

    def test_the_note(self) -> None:
        class Tests(LiveServerTestCase):
            app = apps.Faulty()

            def test_1(self) -> None:
                get(self.base_url)
                self.server.stop()

            def test_2(self) -> None:
                get(self.base_url)

            def test_3(self) -> None:
                self.server.start()
                get(self.base_url)
                self.fail("of another reason")

        refused, failed = run_class(Tests).raised
        self.assertIsInstance(refused, ConnectionRefusedError)
        (note,) = notes(refused)
        self.assertRegex(
            note,
            r"^The server at http://127\.0\.0\.1:\d+ runs no more: it was stopped, or "
            r"ended by itself\.$",
        )
        (note,) = notes(failed)
        self.assertIn("was asked in this test", note)
        self.assertNotIn("runs no more", note)

    def test_a_server_of_one_test(self) -> None:
        class Tests(LiveServerTestCase):
            app = Shop()
            server_scope = "test"

            def test_it(self) -> None:
                get(self.base_url, "/raise")

        # Its verdict comes after the stop.
        (error,) = run_class(Tests).raised
        self.assertIsNone(re.search("runs no more", "".join(notes(error))))
