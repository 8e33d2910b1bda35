"""When the server of a test case starts and stops, in both scopes and both base classes."""

import asyncio
import unittest
from typing import Any

from liveserver import (
    ConfigurationError,
    IsolatedAsyncioLiveServerTestCase,
    LiveServer,
    LiveServerMixin,
    LiveServerTestCase,
    NotRunningError,
    StartupError,
)
from tests.helpers import apps
from tests.helpers.support import (
    SCOPES,
    Client,
    Outcome,
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    in_thread,
    run_class,
)


class ScopeTests(StrictTestCase):
    """One server for the class, or a fresh one for each test."""

    @each_base
    def test_class_scope_is_one_server_for_all_tests(self, base: Any) -> None:
        app = apps.Recorder()
        served: list[bytes] = []

        class Tests(base):  # type: ignore[misc]
            def test_one(self) -> None:
                served.append(get(self.base_url).body)

            def test_two(self) -> None:
                served.append(get(self.base_url).body)

        Tests.app = app
        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(served, [b"1", b"2"])
        self.assertEqual(app.events, ["startup", "shutdown"])

    @each_base
    def test_test_scope_is_a_fresh_server_for_each_test(self, base: Any) -> None:
        built: list[apps.Recorder] = []
        served: list[bytes] = []

        class Tests(base):  # type: ignore[misc]
            server_scope = "test"

            @classmethod
            def create_app(cls) -> apps.Recorder:
                built.append(apps.Recorder())
                return built[-1]

            def test_one(self) -> None:
                served.append(get(self.base_url).body)

            def test_two(self) -> None:
                served.append(get(self.base_url).body)

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(served, [b"1", b"1"])
        self.assertEqual([app.events for app in built], [["startup", "shutdown"]] * 2)

    @each_base
    def test_each_class_has_a_server_of_its_own(self, base: Any) -> None:
        urls: dict[str, set[str]] = {}

        class First(base):  # type: ignore[misc]
            app = apps.hello

            def test_url(self) -> None:
                urls.setdefault(type(self).__name__, set()).add(self.base_url)
                self.assertIs(self.server, type(self).server)

        class Second(First):
            pass

        self.assertTrue(run_class(First, Second).wasSuccessful())
        self.assertEqual([len(urls[name]) for name in ("First", "Second")], [1, 1])

    @each_base_and_scope
    def test_a_plain_function_is_not_bound(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.hello
            server_scope = scope

            def test_it(self) -> None:
                assert self.server.app is apps.hello
                assert get(self.base_url).body == b"hello"

        self.assertTrue(run_class(Tests).wasSuccessful())

    @each_base_and_scope
    def test_an_import_string_is_imported(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = "tests.helpers.apps:hello"
            server_scope = scope

            def test_it(self) -> None:
                assert self.server.app is apps.hello

        self.assertTrue(run_class(Tests).wasSuccessful())

    @each_base_and_scope
    def test_options_reach_the_server(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = "tests.helpers.apps:Recorder"
            server_scope = scope
            server_options = {
                "factory": True,
                "public_host": "tests.internal",
                "uvicorn_config": {"root_path": "/api"},
            }

            def test_it(self) -> None:
                assert self.base_url == f"http://tests.internal:{self.server.port}"
                assert isinstance(self.server.app, apps.Recorder)

        self.assertTrue(run_class(Tests).wasSuccessful())

    @each_base
    def test_the_url_can_be_used_in_the_users_set_up_class(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.hello

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                cls.greeting = get(cls.base_url).body

            def test_it(self) -> None:
                assert self.greeting == b"hello"

        self.assertTrue(run_class(Tests).wasSuccessful())


class OrderTests(StrictTestCase):
    """The server is there before the user's fixtures, and goes after their cleanups."""

    @each_base
    def test_class_scope(self, base: Any) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                cls.addClassCleanup(app.events.append, "class cleanup")
                app.events.append("setUpClass")

            @classmethod
            def tearDownClass(cls) -> None:
                app.events.append("tearDownClass")
                super().tearDownClass()

            def test_it(self) -> None:
                app.events.append("test")

        Tests.app = app
        self.assertTrue(run_class(Tests).wasSuccessful())
        self.assertEqual(
            app.events,
            ["startup", "setUpClass", "test", "tearDownClass", "class cleanup", "shutdown"],
        )

    @each_base
    def test_test_scope(self, base: Any) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            server_scope = "test"

            def setUp(self) -> None:
                super().setUp()
                self.addCleanup(app.events.append, "cleanup")
                app.events.append("setUp")

            def tearDown(self) -> None:
                app.events.append("tearDown")

            def test_it(self) -> None:
                app.events.append("test")

        Tests.app = app
        self.assertTrue(run_class(Tests).wasSuccessful())
        self.assertEqual(
            app.events, ["startup", "setUp", "test", "tearDown", "cleanup", "shutdown"]
        )

    def test_async_fixtures_see_the_server(self) -> None:
        app = apps.Recorder()

        class Tests(IsolatedAsyncioLiveServerTestCase):
            server_scope = "test"

            async def asyncSetUp(self) -> None:
                app.events.append("asyncSetUp")
                assert (await in_thread(get, self.base_url)).status == 200
                self.addAsyncCleanup(self.clean_up)

            async def clean_up(self) -> None:
                assert (await in_thread(get, self.base_url)).status == 200
                app.events.append("async cleanup")

            async def test_it(self) -> None:
                app.events.append("test")

        Tests.app = app
        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(app.events, ["startup", "asyncSetUp", "test", "async cleanup", "shutdown"])

    def test_the_stop_of_test_scope_leaves_the_tests_loop_free(self) -> None:
        loops: list[asyncio.AbstractEventLoop] = []

        async def asks_the_tests_loop(
            scope: apps.Scope, receive: apps.Receive, send: apps.Send
        ) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loops[0])
            await asyncio.wait_for(asyncio.wrap_future(turn), 5)
            await send({"type": "lifespan.shutdown.complete"})

        class Tests(IsolatedAsyncioLiveServerTestCase):
            app = asks_the_tests_loop
            server_scope = "test"

            async def test_it(self) -> None:
                loops.append(asyncio.get_running_loop())

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)


class FailureTests(StrictTestCase):
    """Whatever raises in the user's code, the server is stopped."""

    @each_base
    def test_set_up_class_raises(self, base: Any) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                raise ZeroDivisionError

            def test_it(self) -> None:
                app.events.append("test")

        Tests.app = app
        outcome = run_class(Tests)
        self.assertIsInstance(outcome.raised[0], ZeroDivisionError)
        self.assertEqual(app.events, ["startup", "shutdown"])

    @each_base
    def test_set_up_raises(self, base: Any) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            server_scope = "test"

            def setUp(self) -> None:
                super().setUp()
                raise ZeroDivisionError

            def test_it(self) -> None:
                app.events.append("test")

        Tests.app = app
        outcome = run_class(Tests)
        self.assertIsInstance(outcome.raised[0], ZeroDivisionError)
        self.assertEqual(app.events, ["startup", "shutdown"])

    @each_base_and_scope
    def test_a_test_and_its_tear_down_raise(self, base: Any, scope: str) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            server_scope = scope

            def test_it(self) -> None:
                raise ZeroDivisionError

            def tearDown(self) -> None:
                raise KeyError

        Tests.app = app
        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [ZeroDivisionError, KeyError])
        self.assertEqual(app.events, ["startup", "shutdown"])

    @each_base_and_scope
    def test_the_app_refuses_to_start(self, base: Any, scope: str) -> None:
        async def refuses(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            raise ZeroDivisionError

        class Tests(base):  # type: ignore[misc]
            app = refuses
            server_scope = scope

            def test_it(self) -> None:
                raise AssertionError("it ran")

        class Next(base):  # type: ignore[misc]
            app = apps.hello

            def test_it(self) -> None:
                assert get(self.base_url).body == b"hello"

        outcome = run_class(Tests, Next)
        self.assertEqual([type(e) for e in outcome.raised], [StartupError])
        self.assertIsInstance(outcome.raised[0].__cause__, ZeroDivisionError)

    @each_base_and_scope
    def test_the_app_fails_while_stopping(self, base: Any, scope: str) -> None:
        async def fails(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            raise ZeroDivisionError

        class Tests(base):  # type: ignore[misc]
            app = fails
            server_scope = scope

            def test_it(self) -> None:
                pass

        outcome = run_class(Tests)
        self.assertIn("liveserver.ShutdownError", str(outcome))
        self.assertIn("ZeroDivisionError", str(outcome))

    def test_a_report_does_not_begin_in_our_hooks(self) -> None:
        for scope in SCOPES:

            class Tests(LiveServerTestCase):
                server_scope = scope
                app = "tests.helpers.broken_module:app"

                def test_it(self) -> None:
                    pass

            report = str(run_class(Tests))
            self.assertNotIn("_case.py", report)
            self.assertIn("broken_module.py", report)


class NothingToDoTests(StrictTestCase):
    """No test, no server."""

    @each_base_and_scope
    def test_skipped_tests_and_classes_start_nothing(self, base: Any, scope: str) -> None:
        app = apps.Recorder()

        class Tests(base):  # type: ignore[misc]
            server_scope = "test"

            @unittest.skip("not today")
            def test_it(self) -> None:
                pass

        class Skipped(base):  # type: ignore[misc]
            server_scope = scope

            def test_it(self) -> None:
                pass

        Tests.app = Skipped.app = app
        self.assertEqual(len(run_class(Tests, unittest.skip("not today")(Skipped)).skipped), 2)
        self.assertEqual(app.events, [])

    @each_base_and_scope
    def test_a_base_class_without_tests_starts_nothing(self, base: Any, scope: str) -> None:
        app = apps.Recorder()

        class Base(base):  # type: ignore[misc]
            server_scope = scope

        Base.app = app
        self.assertEqual(run_class(Base).testsRun, 0)
        self.assertEqual(app.events, [])


class CoroutineTests(StrictTestCase):
    """A test that is a coroutine function is awaited or refused."""

    def test_the_sync_case_refuses_it_and_runs_the_others(self) -> None:
        ran: list[str] = []

        class Tests(LiveServerTestCase):
            app = apps.hello

            def test_1(self) -> None:
                ran.append(self.id())

            async def test_2(self) -> None:
                ran.append(self.id())

            @unittest.skip("not today")
            async def test_3(self) -> None:
                ran.append(self.id())

            @unittest.expectedFailure
            async def test_4(self) -> None:
                ran.append(self.id())

            def test_5(self) -> None:
                ran.append(self.id())

        outcome = run_class(Tests)
        self.assertEqual([each[-6:] for each in ran], ["test_1", "test_5"])
        self.assertEqual([test.id()[-6:] for test, _ in outcome.skipped], ["test_3"])
        self.assertEqual([test.id()[-6:] for test, _ in outcome.errors], ["test_2", "test_4"])
        for error in outcome.raised:
            self.assertIsInstance(error, ConfigurationError)

    def test_whoever_awaits_it_runs_it(self) -> None:
        ran: list[Any] = []

        class Mixed(LiveServerMixin, unittest.IsolatedAsyncioTestCase):
            app = apps.hello

            async def test_it(self) -> None:
                ran.append(type(self))

        class Both(LiveServerTestCase, unittest.IsolatedAsyncioTestCase):
            app = apps.hello

            async def test_it(self) -> None:
                ran.append(type(self))

        outcome = run_class(Mixed, Both)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(ran, [Mixed, Both])


class ClientsTests(StrictTestCase):
    """A client that the user's cleanup closes is gone before its server."""

    @each_base_and_scope
    def test_the_url_is_gone_after_the_test(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = staticmethod(apps.hello)
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url)

        case = Tests("test_it")  # which somebody keeps
        outcome = Outcome()
        unittest.TestSuite([case]).run(outcome)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        with self.assertRaises(NotRunningError):
            _ = case.base_url

    @each_base_and_scope
    def test_the_server_still_answers_in_tear_down_and_cleanups(
        self, base: Any, scope: str
    ) -> None:
        answered: list[int] = []

        class Tests(base):  # type: ignore[misc]
            app = apps.hello
            server_scope = scope

            def setUp(self) -> None:
                super().setUp()
                self.client = Client(self.base_url)
                self.addCleanup(self.client.close)
                self.addCleanup(self.ask)

            def ask(self) -> None:
                answered.append(self.client.get().status)

            def test_it(self) -> None:
                self.ask()

            def tearDown(self) -> None:
                self.ask()

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(answered, [200] * 3)


class MixinTests(StrictTestCase):
    """The mixin works with other test cases, and the server is told apart by its bases."""

    def test_with_a_test_case_of_somebody_else(self) -> None:
        events: list[str] = []

        class Other(unittest.TestCase):
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                events.append("setUpClass of Other")

            def setUp(self) -> None:
                super().setUp()
                events.append("setUp of Other")

        class Tests(LiveServerMixin, Other):
            app = apps.hello

            def test_it(self) -> None:
                assert get(self.base_url).status == 200

        self.assertTrue(run_class(Tests).wasSuccessful())
        self.assertEqual(events, ["setUpClass of Other", "setUp of Other"])

    def test_with_an_async_test_case(self) -> None:
        class Tests(LiveServerMixin, unittest.IsolatedAsyncioTestCase):
            app = apps.hello
            server_scope = "test"

            async def test_it(self) -> None:
                assert (await in_thread(get, self.base_url)).status == 200

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    def test_beside_a_mixin_that_has_fixtures_too(self) -> None:
        events: list[str] = []

        class Fixtures:
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()  # type: ignore[misc]  # a mixin
                cls.note("setUpClass")

            def setUp(self) -> None:
                super().setUp()  # type: ignore[misc]
                self.note("setUp")

            @classmethod
            def note(cls, hook: str) -> None:
                events.append(f"{hook}, server: {hasattr(cls, 'server')}")

        class Before(Fixtures, LiveServerTestCase):
            app = apps.hello

            def test_it(self) -> None:
                assert get(self.base_url).status == 200

        class After(LiveServerMixin, Fixtures, unittest.TestCase):
            app = apps.hello

            def test_it(self) -> None:
                assert get(self.base_url).status == 200

        class BeforeAsync(Fixtures, LiveServerMixin, unittest.IsolatedAsyncioTestCase):
            app = apps.hello

            async def test_it(self) -> None:
                assert (await in_thread(get, self.base_url)).status == 200

        # A mixin that comes first may use the server in its fixtures; one that comes later may
        # not, as the server starts when the fixtures below it are done.
        before = ["setUpClass, server: True", "setUp, server: True"]
        after = ["setUpClass, server: False", "setUp, server: True"]
        for cls, wanted in ((Before, before), (After, after), (BeforeAsync, before)):
            with self.subTest(cls=cls.__name__):
                events.clear()
                outcome = run_class(cls)
                self.assertTrue(outcome.wasSuccessful(), outcome)
                self.assertEqual((outcome.testsRun, events), (1, wanted))

    @each_base_and_scope
    def test_in_a_diamond(self, base: Any, scope: str) -> None:
        recorder = apps.Recorder()

        class Base(base):  # type: ignore[misc]
            server_scope = scope

            @classmethod
            def create_app(cls) -> Any:
                return recorder

        class Left(Base):
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                recorder.events.append("left")

        class Right(Base):
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                recorder.events.append("right")

        class Tests(Left, Right):
            def test_it(self) -> None:
                recorder.events.append(str(get(self.base_url).status))

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        served = ["startup", "200", "shutdown"]
        if scope == "class":
            served[1:1] = ["right", "left"]
        else:
            served[:0] = ["right", "left"]
        self.assertEqual(recorder.events, served)

    def test_create_app_may_wrap_what_the_class_names(self) -> None:
        class Tests(LiveServerTestCase):
            app = "tests.helpers.apps:hello"

            @classmethod
            def create_app(cls) -> Any:
                inner = super().create_app()

                async def wrapped(scope: Any, receive: Any, send: Any) -> None:
                    await inner(scope, receive, send)

                return wrapped

            def test_it(self) -> None:
                assert isinstance(self.server, LiveServer)
                assert get(self.base_url).body == b"hello"

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)


class OwnAttributesTests(StrictTestCase):
    """What only resembles our attributes is the user's own."""

    @each_base
    def test_they_are_left_alone(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.hello
            server_ports = (1, 2)
            server_side = True
            raises = ValueError

            def server_option(self) -> None: ...

            def test_it(self) -> None: ...

        outcome = run_class(Tests)
        self.assertEqual((outcome.testsRun, outcome.raised), (1, []))
