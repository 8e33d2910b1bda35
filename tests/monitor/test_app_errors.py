"""What the app raises fails the test that caused it, and no other."""

import asyncio
import contextlib
import dataclasses
import os
import re
import time
import unittest
from collections.abc import Callable
from typing import Any

from liveserver import AppError, LiveServer, ShutdownError, StartupError
from liveserver._monitor.monitor import TestMonitor
from tests.helpers import apps
from tests.helpers.observed import (
    AFTER,
    RAISE,
    ROOT,
    OtherTrouble,
    Shop,
    Trouble,
    needs_starlette,
    needs_websockets,
    notes,
)
from tests.helpers.support import (
    Client,
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    in_thread,
    loops,
    run_class,
    until,
    with_loop,
)


@dataclasses.dataclass(frozen=True)
class FrozenTrouble(Exception):
    """Refuses to be changed, which unittest does to causes."""

    text: str


async def raise_frozen(app: Any, receive: apps.Receive, send: apps.Send) -> None:
    raise FrozenTrouble("out of order")


class FrozenTests(StrictTestCase):
    """An exception that refuses to be changed is reported, and the run goes on."""

    @each_base
    def test_in_each_phase(self, base: Any) -> None:
        for phase, kind in (
            ("handler", AppError),
            ("startup", StartupError),
            ("shutdown", ShutdownError),
        ):
            with self.subTest(phase=phase):

                class Tests(base):  # type: ignore[misc]
                    app = apps.Faulty(**{phase: raise_frozen})

                    def test_it(self) -> None:
                        get(self.base_url)

                outcome = run_class(Tests)
                self.assertEqual([type(each) for each in outcome.raised], [kind])
                ((_, report),) = outcome.errors
                self.assertRegex(report, r'test_app_errors\.py", line \d+, in raise_frozen')
                self.assertIn("out of order", report)


class AppErrorTests(StrictTestCase):
    """An exception of the app fails the test that caused it."""

    seconds = 60  # for hundreds of tests, of which it may be measured what they reach

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(ROOT)  # reports have paths relative to it

    @each_base_and_scope
    def test_in_a_handler(self, base: Any, scope: str) -> None:
        statuses: list[int] = []

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_1_before(self) -> None:
                statuses.append(get(self.base_url).status)

            def test_2_raises(self) -> None:
                statuses.append(get(self.base_url, "/raise/7?x=1").status)

            def test_3_after(self) -> None:
                statuses.append(get(self.base_url).status)

        outcome = run_class(Tests)
        self.assertEqual(statuses, [200, 500, 200])
        self.assertEqual((outcome.testsRun, len(outcome.errors), len(outcome.failures)), (3, 1, 0))
        self.assertTrue(outcome.errors[0][0].id().endswith("test_2_raises"))
        error = outcome.raised[0]
        self.assertIs(type(error), AppError)
        self.assertIs(type(error.__cause__), Trouble)
        self.assertIn("GET /raise/7?x=1", str(error))
        self.assertIn("Trouble: no item for /raise/7", str(error))
        self.assertIn(f"at {RAISE} in do_raise", str(error))

    @each_base_and_scope
    def test_the_report_shows_the_apps_frames_once(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/raise")

        outcome = run_class(Tests)
        report = str(outcome)
        self.assertEqual(report.count("raise Trouble(f"), 1, report)
        self.assertIn("in do_raise", report)
        self.assertIn("in __call__", report)
        for folder in ("uvicorn", "liveserver"):
            self.assertNotRegex(report, rf'File ".*[\\/]{folder}[\\/]\w+\.py"')
        error = outcome.raised[0]
        assert isinstance(error, AppError)
        self.assertIn("raise Trouble(f", error.traceback)
        self.assertNotIn("^^^", error.traceback)

    @each_base
    def test_frames_of_other_libraries_stay(self, base: Any) -> None:
        # The negative control of the test before: only what stands before the app is left out.
        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=apps.start_twice)

            def test_it(self) -> None:
                get(self.base_url)

        report = str(run_class(Tests))
        self.assertRegex(report, r'(?s)in start_twice.*File ".*[\\/]uvicorn[\\/]')

    @each_base_and_scope
    def test_causes_of_the_apps_exception_are_shown(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/chain")

        outcome = run_class(Tests)
        report = str(outcome)
        self.assertEqual(report.count('raise OtherTrouble("the first thing")'), 1, report)
        self.assertEqual(report.count('raise Trouble("the second thing")'), 1, report)
        assert outcome.raised[0].__cause__ is not None
        self.assertIsInstance(outcome.raised[0].__cause__.__cause__, OtherTrouble)

    @each_base_and_scope
    def test_after_the_response(self, base: Any, scope: str) -> None:
        statuses: list[int] = []

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_1_raises(self) -> None:
                statuses.append(get(self.base_url, "/after/1").status)

            def test_2_after(self) -> None:
                statuses.append(get(self.base_url).status)

        outcome = run_class(Tests)
        self.assertEqual(statuses, [200, 200])
        self.assertEqual([type(error) for error in outcome.raised], [AppError])
        self.assertTrue(outcome.errors[0][0].id().endswith("test_1_raises"))
        self.assertIn("GET /after/1", str(outcome.raised[0]))
        self.assertIn(f"at {AFTER}", str(outcome.raised[0]))

    @needs_starlette
    @each_base_and_scope
    def test_in_a_background_task_of_starlette(self, base: Any, scope: str) -> None:
        from starlette.applications import Starlette
        from starlette.background import BackgroundTask
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        async def send_mail() -> None:
            raise Trouble("no mail today")

        async def order(request: Request) -> PlainTextResponse:
            return PlainTextResponse("ordered", background=BackgroundTask(send_mail))

        class Tests(base):  # type: ignore[misc]
            app = Starlette(routes=[Route("/order", order)])
            server_scope = scope

            def test_it(self) -> None:
                assert get(self.base_url, "/order").status == 200

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertIn("in send_mail", str(outcome.raised[0]))

    @needs_starlette
    @each_base
    def test_in_a_handler_of_starlette(self, base: Any) -> None:
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.routing import Route

        async def show(request: Request) -> Any:
            raise Trouble("nothing to show")

        class Tests(base):  # type: ignore[misc]
            app = Starlette(routes=[Route("/show", show)])

            def test_it(self) -> None:
                assert get(self.base_url, "/show").status == 500

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertIn("GET /show \N{RIGHTWARDS ARROW} 500", str(outcome.raised[0]))
        self.assertIn("in show", str(outcome.raised[0]))

    @each_base_and_scope
    def test_midway(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with contextlib.suppress(Exception):
                    get(self.base_url, "/midway")

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertIn("out of order midway", str(outcome.raised[0]))

    @each_base_and_scope
    def test_exceptions_that_are_not_an_exception(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=apps.raise_worse_trouble)
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url)

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertIsInstance(outcome.raised[0].__cause__, apps.WorseTrouble)

    @each_base
    def test_an_exception_without_a_text_of_its_own(self, base: Any) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise OtherTrouble("no words")

        async def raise_mute(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            raise Mute

        async def raise_mute_after(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            await apps.answer(send, b"whole")
            raise Mute

        for handler in (raise_mute, raise_mute_after):

            class Tests(base):  # type: ignore[misc]
                app = apps.Faulty(handler=handler)

                def test_it(self) -> None:
                    get(self.base_url)

            with self.subTest(handler=handler.__name__):
                outcome = run_class(Tests)
                self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
                self.assertIsInstance(outcome.raised[0].__cause__, Mute)
                self.assertIn("Mute", str(outcome.raised[0]))

    @each_base_and_scope
    def test_several_are_a_group(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                for path in ("/raise/1", "/fine", "/after/2", "/other/3"):
                    get(self.base_url, path)

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.raised), 1, outcome)
        group = outcome.raised[0]
        assert isinstance(group, ExceptionGroup)
        self.assertEqual([type(error) for error in group.exceptions], [AppError] * 3)
        self.assertEqual(
            [type(error.__cause__) for error in group.exceptions], [Trouble, Trouble, OtherTrouble]
        )
        paths = [re.search(r"GET (\S+)", str(error)) for error in group.exceptions]
        self.assertEqual([p and p[1] for p in paths], ["/raise/1", "/after/2", "/other/3"])
        report = str(outcome)
        self.assertEqual(report.count("raise Trouble(f"), 2, report)

    @each_base
    def test_a_group_of_the_tests_own_keeps_its_traceback(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = staticmethod(apps.hello)

            def test_it(self) -> None:
                errors = [AppError("GET / raised", "Traceback"), ValueError("of the test")]
                raise ExceptionGroup("several", errors)

        outcome = run_class(Tests)
        ((_, report),) = outcome.errors
        self.assertIn("in test_it", report)

    @each_base
    def test_a_hundred_tests_a_hundred_errors(self, base: Any) -> None:
        for loop in loops():
            for kind in ("raise", "after"):
                with self.subTest(loop=loop, kind=kind):
                    self.check_each_in_its_own(base, "class", loop, kind, 100)

    @each_base
    def test_twenty_servers_twenty_errors(self, base: Any) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                self.check_each_in_its_own(base, "test", loop, "after", 20)

    def check_each_in_its_own(
        self, base: Any, scope: str, loop: str, kind: str, number: int
    ) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope
            server_options = with_loop(loop)

            def ask(self) -> None:
                # Every third is a negative control.
                index = int(self._testMethodName.rpartition("_")[2])
                get(self.base_url, f"/{kind}/{index}" if index % 3 else f"/fine/{index}")

        for index in range(number):
            setattr(Tests, f"test_{index}", Tests.ask)
        outcome = run_class(Tests)
        self.assertEqual(outcome.testsRun, number)
        raising = {str(index) for index in range(number) if index % 3}
        seen = {}
        for (test, _), error in zip(outcome.errors, outcome.raised, strict=True):
            self.assertIs(type(error), AppError)
            path = re.search(rf"GET /{kind}/(\d+) ", str(error))
            assert path is not None
            seen[test.id().rpartition("_")[2]] = path[1]
        self.assertEqual(seen, {index: index for index in raising})

    @each_base
    def test_a_request_whose_answer_nobody_waits_for(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def ask(self) -> None:
                client = Client(self.base_url)
                self.addCleanup(client.close)
                client.send(f"/raise/{self._testMethodName}")

        for index in range(50):
            setattr(Tests, f"test_{index:02}", Tests.ask)
        outcome = run_class(Tests)
        seen = [
            (test.id().rpartition(".")[2], re.findall(r"GET /raise/(\S+)", str(error)))
            for (test, _), error in zip(outcome.errors, outcome.raised, strict=True)
        ]
        self.assertEqual(seen, [(f"test_{i:02}", [f"test_{i:02}"]) for i in range(50)])

    @each_base_and_scope
    def test_in_the_users_fixtures_and_cleanups(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def setUp(self) -> None:
                super().setUp()
                if "set_up" in self._testMethodName:
                    get(self.base_url, "/raise/set_up")
                if "cleanup" in self._testMethodName:
                    self.addCleanup(get, self.base_url, "/raise/cleanup")

            def tearDown(self) -> None:
                if "tear_down" in self._testMethodName:
                    get(self.base_url, "/raise/tear_down")

            def test_cleanup(self) -> None:
                pass

            def test_nothing(self) -> None:
                pass

            def test_set_up(self) -> None:
                pass

            def test_tear_down(self) -> None:
                pass

        outcome = run_class(Tests)
        names = [test.id().rpartition(".test_")[2] for test, _ in outcome.errors]
        self.assertEqual(names, ["cleanup", "set_up", "tear_down"], outcome)
        for name, error in zip(names, outcome.raised, strict=True):
            self.assertIs(type(error), AppError)
            self.assertIn(f"GET /raise/{name}", str(error))

    def test_in_async_tests_fixtures_and_cleanups(self) -> None:
        from liveserver import IsolatedAsyncioLiveServerTestCase

        for scope in ("class", "test"):

            class Tests(IsolatedAsyncioLiveServerTestCase):
                app = Shop()
                server_scope = scope

                async def ask(self, name: str) -> None:
                    if name in self._testMethodName:
                        await in_thread(get, self.base_url, f"/after/{name}")

                async def asyncSetUp(self) -> None:
                    self.addAsyncCleanup(self.ask, "cleanup")
                    await self.ask("set_up")

                async def asyncTearDown(self) -> None:
                    await self.ask("tear_down")

                async def test_cleanup(self) -> None:
                    pass

                async def test_itself(self) -> None:
                    await self.ask("itself")

                async def test_nothing(self) -> None:
                    pass

                async def test_set_up(self) -> None:
                    pass

                async def test_tear_down(self) -> None:
                    pass

            with self.subTest(scope=scope):
                outcome = run_class(Tests)
                names = [test.id().rpartition(".test_")[2] for test, _ in outcome.errors]
                self.assertEqual(names, ["cleanup", "itself", "set_up", "tear_down"], outcome)
                for name, error in zip(names, outcome.raised, strict=True):
                    self.assertIs(type(error), AppError)
                    self.assertIn(f"GET /after/{name}", str(error))

    @each_base_and_scope
    def test_raise_server_errors_false(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope
            raise_server_errors = False

            def test_1_passes(self) -> None:
                assert get(self.base_url, "/raise/1").status == 500
                get(self.base_url, "/after/1")

            def test_2_fails(self) -> None:
                self.assertEqual(get(self.base_url, "/raise/2").status, 200)

        outcome = run_class(Tests)
        self.assertEqual((len(outcome.errors), len(outcome.failures)), (0, 1), outcome)
        note = "\n".join(notes(outcome.raised[0]))
        self.assertIn("Trouble: no item for /raise/2", note)
        self.assertIn(f"at {RAISE}", note)
        self.assertNotIn("/raise/1", note)

    @each_base
    def test_raise_server_errors_false_outside_any_test(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            raise_server_errors = False

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                get(cls.base_url, "/raise/set_up_class")

            def test_it(self) -> None:
                pass

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    @each_base
    def test_a_subclass_that_forgets_super_is_still_checked(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def setUp(self) -> None:
                pass

            def tearDown(self) -> None:
                pass

            def test_fine(self) -> None:
                get(self.base_url, "/fine")

            def test_raises(self) -> None:
                get(self.base_url, "/after")

        outcome = run_class(Tests)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertTrue(outcome.errors[0][0].id().endswith("test_raises"))

    @each_base_and_scope
    def test_the_tests_own_failure_and_the_apps_error(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                self.assertEqual(get(self.base_url, "/raise").status, 200)

        outcome = run_class(Tests)
        (error,) = outcome.raised
        self.assertIs(type(error), AssertionError)
        (note,) = notes(error)
        self.assertIn("raise Trouble(f", note)  # the app's line
        self.assertEqual(str(outcome).count("raise Trouble(f"), 1, outcome)

    @each_base_and_scope
    def test_expected_failure(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            @unittest.expectedFailure
            def test_fails_by_the_500(self) -> None:
                self.assertEqual(get(self.base_url, "/raise").status, 200)

            @unittest.expectedFailure
            def test_passes_for_all_that(self) -> None:
                get(self.base_url, "/fine")

        outcome = run_class(Tests)
        self.assertEqual(outcome.raised, [], outcome)
        self.assertEqual(len(outcome.expectedFailures), 1)
        self.assertEqual(len(outcome.unexpectedSuccesses), 1)

    @each_base
    def test_expected_failure_of_a_class(self, base: Any) -> None:
        @unittest.expectedFailure
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_it(self) -> None:
                self.assertEqual(get(self.base_url, "/raise").status, 200)

        outcome = run_class(Tests)
        self.assertEqual(outcome.raised, [], outcome)
        self.assertEqual(len(outcome.expectedFailures), 1)

    @each_base_and_scope
    def test_skipped_tests(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            @unittest.skip("not today")
            def test_1_decorated(self) -> None:
                get(self.base_url, "/raise")

            def test_2_itself(self) -> None:
                get(self.base_url, "/fine")
                self.skipTest("not today")

            def test_3_after_the_app_raised(self) -> None:
                get(self.base_url, "/raise/3")
                self.skipTest("not today")

            def test_4_next(self) -> None:
                get(self.base_url, "/fine")

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.skipped), 3)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertTrue(outcome.errors[0][0].id().endswith("test_3_after_the_app_raised"))

    @each_base_and_scope
    def test_the_server_was_stopped_or_restarted_by_the_test(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_1_restarted(self) -> None:
                get(self.base_url, "/raise/before")
                self.server.restart()
                get(self.base_url, "/raise/since")

            def test_2_stopped(self) -> None:
                get(self.base_url, "/after/stop")
                self.server.stop()

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [ExceptionGroup, AppError], outcome)
        group = outcome.raised[0]
        assert isinstance(group, ExceptionGroup)
        self.assertIn("GET /raise/before", str(group.exceptions[0]))
        self.assertIn("GET /raise/since", str(group.exceptions[1]))
        self.assertIn("GET /after/stop", str(outcome.raised[1]))

    def test_a_server_that_is_followed_no_longer(self) -> None:
        with LiveServer(apps.Faulty(handler=apps.raise_trouble)) as server:
            monitor = TestMonitor(server, raises=True)
            get(server.base_url)
            server.wait_idle(5)
            with self.assertRaises(AppError):
                monitor.detach()
            self.assertEqual(monitor.note(), "")

    @each_base_and_scope
    def test_debug_runs_a_test_too(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/fine")

        suite = unittest.TestSuite([Tests("test_it")])
        try:
            suite.debug()
        finally:
            Tests.doClassCleanups()


class OutsideTests(StrictTestCase):
    """What the app raises outside of all tests fails the class."""

    def check(self, tests: Any, path: str) -> None:
        outcome = run_class(tests)
        self.assertEqual(outcome.testsRun, 1)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertIn(f"GET {path}", str(outcome.raised[0]))
        self.assertRegex(str(outcome.errors[0][0]), r"^(setUpClass|tearDownClass) ")
        self.assertEqual(str(outcome).count("raise Trouble(f"), 1, outcome)

    @each_base
    def test_in_set_up_class(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                get(cls.base_url, "/raise/set_up_class")

            def test_it(self) -> None:
                get(self.base_url, "/fine")

        self.check(Tests, "/raise/set_up_class")

    @each_base
    def test_in_tear_down_class(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            @classmethod
            def tearDownClass(cls) -> None:
                get(cls.base_url, "/raise/tear_down_class")
                super().tearDownClass()

            def test_it(self) -> None:
                get(self.base_url, "/fine")

        self.check(Tests, "/raise/tear_down_class")

    @each_base
    def test_in_a_class_cleanup(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                cls.addClassCleanup(get, cls.base_url, "/after/class_cleanup")

            def test_it(self) -> None:
                get(self.base_url, "/fine")

        self.check(Tests, "/after/class_cleanup")

    @each_base
    def test_a_stream_that_raises_in_a_later_test(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_1_opens(self) -> None:
                client = Client(self.base_url)
                self.addClassCleanup(client.close)
                client.open("/later")

            def test_2_is_not_to_blame(self) -> None:
                self.app.go_on.set()
                until(lambda: not self.server.requests[0].running)

        outcome = run_class(Tests)
        self.assertEqual(outcome.testsRun, 2)
        self.assertEqual([type(error) for error in outcome.raised], [AppError], outcome)
        self.assertRegex(str(outcome.errors[0][0]), "^tearDownClass ")
        self.assertIn("raised at last", str(outcome.raised[0]))

    @each_base
    def test_at_the_shutdown(self, base: Any) -> None:
        class Stubborn(Shop):
            async def do_stream(
                self, scope: apps.Scope, receive: apps.Receive, send: apps.Send
            ) -> None:
                await super().do_stream(scope, receive, send)
                raise Trouble(f"not yet done with {scope['path']}")

        class Tests(base):  # type: ignore[misc]
            app = Stubborn()

            def test_it(self) -> None:
                client = Client(self.base_url)
                self.addClassCleanup(client.close)
                client.open("/stream")

        self.check(Tests, "/stream")

    @each_base
    def test_nothing_outside_fails_nothing(self, base: Any) -> None:
        # The negative control: what a test was told of, the class is not told again.
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                get(cls.base_url, "/fine")

            def test_expected(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/raise")

            def test_raises(self) -> None:
                get(self.base_url, "/raise")

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.raised), 1, outcome)
        self.assertTrue(outcome.errors[0][0].id().endswith("test_raises"))


class DepartureTests(StrictTestCase):
    """That a client has left is no error of the app; that it could have left is no excuse."""

    @each_base_and_scope
    def test_cancelled_error(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                assert get(self.base_url, "/departed").status == 500

        (error,) = run_class(Tests).raised
        self.assertIs(type(error), AppError)
        self.assertIs(type(error.__cause__), asyncio.CancelledError)
        self.assertIn("GET /departed \N{RIGHTWARDS ARROW} 500 in ", str(error))

    @needs_starlette
    @each_base
    def test_exceptions_of_starlette(self, base: Any) -> None:
        from starlette.requests import ClientDisconnect
        from starlette.websockets import WebSocketDisconnect

        Namesake = type("ClientDisconnect", (Exception,), {})
        Subclass = type("Gone", (ClientDisconnect,), {})
        for error, verdict in (
            (ClientDisconnect(), []),
            (WebSocketDisconnect(1006), []),
            (Subclass(), []),
            (ExceptionGroup("two", [ClientDisconnect(), WebSocketDisconnect(1006)]), []),
            (Namesake(), [AppError]),  # the negative controls
            (ExceptionGroup("mixed", [ClientDisconnect(), Trouble("other")]), [AppError]),
        ):
            for stays in (False, True):

                async def leave(
                    app: Any, receive: apps.Receive, send: apps.Send, error: Any = error
                ) -> None:
                    while not stays and (await receive())["type"] != "http.disconnect":  # noqa: B023
                        pass
                    raise error

                class Tests(base):  # type: ignore[misc]
                    app = apps.Faulty(handler=leave)

                    def test_it(self) -> None:
                        with Client(self.base_url) as client:
                            client.send()
                            assert self.app.begun.wait(5)
                            if stays:  # noqa: B023
                                assert client.receive().status == 500

                with self.subTest(error=error, stays=stays):
                    outcome = run_class(Tests)
                    expected = [AppError] if stays else verdict
                    self.assertEqual([type(e) for e in outcome.raised], expected, outcome)
                    if "mixed" in str(error) and not stays:
                        group = outcome.raised[0].__cause__
                        assert isinstance(group, ExceptionGroup)
                        self.assertEqual([type(e) for e in group.exceptions], [Trouble])

    @each_base_and_scope
    def test_a_client_that_does_not_wait(self, base: Any, scope: str) -> None:
        async def answer_late(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            await apps.answer(send, b"to nobody")

        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=answer_late)
            server_scope = scope

            def test_it(self) -> None:
                with Client(self.base_url) as client:
                    client.send()
                    assert self.app.begun.wait(5)
                self.server.wait_idle(5)

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    def check_echo(self, base: Any, scope: str, shop: Any) -> None:
        from websockets.sync.client import connect

        class Tests(base):  # type: ignore[misc]
            app = shop
            server_scope = scope

            def test_1_closes_at_once(self) -> None:
                with connect(self.server.ws_url + "/echo"):
                    pass

            def test_2_closes_after_an_echo(self) -> None:
                with connect(self.server.ws_url + "/echo") as client:
                    client.send("hello")
                    assert client.recv() == "hello"

            def test_3_closes_before_the_echo(self) -> None:
                with connect(self.server.ws_url + "/echo") as client:
                    for _ in range(5):
                        client.send("hello")

            def test_4_breaks_off(self) -> None:
                with connect(self.server.ws_url + "/echo") as client:
                    client.send("hello")
                    self.server.drop_connections()

            def test_5_leaves_it_open(self) -> None:
                self.enterClassContext(connect(self.server.ws_url + "/echo"))

        outcome = run_class(Tests)
        self.assertEqual(outcome.testsRun, 5)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    @needs_websockets
    @each_base_and_scope
    def test_a_naive_echo(self, base: Any, scope: str) -> None:
        self.check_echo(base, scope, Shop())

    @needs_websockets
    @needs_starlette
    @each_base_and_scope
    def test_a_naive_echo_of_starlette(self, base: Any, scope: str) -> None:
        from starlette.applications import Starlette
        from starlette.routing import WebSocketRoute
        from starlette.websockets import WebSocket

        async def echo(websocket: WebSocket) -> None:
            await websocket.accept()
            while True:
                text = await websocket.receive_text()
                await asyncio.sleep(0.01)
                await websocket.send_text(text)

        self.check_echo(base, scope, Starlette(routes=[WebSocketRoute("/echo", echo)]))

    @needs_websockets
    @each_base_and_scope
    def test_a_broken_echo(self, base: Any, scope: str) -> None:
        # The negative control.
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with connect(self.server.ws_url + "/broken_echo") as client:
                    client.send("hello")
                    with self.assertRaises(ConnectionClosed):
                        client.recv(5)

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AppError], outcome)
        self.assertIn("WebSocket /broken_echo", str(outcome.raised[0]))
        self.assertIn("no echo", str(outcome.raised[0]))


class LeftOpenTests(StrictTestCase):
    """What a test left open, and has no end of its own, is not waited for."""

    def check(self, base: Any, use: Callable[[Any], None], kind: bytes = b"") -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.Stream(kind) if kind else Shop()

            def test_1_leaves_it(self) -> None:
                use(self)
                type(self).left = time.monotonic()

            def test_2_next(self) -> None:
                type(self).waited = time.monotonic() - self.left
                type(self).still_open = self.server.requests[0].running

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertLess(Tests.waited, 1)
        self.assertTrue(Tests.still_open)  # else nothing was tested

    @staticmethod
    def open_stream(test: Any) -> None:
        client = Client(test.base_url)
        test.addClassCleanup(client.close)
        client.open("/stream").read(9)

    @each_base
    def test_event_streams(self, base: Any) -> None:
        self.check(base, self.open_stream)

    @each_base
    def test_other_streams(self, base: Any) -> None:
        self.check(base, self.open_stream, b"application/x-ndjson")

    @needs_websockets
    @each_base
    def test_websockets(self, base: Any) -> None:
        from websockets.sync.client import connect

        def use(test: Any) -> None:
            test.enterClassContext(connect(test.server.ws_url + "/echo"))

        self.check(base, use)
