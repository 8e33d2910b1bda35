"""assertServerRaises: the block in which the app is right to raise."""

import asyncio
import re
from typing import Any

from liveserver import AppError, ServedRequest
from tests.helpers import apps
from tests.helpers.observed import (
    OtherTrouble,
    Shop,
    Trouble,
)
from tests.helpers.support import (
    StrictTestCase,
    each_base,
    each_base_and_scope,
    get,
    in_thread,
    run_class,
)


async def raise_group(app: Any, receive: apps.Receive, send: apps.Send) -> None:
    raise ExceptionGroup("several", [Trouble("one")])


async def raise_two(app: Any, receive: apps.Receive, send: apps.Send) -> None:
    raise ExceptionGroup("several", [Trouble("one"), OtherTrouble("two")])


class AssertServerRaisesTests(StrictTestCase):
    """`assertServerRaises` and its sibling, as context managers of both kinds."""

    @each_base_and_scope
    def test_it_passes(self, base: Any, scope: str) -> None:
        seen: list[Any] = []

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble) as caught:
                    get(self.base_url, "/fine")
                    get(self.base_url, "/raise/1?a=b")
                seen.append((caught.exception, caught.request))

            def test_late(self) -> None:
                with self.assertServerRaises(Trouble) as caught:
                    get(self.base_url, "/after/2")
                seen.append((caught.exception, caught.request))

            def test_subclasses(self) -> None:
                with self.assertServerRaises(Exception):
                    get(self.base_url, "/raise")

            def test_tuple(self) -> None:
                with self.assertServerRaises((ValueError, Trouble)):
                    get(self.base_url, "/raise")

            def test_twice(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/raise/1")
                    get(self.base_url, "/raise/2")
                with self.assertServerRaises(OtherTrouble):
                    get(self.base_url, "/other")

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual([type(exception) for exception, _ in seen], [Trouble, Trouble])
        self.assertEqual(str(seen[0][0]), "no item for /raise/1")
        for _, request in seen:
            self.assertIs(type(request), ServedRequest)
        self.assertEqual((seen[0][1].path, seen[0][1].query), ("/raise/1", "a=b"))
        self.assertEqual((seen[1][1].path, seen[1][1].status), ("/after/2", 200))
        self.assertFalse(seen[1][1].running)

    def test_async_with(self) -> None:
        from liveserver import IsolatedAsyncioLiveServerTestCase

        seen: list[Any] = []
        for scope in ("class", "test"):

            class Tests(IsolatedAsyncioLiveServerTestCase):
                app = Shop()
                server_scope = scope

                async def test_passes(self) -> None:
                    async with self.assertServerRaises(Trouble) as caught:
                        await in_thread(get, self.base_url, "/after/1")
                    seen.append((caught.exception, caught.request.path))

                async def test_fails(self) -> None:
                    async with self.assertServerRaises(Trouble):
                        await in_thread(get, self.base_url, "/fine")

                async def test_leaves_the_loop_free(self) -> None:
                    asking = asyncio.create_task(asyncio.to_thread(get, self.base_url, "/after"))
                    async with self.assertServerRaises(Trouble):
                        while not self.server.requests:  # noqa: ASYNC110
                            await asyncio.sleep(0.001)
                        await asking

                async def test_passes_through(self) -> None:
                    with self.assertRaises(ZeroDivisionError):
                        async with self.assertServerRaises(Trouble):
                            raise ZeroDivisionError

            with self.subTest(scope=scope):
                seen.clear()
                outcome = run_class(Tests)
                self.assertEqual(len(outcome.failures), 1, outcome)
                self.assertEqual(outcome.errors, [], outcome)
                self.assertTrue(outcome.failures[0][0].id().endswith("test_fails"))
                self.assertEqual([type(e) for e, _ in seen], [Trouble])
                self.assertEqual(seen[0][1], "/after/1")

    @each_base_and_scope
    def test_another_type(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/other/1")

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AssertionError], outcome)
        said = str(outcome.raised[0])
        self.assertIn("Trouble was not raised", said)
        self.assertIn("GET /other/1", said)
        self.assertIn("OtherTrouble: quite another thing", said)
        (note,) = outcome.raised[0].__notes__
        self.assertIn("\n    tests.helpers.observed.OtherTrouble: quite another thing", note)

    @each_base_and_scope
    def test_in_a_group(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=raise_group)
            server_scope = scope

            def test_a_leaf(self) -> None:
                with self.assertServerRaisesRegex(Trouble, "^one$") as raised:
                    get(self.base_url)
                self.assertIsInstance(raised.exception, ExceptionGroup)

            def test_the_group(self) -> None:
                with self.assertServerRaisesRegex(ExceptionGroup, "Trouble: one"):
                    get(self.base_url)

        class TwoTests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=raise_two)
            server_scope = scope

            def test_one_is_expected(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url)

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        (error,) = run_class(TwoTests).raised
        self.assertIs(type(error), AppError)
        group = error.__cause__
        assert isinstance(group, ExceptionGroup)
        self.assertEqual([type(each) for each in group.exceptions], [OtherTrouble])

    @each_base_and_scope
    def test_both_types(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/other")
                    get(self.base_url, "/raise")

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AppError], outcome)
        self.assertIsInstance(outcome.raised[0].__cause__, OtherTrouble)

    @each_base_and_scope
    def test_nothing(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_asked(self) -> None:
                with self.assertServerRaises((Trouble, KeyError)):
                    get(self.base_url, "/missing/7?x=1")

            def test_not_asked(self) -> None:
                get(self.base_url, "/fine")
                with self.assertServerRaises(Trouble):
                    pass

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AssertionError] * 2, outcome)
        asked, not_asked = map(str, outcome.raised)
        self.assertIn("Trouble or KeyError was not raised", asked)
        self.assertIn("GET /missing/7?x=1 \N{RIGHTWARDS ARROW} 404", asked)
        self.assertIn("not asked anything", not_asked)
        self.assertNotIn("/fine", not_asked)

    @each_base_and_scope
    def test_before_the_block_does_not_count(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                get(self.base_url, "/raise")
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/fine")

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AssertionError], outcome)

    @each_base_and_scope
    def test_regex(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_1_text(self) -> None:
                with self.assertServerRaisesRegex(Trouble, r"no item for /raise/\d$") as caught:
                    get(self.base_url, "/raise/1")
                assert caught.request.path == "/raise/1"

            def test_2_compiled(self) -> None:
                with self.assertServerRaisesRegex(Trouble, re.compile("NO ITEM", re.I)):
                    get(self.base_url, "/raise/2")

            def test_3_another_text(self) -> None:
                with self.assertServerRaisesRegex(Trouble, "out of stock"):
                    get(self.base_url, "/raise/3")

            def test_4_another_type(self) -> None:
                with self.assertServerRaisesRegex(Trouble, "quite"):
                    get(self.base_url, "/other/4")

        outcome = run_class(Tests)
        failed = [test.id().rpartition(".test_")[2] for test, _ in outcome.failures]
        self.assertEqual(failed, ["3_another_text", "4_another_type"], outcome)
        self.assertIn(
            '"out of stock" does not match "no item for /raise/3"', outcome.failures[0][1]
        )

    @each_base_and_scope
    def test_the_regex_finds_one_of_several(self, base: Any, scope: str) -> None:
        seen: list[str] = []

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertServerRaisesRegex(Trouble, "raise/2") as caught:
                    get(self.base_url, "/raise/1")
                    get(self.base_url, "/raise/2")
                seen.append(caught.request.path)

        outcome = run_class(Tests)
        # The other one does not match, so it is not what was said to be right.
        self.assertEqual([type(e) for e in outcome.raised], [AppError], outcome)
        self.assertIn("GET /raise/1", str(outcome.raised[0]))
        self.assertEqual(seen, ["/raise/2"])

    @each_base_and_scope
    def test_an_exception_of_the_body_passes_through(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/raise")
                    raise ZeroDivisionError

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [ZeroDivisionError], outcome)

    @each_base
    def test_bad_arguments(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def test_it(self) -> None:
                for bad in (None, "Trouble", 42, Trouble("an instance"), int, (Trouble, 42)):
                    with self.subTest(bad=bad), self.assertRaises(TypeError):
                        self.assertServerRaises(bad)
                    with self.subTest(bad=bad), self.assertRaises(TypeError):
                        self.assertServerRaisesRegex(bad, "x")

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    @each_base
    def test_with_raise_server_errors_false(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            raise_server_errors = False

            def test_fails(self) -> None:
                with self.assertServerRaises(OtherTrouble):
                    get(self.base_url, "/raise")

            def test_passes(self) -> None:
                with self.assertServerRaises(Trouble):
                    get(self.base_url, "/raise")

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [AssertionError], outcome)

    @each_base
    def test_failures_have_the_classs_own_type(self, base: Any) -> None:
        class Unmet(AssertionError):
            pass

        class Tests(base):  # type: ignore[misc]
            app = Shop()
            failureException = Unmet

            def test_it(self) -> None:
                with self.assertServerRaises(Trouble):
                    pass

        outcome = run_class(Tests)
        self.assertEqual([type(e) for e in outcome.raised], [Unmet], outcome)
        # unittest takes the frames of this package out of the report.
        self.assertNotIn("_verdict.py", str(outcome))
