"""The note that a failing test carries."""

import dataclasses
import importlib.util
import os
import re
import unittest
import warnings
from typing import Any
from unittest import mock

import aiohttp

from liveserver import AppError, IsolatedAsyncioLiveServerTestCase, LiveServerTestCase
from tests.helpers.observed import (
    AFTER,
    HANG,
    RAISE,
    ROOT,
    Shop,
    notes,
    report_of,
)
from tests.helpers.support import (
    Client,
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    run_class,
)


class NoteTests(StrictTestCase):
    """A test that fails carries one note that says what the server did in it."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(ROOT)

    def test_an_exception_that_takes_no_note_is_reported_all_the_same(self) -> None:
        @dataclasses.dataclass(frozen=True)
        class Frozen(Exception):
            text: str

        def noted(notes: Any) -> Exception:
            error = ValueError("of the test")
            error.__notes__ = notes
            return error

        refusing = [Frozen("of the test"), noted(("a tuple",)), noted([1]), noted(None)]
        for error in refusing:
            with self.subTest(error=error):

                class Tests(LiveServerTestCase):
                    app = Shop()

                    def test_1(self) -> None:
                        get(self.base_url, "/missing")
                        raise error  # noqa: B023

                    def test_2(self) -> None:
                        get(self.base_url, "/missing")

                outcome = run_class(Tests)
                self.assertEqual((outcome.testsRun, outcome.raised), (2, [error]))

    @each_base_and_scope
    def test_wherever_it_fails(self, base: Any, scope: str) -> None:
        urls: dict[str, str] = {}

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def fail_in(self, where: str) -> None:
                if f"test_{where}" in self.id():
                    urls[where] = self.base_url
                    get(self.base_url, f"/missing/{where}")
                    raise ZeroDivisionError(where)

            def setUp(self) -> None:
                super().setUp()
                self.fail_in("set_up")
                self.addCleanup(self.fail_in, "cleanup")

            def tearDown(self) -> None:
                self.fail_in("tear_down")

            def test_cleanup(self) -> None:
                pass

            def test_error(self) -> None:
                self.fail_in("error")

            def test_failure(self) -> None:
                urls["failure"] = self.base_url
                self.assertEqual(get(self.base_url, "/missing/failure").status, 200)

            def test_fine(self) -> None:
                get(self.base_url, "/missing/fine")

            def test_set_up(self) -> None:
                pass

            def test_tear_down(self) -> None:
                pass

        outcome = run_class(Tests)
        kinds = {test.id().rpartition(".test_")[2] for test, _ in outcome.errors}
        self.assertEqual(kinds, {"cleanup", "error", "set_up", "tear_down"}, outcome)
        self.assertEqual(len(outcome.failures), 1)
        self.assertEqual(set(urls), {*kinds, "failure"})
        for where, url in urls.items():
            report = report_of(self, outcome, f"test_{where}")
            self.assertEqual(report.count(f"The server at {url} "), 1, report)
            self.assertRegex(report, rf"GET /missing/{where} \u2192 404 in \d+\.\d ms")
            others = set(urls) - {where} | {"fine"}
            for other in others:
                self.assertNotIn(f"/missing/{other} ", report)
        for error in outcome.raised:
            self.assertEqual(len(notes(error)), 1)

    @each_base_and_scope
    def test_each_subtest(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                for number in range(3):
                    with self.subTest(number=number):
                        status = get(self.base_url, f"/missing/{number}").status
                        if number != 1:
                            self.assertEqual(status, 200)

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.failures), 2, outcome)
        first, last = (text for _, text in outcome.failures)
        for report in (first, last):
            self.assertEqual(report.count("The server at "), 1, report)
        self.assertIn("GET /missing/0", first)
        self.assertNotIn("GET /missing/1", first)
        self.assertIn("GET /missing/2", last)

    @each_base_and_scope
    def test_one_note_per_test(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def setUp(self) -> None:
                super().setUp()
                self.addCleanup(self.clean_up)

            def clean_up(self) -> None:
                raise KeyError("clean_up")

            def tearDown(self) -> None:
                raise ZeroDivisionError

            def test_it(self) -> None:
                self.assertEqual(get(self.base_url, "/missing").status, 200)

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.raised), 3, outcome)
        self.assertEqual([len(notes(error)) for error in outcome.raised], [1, 0, 0])

    @each_base
    def test_an_exception_that_several_tests_raise(self, base: Any) -> None:
        shared = ZeroDivisionError("the same object")

        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_1(self) -> None:
                get(self.base_url, "/missing/1")
                raise shared

            def test_2(self) -> None:
                get(self.base_url, "/missing/2")
                raise shared

        outcome = run_class(Tests)
        for (_, report), number in zip(outcome.errors, "12", strict=True):
            self.assertEqual(report.count("The server at"), 1, report)
            self.assertIn(f"/missing/{number}", report)

    @each_base_and_scope
    def test_the_last_twenty(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def ask(self, number: int) -> None:
                with Client(self.base_url) as client:
                    for index in range(number):
                        client.get(f"/fine/{index}")
                raise ZeroDivisionError

            def test_20(self) -> None:
                self.ask(20)

            def test_21(self) -> None:
                self.ask(21)

            def test_51(self) -> None:
                self.ask(51)

        outcome = run_class(Tests)
        for (test, _), error in zip(outcome.errors, outcome.raised, strict=True):
            number = int(test.id()[-2:])
            (note,) = notes(error)
            shown = [int(index) for index in re.findall(r"GET /fine/(\d+) ", note)]
            self.assertEqual(shown, list(range(number - 20, number)))
            if number == 20:
                self.assertNotIn("more before", note)
            else:
                self.assertIn(f"and {number - 20} more before", note)

    @each_base_and_scope
    def test_no_note_when_nothing_was_served(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_1_asks(self) -> None:
                get(self.base_url)

            def test_2_fails(self) -> None:
                raise ZeroDivisionError

        outcome = run_class(Tests)
        self.assertEqual([notes(error) for error in outcome.raised], [[]], outcome)
        self.assertNotIn("The server at", str(outcome))

    @each_base_and_scope
    def test_it_names_exceptions_and_their_lines(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/raise/1")
                get(self.base_url, "/after/2")
                raise ZeroDivisionError

        outcome = run_class(Tests)
        (note,) = notes(outcome.raised[0])
        first, second, *tracebacks = note.splitlines()[1:]
        self.assertEqual(tracebacks.count("    Traceback (most recent call last):"), 2)
        self.assertIn(f'  File "{os.path.abspath(RAISE.partition(":")[0])}"', note)
        self.assertRegex(
            first, r"GET /raise/1 \u2192 500 in \S+ ms, raised Trouble: no item for /raise/1, at "
        )
        self.assertTrue(first.endswith(f"at {RAISE} in do_raise"), first)
        self.assertRegex(
            second, r"GET /after/2 \u2192 200 in \S+ ms, raised Trouble: too late for /after/2, at "
        )
        self.assertTrue(second.endswith(f"at {AFTER} in do_after"), second)

    @each_base_and_scope
    def test_it_says_what_still_runs_and_where(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with Client(self.base_url, timeout=0.2) as client:
                    client.get("/hang/here")

        # Of the request that the stop cut; here it is about the note.
        warnings.simplefilter("ignore", ResourceWarning)
        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [TimeoutError], outcome)
        (note,) = notes(outcome.raised[0])
        self.assertIn("GET /hang/here \N{RIGHTWARDS ARROW} no answer, running for ", note)
        self.assertIn(f"at {HANG} in do_hang", note)

    @each_base_and_scope
    def test_it_shows_an_open_stream(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                client = Client(self.base_url)
                self.addCleanup(client.close)
                client.open("/stream").read(9)
                raise ZeroDivisionError

        outcome = run_class(Tests)
        (note,) = notes(outcome.raised[0])
        pattern = r"GET /stream \u2192 200, running for .* at tests.helpers.apps\.py:\d+ in "
        self.assertRegex(note, pattern)

    @each_base_and_scope
    def test_on_an_app_error(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/missing/1")
                get(self.base_url, "/raise/2")

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        (note,) = notes(outcome.raised[0])
        self.assertIn("GET /missing/1", note)
        self.assertIn("GET /raise/2", note)

    @each_base_and_scope
    def test_on_an_expected_failure(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            @unittest.expectedFailure
            def test_it(self) -> None:
                self.assertEqual(get(self.base_url, "/missing").status, 200)

        outcome = run_class(Tests)
        self.assertEqual(outcome.expectedFailures[0][1].count("The server at "), 1)

    @each_base_and_scope
    def test_after_the_test_stopped_its_server(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/missing")
                self.server.stop()
                raise ZeroDivisionError

        outcome = run_class(Tests)
        (note,) = notes(outcome.raised[0])
        self.assertIn("GET /missing", note)

    @each_base
    def test_a_result_that_knows_no_subtests(self, base: Any) -> None:
        class Old:
            """The least that unittest asks of a result."""

            shouldStop = False
            failed: list[BaseException] = []

            def startTest(self, test: Any) -> None:
                pass

            stopTest = addSuccess = startTest

            def addDuration(self, test: Any, seconds: float) -> None:
                pass

            def addFailure(self, test: Any, err: Any) -> None:
                self.failed.append(err[1])

            addError = addFailure

        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_it(self) -> None:
                get(self.base_url)
                with self.subTest(number=1):
                    pass
                with self.subTest(number=2):
                    self.fail("as it should")

        result = Old()
        Tests.setUpClass()
        try:
            Tests("test_it").run(result)
        finally:
            Tests.doClassCleanups()
        self.assertEqual([str(error) for error in result.failed], ["as it should"])


class WebSocketTests(StrictTestCase):
    """Where uvicorn has no library for WebSockets, the note of a test that wanted one says so."""

    HINT = (
        "\nuvicorn found no library for WebSockets, and took them for plain requests. "
        'Install one: pip install "liveserver[ws]"'
    )

    def note(self, config: dict[str, Any], upgrade: str = "websocket") -> str:
        class Tests(LiveServerTestCase):
            app = Shop()
            # A list is read anew each time, so that no configuration of before is used.
            server_options = {"uvicorn_config": {"headers": [], **config}}

            def test_it(self) -> None:
                headers = {"Connection": "Upgrade", "Upgrade": upgrade} if upgrade else {}
                answer = self.http.get("/missing", headers=headers)
                self.assertEqual(answer.status_code, 101)

        (error,) = run_class(Tests).raised
        (note,) = notes(error)
        self.assertIn("GET /missing \u2192 404", note)
        return note

    def protocols(self) -> list[dict[str, Any]]:
        found = importlib.util.find_spec("httptools") is not None
        return [{"http": "h11"}, *([{"http": "httptools"}] if found else [])]

    def without_library(self) -> Any:
        return mock.patch("uvicorn.protocols.websockets.auto.AutoWebSocketsProtocol", None)

    def test_the_hint(self) -> None:
        for config in self.protocols():
            for upgrade in ("websocket", "WebSocket"):
                with self.subTest(config=config, upgrade=upgrade), self.without_library():
                    self.assertTrue(self.note(config, upgrade).endswith(self.HINT))

    def test_nothing_is_said_to_others(self) -> None:
        for config in self.protocols():
            with self.subTest(config=config), self.without_library():
                self.assertNotIn("WebSocket", self.note(config, upgrade=""))
                self.assertNotIn("WebSocket", self.note(config, upgrade="h2c"))
                # Who says that there are none knows it.
                self.assertNotIn("WebSocket", self.note({**config, "ws": "none"}))

    def test_a_websocket_client(self) -> None:
        class Tests(IsolatedAsyncioLiveServerTestCase):
            app = Shop()
            server_options = {"uvicorn_config": {"headers": []}}

            async def test_it(self) -> None:
                await self.http.ws_connect("/missing")

        with self.without_library():
            (error,) = run_class(Tests).raised
        self.assertIsInstance(error, aiohttp.WSServerHandshakeError)
        self.assertTrue("\n".join(notes(error)).endswith(self.HINT))
