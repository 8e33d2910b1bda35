"""Text of requests and exceptions in reports: it is escaped and bounded."""

import unittest
from typing import Any

from liveserver._errors import describe_error, leaves_of, printable, text_of
from liveserver._reporting.tracebacks import plain_traceback, short_traceback
from tests.helpers.support import StrictTestCase, each_base, get, run_class


class Unspeakable(Exception):
    """An exception whose `__str__` raises."""

    def __str__(self) -> str:
        raise RuntimeError("not even that")


class PrintableTests(unittest.TestCase):
    """`printable`."""

    def test_what_is_printable_stays(self) -> None:
        for text in ("", "a b", "\u00fc \u2192 \u65e5\u672c"):
            self.assertEqual(printable(text), text)

    def test_what_is_not_is_escaped(self) -> None:
        for text, expected in (
            ("a\nRan 1 test", r"a\nRan 1 test"),
            ("\x1b[2J\x07", r"\x1b[2J\x07"),
            ("\u202e\u2028\ud800", r"\u202e\u2028\ud800"),
        ):
            self.assertEqual(printable(text), expected)

    def test_a_long_text_is_cut_in_the_middle(self) -> None:
        text = printable("begin" + "x" * 100_000 + "end", limit=100)
        self.assertRegex(text, r"^beginx+ \.\.\. x+end$")
        self.assertEqual(len(text), 105)


class DescribeErrorTests(unittest.TestCase):
    """`describe_error`."""

    def test_one_line(self) -> None:
        for error, expected in (
            (LookupError("no such item"), "LookupError: no such item"),
            (LookupError(), "LookupError"),
            (ValueError("two\nlines"), r"ValueError: two\nlines"),
            (Unspeakable(), "Unspeakable: (its __str__ raises)"),
        ):
            with self.subTest(error=type(error)):
                self.assertEqual(describe_error(error), expected)
        self.assertEqual(text_of(Unspeakable()), "(its __str__ raises)")

    def test_a_group_names_its_leaves(self) -> None:
        leaves = [LookupError("no such item"), Unspeakable(), KeyboardInterrupt()]
        inner = BaseExceptionGroup("inner", leaves[1:])
        group = BaseExceptionGroup("outer", [leaves[0], inner])
        self.assertEqual(list(leaves_of(group)), leaves)
        self.assertEqual(
            describe_error(group),
            "BaseExceptionGroup: outer (2 sub-exceptions) [LookupError: no such item; "
            "Unspeakable: (its __str__ raises); KeyboardInterrupt]",
        )


def fail(depth: int) -> None:
    """Raise from a depth."""
    # By two lines, since Python leaves out one that repeats.
    if depth % 2:
        fail(depth - 1)
    if depth:
        fail(depth - 1)
    raise ZeroDivisionError("at last")


class ShortTracebackTests(unittest.TestCase):
    """`short_traceback`."""

    def raised(self, depth: int) -> ZeroDivisionError:
        try:
            fail(depth)
        except ZeroDivisionError as error:
            return error
        raise AssertionError

    def test_a_short_one_is_whole(self) -> None:
        error = self.raised(0)
        self.assertEqual(short_traceback(error), plain_traceback(error))

    def test_a_long_one_is_cut_in_the_middle(self) -> None:
        lines = short_traceback(self.raised(30)).splitlines()
        self.assertEqual(len(lines), 41)
        self.assertEqual(lines[0], "Traceback (most recent call last):")
        self.assertEqual(lines[20], "  ...")
        self.assertEqual(lines[-1], "ZeroDivisionError: at last")

    def test_a_line_is_bounded(self) -> None:
        text = short_traceback(ValueError("begin" + "x" * 100_000 + "end\x1b[2J"))
        self.assertRegex(text, r"^ValueError: beginx+ \.\.\. x+end\\x1b\[2J$")


class InReportsTests(StrictTestCase):
    """In a report nothing of a request or an exception writes lines of its own."""

    @each_base
    def test_requests_and_exceptions(self, base: Any) -> None:
        async def shop(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("text \x1b]0;owned\x07\nRan 1 test in 0.001s")

        class Tests(base):  # type: ignore[misc]
            app = shop

            def test_it(self) -> None:
                get(self.base_url, "/a%0AOK?" + "q" * 50_000)
                self.fail("mine")

        report = str(run_class(Tests))
        self.assertNotIn("\x1b", report)
        self.assertNotIn("\nRan 1 test", report)
        self.assertIn(r"ValueError: text \x1b]0;owned\x07\nRan 1 test in 0.001s", report)
        self.assertIn("GET /a%0AOK?qqq", report)
        self.assertLess(len(report), 5_000)

    @each_base
    def test_an_exception_that_cannot_be_told(self, base: Any) -> None:
        async def shop(scope: Any, receive: Any, send: Any) -> None:
            raise Unspeakable

        class Tests(base):  # type: ignore[misc]
            app = shop

            def test_it(self) -> None:
                get(self.base_url)

        (error,) = run_class(Tests).raised
        self.assertIn("Unspeakable: (its __str__ raises)", str(error))
        self.assertIs(type(error.__cause__), Unspeakable)
