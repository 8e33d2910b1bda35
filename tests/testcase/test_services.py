"""Several servers at a time: the class's own, and those that its fixtures and tests start."""

import re
import unittest
from typing import Any

from liveserver import AppError, LiveServer
from tests.helpers import apps
from tests.helpers.observed import Shop, Trouble
from tests.helpers.support import (
    Outcome,
    StrictTestCase,
    each_base_and_scope,
    get,
    in_thread,
    run_class,
)


class Caller:
    """An app that asks another server, and raises if that does not answer 200."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.Recorder()(scope, receive, send)
        answer = await in_thread(get, self.url, scope["path"])
        if answer.status != 200:
            raise Trouble(f"{self.name} got {answer.status}")
        await apps.answer(send, answer.body)


def texts(outcome: Outcome) -> dict[str, str]:
    """What each test that failed has to say."""
    return {test.id().rpartition(".")[2]: text for test, text in outcome.errors + outcome.failures}


class ServicesTests(StrictTestCase):
    """Test classes, through both base classes and with both scopes."""

    @each_base_and_scope
    def test_each_exception_is_in_its_test_and_the_innermost_first(
        self, base: Any, scope: str
    ) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Caller("orders")
            server_scope = scope

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                cls.stock = cls.enterClassContext(LiveServer(Shop()))
                cls.app.url = cls.stock.base_url

            def setUp(self) -> None:
                super().setUp()
                self.third = self.enterContext(LiveServer(Shop()))

            def test_1(self) -> None:
                get(self.base_url, "/raise/1")

            def test_2(self) -> None:
                get(self.stock.base_url, "/raise/2")

            def test_3(self) -> None:
                get(self.third.base_url, "/after/3")

            def test_4(self) -> None:
                self.assertEqual(get(self.base_url, "/fine").status, 200)

            def test_5(self) -> None:
                self.assertEqual(get(self.base_url, "/raise/5").status, 200)

        found = texts(run_class(Tests))
        self.assertEqual(list(found), ["test_1", "test_2", "test_3", "test_5"])
        for number in "1235":
            of_it = re.findall(r"(?:no item|too late) for /\w+/(\d)", found[f"test_{number}"])
            self.assertEqual(set(of_it), {number})
        _, _, exceptions = found["test_1"].partition(" 1 ---")
        inner = exceptions.index("Trouble: no item for /raise/1")
        self.assertLess(inner, exceptions.index("Trouble: orders got 500"))
        self.assertRegex(
            found["test_5"],
            r"Servers in this test: (\S+) at http://127\.0\.0\.1:\d+, (\S+) at http://\S+:\d+\n"
            r"  \1 +GET /raise/5 → 500 in .* raised .*Trouble: orders got 500, at .*\n"
            r"  \2 +GET /raise/5 → 500 in .* raised .*Trouble: no item for /raise/5, at ",
        )

    @each_base_and_scope
    def test_apps_of_one_name_are_told_by_their_ports(self, base: Any, scope: str) -> None:
        ports: list[int] = []

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with LiveServer(Shop()) as other:
                    get(self.base_url, "/fine")
                    get(other.base_url, "/fine")
                    ports.extend((self.server.port, other.port))
                    self.fail("on purpose")

        found = texts(run_class(Tests))["test_it"]
        first, second = ports
        self.assertRegex(found, rf"(?m)^  Shop:{first}  GET /fine → 200")
        self.assertRegex(found, rf"(?m)^  Shop:{second}  GET /fine → 200")

    @each_base_and_scope
    def test_a_server_that_is_not_judged(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def setUp(self) -> None:
                super().setUp()
                self.other = self.enterContext(LiveServer(Shop(), raise_server_errors=False))

            def test_1(self) -> None:
                get(self.other.base_url, "/raise")

            def test_2(self) -> None:
                get(self.other.base_url, "/raise")
                self.fail("on purpose")

            def test_3(self) -> None:
                get(self.other.base_url, "/raise")
                get(self.base_url, "/raise")

            def test_4(self) -> None:
                with self.assertServerRaises(Trouble, self.other):
                    get(self.other.base_url, "/raise")

        outcome = run_class(Tests)
        found = texts(outcome)
        self.assertEqual(set(found), {"test_2", "test_3"})
        self.assertEqual([type(each) for each in outcome.raised], [AssertionError, AppError])
        self.assertRegex(found["test_2"], r"GET /raise → 500 in .* raised .*Trouble")

    @each_base_and_scope
    def test_a_class_that_is_not_judged_with_a_server_that_is(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope
            raise_server_errors = False

            def test_1(self) -> None:
                get(self.base_url, "/raise")

            def test_2(self) -> None:
                with LiveServer(Shop()) as other:
                    get(other.base_url, "/raise")

        self.assertEqual(list(texts(run_class(Tests))), ["test_2"])

    @each_base_and_scope
    def test_assert_server_raises_with_and_without_a_server(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def setUp(self) -> None:
                super().setUp()
                self.other = self.enterContext(LiveServer(Shop()))

            def test_1_any(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.other.base_url, "/raise")

            def test_2_named(self) -> None:
                with self.assertServerRaises(Trouble, self.other):
                    get(self.other.base_url, "/raise")

            def test_3_another_one(self) -> None:
                with self.assertServerRaises(Trouble, self.server):
                    get(self.other.base_url, "/raise")

            def test_4_one_that_starts_in_the_block(self) -> None:
                with self.assertServerRaises(Trouble), LiveServer(Shop()) as third:
                    get(third.base_url, "/raise")

        found = texts(run_class(Tests))
        self.assertEqual(set(found), {"test_3_another_one"})
        self.assertIn("Trouble was not raised by the app.", found["test_3_another_one"])


class BetweenTestsTests(StrictTestCase):
    """What a server of a fixture raises while no test runs."""

    @each_base_and_scope
    def test_in_the_fixtures_of_a_class(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                cls.other = cls.enterClassContext(LiveServer(Shop()))
                get(cls.other.base_url, "/raise/before")

            def test_it(self) -> None:
                self.assertEqual(get(self.other.base_url, "/fine").status, 200)

            @classmethod
            def tearDownClass(cls) -> None:
                get(cls.other.base_url, "/raise/after")
                super().tearDownClass()

        outcome = run_class(Tests)
        self.assertEqual(outcome.failures, [])
        text = "\n".join(text for _, text in outcome.errors)
        for when in ("before", "after"):
            self.assertEqual(len(re.findall(f"Trouble: no item for /raise/{when}\n", text)), 1)
        self.assertNotIn("test_it", "".join(test.id() for test, _ in outcome.errors))


class PlainTests(StrictTestCase):
    """A `unittest.TestCase` that uses `LiveServer` is not judged by unittest: see the README."""

    def test_it(self) -> None:
        class Tests(unittest.TestCase):
            def test_it(self) -> None:
                with LiveServer(Shop()) as server:
                    get(server.base_url, "/raise")

        self.assertTrue(run_class(Tests).wasSuccessful())
