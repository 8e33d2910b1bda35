"""What a test waits for at its end, and what it says when that does not come."""

import re
import warnings
from typing import Any
from unittest import mock

from liveserver import AppError, LiveServerTestCase
from liveserver._verdict import Span
from tests import apps
from tests.observed import HANG, Shop, notes
from tests.support import Client, StrictTestCase, each_base, get, run_class

SHORT = {"shutdown_timeout": 0.05}


def leave_open(case: Any) -> None:
    """Ask for what never comes, over a connection that stays open."""
    client = type(case).client = Client(case.base_url)
    client.send("/hang")
    while not case.server.requests:
        pass


def close_client(cls: Any) -> None:
    cls.client.close()


class OutlastingTests(StrictTestCase):
    """A request that outlasts a test is waited for once, and named."""

    def setUp(self) -> None:
        super().setUp()
        self.waits: list[bool] = []
        settles = Span.settles

        def noted(span: Span, seconds: float) -> bool:
            self.waits.append(settles(span, seconds))
            return self.waits[-1]

        self.enterContext(mock.patch.object(Span, "settles", noted))
        self.warned = self.enterContext(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")

    @each_base
    def test_no_later_test_waits_for_it(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_options = SHORT

            def test_1(self) -> None:
                leave_open(self)

            def test_2(self) -> None:
                with self.assertServerRaises(Exception):
                    get(self.base_url, "/raise")

            def test_3(self) -> None:
                pass

            tearDownClass = classmethod(close_client)

        self.waits.clear()
        self.warned.clear()
        outcome = run_class(Tests)
        self.assertEqual((outcome.testsRun, outcome.raised), (3, []))
        # The asyncio class looks twice: at once, and then in a thread.
        failed = self.waits.count(False)
        self.assertEqual(failed, 1 if base is LiveServerTestCase else 2)
        self.assertEqual(self.waits[:failed], [False] * failed)
        texts = [str(each.message) for each in self.warned]
        (text,) = [text for text in texts if text.startswith("Waited")]
        self.assertRegex(
            text,
            r"^Waited 0\.05 s \(shutdown_timeout\) in vain for the end of:\n"
            rf"  GET /hang, open \d\.\d s, at {HANG} in do_hang$",
        )

    @each_base
    def test_where_warnings_are_errors_the_app_is_judged_all_the_same(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_options = SHORT

            def test_it(self) -> None:
                leave_open(self)
                get(self.base_url, "/raise")

            tearDownClass = classmethod(close_client)

        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            raised = run_class(Tests).raised
        self.assertEqual(
            [type(error) for error in raised], [ResourceWarning, AppError, ResourceWarning]
        )
        self.assertRegex(str(raised[0]), "^Waited")
        self.assertRegex(str(raised[2]), "^Cut at the stop")


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
