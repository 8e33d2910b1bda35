"""LIVESERVER_LOG: what was logged in servers' threads stands in the notes of failing tests."""

import asyncio
import logging
import os
import re
from typing import Any
from unittest import mock

from liveserver import ConfigurationError, LiveServer, LiveServerTestCase
from liveserver._requests.log_lines import LogLines
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, each_base, each_base_and_scope, get, run_class

log = logging.getLogger("tests.of_log_lines")


class Logging:
    """An app that logs at its startup and in its handler, in several threads."""

    async def __call__(self, scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            log.info("starts")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return await send({"type": "lifespan.shutdown.complete"})
        log.debug("not this")
        log.info("asked for %s", scope["path"])
        await asyncio.to_thread(log.info, "in a thread")
        await asyncio.get_running_loop().run_in_executor(None, log.info, "in the executor")
        try:
            raise LookupError("no\nsuch item")
        except LookupError:
            log.exception("handled")
        await apps.answer(send, b"ok")


async def answer_and_log(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
    if scope["type"] == "http":
        log.info("also asked")
        await apps.answer(send, b"ok")


class Unprintable:
    def __str__(self) -> str:
        raise ZeroDivisionError


@mock.patch.dict(os.environ, LIVESERVER_LOG="info")
class LogTests(StrictTestCase):
    """With the variable."""

    def setUp(self) -> None:
        super().setUp()
        # What it changes in the process.
        self.addCleanup(logging.root.setLevel, logging.root.level)
        self.addCleanup(logging.setLogRecordFactory, logging.getLogRecordFactory())
        self.enterContext(mock.patch("liveserver._requests.log_lines._installed", False))
        # Else Python prints what nobody handles.
        self.enterContext(mock.patch.object(logging, "lastResort", logging.NullHandler()))

    @each_base_and_scope
    def test_the_note(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Logging()
            server_scope = scope

            def test_1(self) -> None:
                log.info("by the test")
                get(self.base_url, "/first")
                self.fail("on purpose")

            def test_2(self) -> None:
                self.server.call(log.warning, "by a call")
                self.fail("on purpose")

            def test_3(self) -> None:
                get(self.base_url, "/third")

        outcome = run_class(Tests)
        (_, first), (_, second) = outcome.failures
        lines = first.partition("Logged in this test (LIVESERVER_LOG):\n")[2].splitlines()
        self.assertEqual(any(" starts" in line for line in lines), scope == "test")
        own = [line for line in lines if "of_log_lines" in line and " starts" not in line]
        place = r"tests\.of_log_lines:\w+\.py:\d+"
        for line, expected in zip(
            own,
            [
                rf"  INFO     {place} asked for /first$",
                rf"  INFO     {place} in a thread$",
                rf"  INFO     {place} in the executor$",
                rf"  ERROR    {place} handled \(LookupError: no\\nsuch item\)$",
            ],
            strict=True,
        ):
            self.assertRegex(line, f"^{expected}")
        self.assertRegex(first, r'uvicorn\.access:\w+\.py:\d+ .*"GET /first HTTP/1\.1" 200')
        self.assertRegex(second, rf"  WARNING  {place} by a call")
        self.assertNotIn("/first", second)

    @each_base
    def test_a_test_that_raises_the_root_level(self, base: Any) -> None:
        """Each test lowers it again; a block that expects an exception does not."""

        class Tests(base):  # type: ignore[misc]
            app = Logging()

            def test_1(self) -> None:
                logging.root.setLevel(logging.ERROR)
                with self.assertRaises(AssertionError), self.server.raises(ValueError):
                    get(self.base_url, "/first")
                self.fail(f"at level {logging.root.level}")

            test_2 = test_1

            def test_3(self) -> None:
                get(self.base_url, "/third")
                self.fail("on purpose")

        texts = [text for _, text in run_class(Tests).failures]
        for text in texts[:2]:
            self.assertIn("at level 40", text)
            self.assertNotIn("asked for", text)
        self.assertIn("asked for /third", texts[2])

    @each_base
    def test_of_several_servers(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Logging()

            def test_it(self) -> None:
                with LiveServer(answer_and_log) as other:
                    get(self.base_url, "/1")
                    get(other.base_url, "/2")
                    self.fail("on purpose")

        text = run_class(Tests).failures[0][1]
        self.assertRegex(text, r"(?m)^  Logging         INFO     \S+ asked for /1$")
        self.assertRegex(text, r"(?m)^  answer_and_log  INFO     \S+ also asked$")

    def test_only_the_last_ones_are_shown(self) -> None:
        def log_many() -> None:
            for number in range(2000):
                log.info("number %d", number)

        class Tests(LiveServerTestCase):
            app = Logging()

            def test_it(self) -> None:
                self.server.call(log_many)
                self.fail("on purpose")

        text = run_class(Tests).failures[0][1]
        self.assertIn("\n  ... and 950 more before\n", text)  # of the 1,000 that are kept
        numbers = [int(each) for each in re.findall(r"number (\d+)", text)]
        self.assertEqual(numbers, list(range(2000 - len(numbers), 2000)))
        self.assertIn(len(numbers), (49, 50))  # asyncio's debug mode may have a line of its own

    def test_a_record_that_cannot_be_formatted(self) -> None:
        lines = LogLines()
        for arguments in (("%d", ("x",)), ("%s", (Unprintable(),))):
            lines.add(logging.LogRecord("a.b", logging.INFO, "c/d.py", 7, *arguments, None))
        texts = [line.text for line in lines.since(0)]
        self.assertEqual(texts, ["INFO     a.b:d.py:7 %d", "INFO     a.b:d.py:7 %s"])

    def test_handlers_see_what_they_saw(self) -> None:
        with (
            self.assertLogs("tests.of_log_lines", "DEBUG") as logs,
            LiveServer(Logging()) as server,
        ):
            get(server.base_url, "/first")
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            ["starts", "not this", "asked for /first", "in a thread", "in the executor", "handled"],
        )

    def test_a_level_that_is_low_already_stays(self) -> None:
        logging.root.setLevel(logging.DEBUG)
        with LiveServer(Logging()):
            self.assertEqual(logging.root.level, logging.DEBUG)


class WithoutTests(StrictTestCase):
    """The negative control, and a wrong value."""

    def test_nothing_changes(self) -> None:
        factory, level = logging.getLogRecordFactory(), logging.root.level

        class Tests(LiveServerTestCase):
            app = Logging()

            def test_it(self) -> None:
                get(self.base_url, "/first")
                self.fail("on purpose")

        for value in ({}, {"LIVESERVER_LOG": ""}):
            with mock.patch.dict(os.environ, value), self.assertLogs("tests.of_log_lines"):
                text = run_class(Tests).failures[0][1]
            self.assertIn("GET /first", text)
            self.assertNotIn("Logged", text)
        self.assertIs(logging.getLogRecordFactory(), factory)
        self.assertEqual(logging.root.level, level)

    @mock.patch.dict(os.environ, LIVESERVER_LOG="loud")
    def test_a_wrong_value(self) -> None:
        with self.assertRaisesRegex(
            ConfigurationError, r"LIVESERVER_LOG is 'loud'\. Set it to trace, debug, info, "
        ):
            LiveServer(Logging())
