"""LiveServer.raises: the block in which the app of a server is right to raise."""

import re
import unittest
from typing import Any

from liveserver import AppError, LiveServer, ServedRequest
from tests.helpers import apps
from tests.helpers.observed import OtherTrouble, Shop, Trouble
from tests.helpers.support import StrictTestCase, each_base, get, in_thread, run_class


async def raise_two(app: Any, receive: apps.Receive, send: apps.Send) -> None:
    raise ExceptionGroup("several", [Trouble("one"), OtherTrouble("two"), Trouble("three")])


class RaisesTests(StrictTestCase, unittest.IsolatedAsyncioTestCase):
    """With a server that no test case owns."""

    def setUp(self) -> None:
        self.server = LiveServer(Shop())
        self.server.start()
        self.addCleanup(self.server.stop)

    def test_it_passes(self) -> None:
        with self.server.raises(Trouble) as caught:
            get(self.server.base_url, "/fine")
            get(self.server.base_url, "/raise/1?a=b")
        self.assertIsInstance(caught.exception, Trouble)
        self.assertIsInstance(caught.request, ServedRequest)
        self.assertEqual(caught.request.path, "/raise/1")

    def test_after_the_response(self) -> None:
        with self.server.raises((OtherTrouble, Trouble), match=r"^too late for /after$"):
            self.assertEqual(get(self.server.base_url, "/after").status, 200)
        with self.server.raises(Trouble, re.compile("LATE", re.I)):
            get(self.server.base_url, "/after")

    async def test_async_with(self) -> None:
        async with self.server.raises(Trouble, match="no item") as caught:
            await in_thread(get, self.server.base_url, "/raise")
        self.assertEqual(caught.request.status, 500)
        with self.assertRaisesRegex(AssertionError, r"^OtherTrouble was not raised by the app\. "):
            async with self.server.raises(OtherTrouble):
                await in_thread(get, self.server.base_url, "/raise")
        with self.assertRaises(ZeroDivisionError):
            async with self.server.raises(Trouble):
                raise ZeroDivisionError

    def test_it_fails(self) -> None:
        with (
            self.assertRaisesRegex(
                AssertionError,
                r"^Trouble was not raised by the app\. It was not asked anything in the block\.$",
            ),
            self.server.raises(Trouble),
        ):
            pass
        with (
            self.assertRaisesRegex(
                AssertionError,
                r"^Trouble or KeyError was not raised by the app\. It was asked in the block:\s+"
                r"GET /other → 500 in .* ms, raised OtherTrouble",
            ),
            self.server.raises((Trouble, KeyError)),
        ):
            get(self.server.base_url, "/other")
        with (
            self.assertRaisesRegex(AssertionError, '^"sold" does not match "no item for /raise"$'),
            self.server.raises(Trouble, match="sold"),
        ):
            get(self.server.base_url, "/raise")

    def test_an_exception_of_the_block_passes_through(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.server.raises(Trouble):
            raise ZeroDivisionError

    def test_other_servers_do_not_count(self) -> None:
        with (
            LiveServer(Shop()) as other,
            self.assertRaisesRegex(AssertionError, "It was not asked anything"),
            self.server.raises(Trouble),
        ):
            get(other.base_url, "/raise")

    def test_bad_types(self) -> None:
        for bad in ("Trouble", Trouble(), (Trouble, int)):
            with self.subTest(bad=bad), self.assertRaisesRegex(TypeError, "An exception type or"):
                self.server.raises(bad)  # type: ignore[arg-type]

    def test_leaves_of_groups(self) -> None:
        with LiveServer(apps.Faulty(handler=raise_two)) as server:
            with server.raises(OtherTrouble, match="two") as caught:
                get(server.base_url)
            self.assertIsInstance(caught.exception, ExceptionGroup)
            with server.raises(ExceptionGroup, match="three"):
                get(server.base_url)
            with (
                self.assertRaisesRegex(AssertionError, '^"four" does not match "one"$'),
                server.raises(Trouble, match="four"),
            ):
                get(server.base_url)


class JudgedTests(StrictTestCase):
    """What it accepts fails no test; everything else does."""

    @each_base
    def test_in_a_class(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()

            def setUp(self) -> None:
                super().setUp()
                self.other = self.enterContext(LiveServer(apps.Faulty(handler=raise_two)))

            def test_1_accepted(self) -> None:
                with self.server.raises(Trouble):
                    get(self.base_url, "/raise")
                with self.other.raises(ExceptionGroup):
                    get(self.other.base_url)

            def test_2_another_one_beside(self) -> None:
                with self.server.raises(Trouble):
                    get(self.base_url, "/raise")
                    get(self.base_url, "/other")

            def test_3_of_another_server(self) -> None:
                with self.server.raises(Trouble):
                    get(self.base_url, "/raise")
                    get(self.other.base_url)

            def test_4_the_rest_of_a_group(self) -> None:
                with self.other.raises(Trouble, match="three"):
                    get(self.other.base_url)

        outcome = run_class(Tests)
        failed = {test.id().rpartition(".")[2]: text for test, text in outcome.errors}
        self.assertEqual(
            list(failed),
            ["test_2_another_one_beside", "test_3_of_another_server", "test_4_the_rest_of_a_group"],
        )
        self.assertEqual((outcome.testsRun, outcome.failures), (4, []))
        self.assertEqual({type(each) for each in outcome.raised}, {AppError})
        rest = outcome.raised[-1].__cause__
        assert isinstance(rest, ExceptionGroup)
        # A leaf that is not expected, and one of the type with another text.
        self.assertEqual([str(each) for each in rest.exceptions], ["one", "two"])
