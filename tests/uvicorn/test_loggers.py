"""The records of the server's thread, and the loggers after a stop."""

import logging
import unittest
from collections.abc import Iterator
from typing import Any

from liveserver import LiveServer
from liveserver._reporting.tracebacks import plain_traceback
from tests.helpers.observed import (
    Shop,
    Trouble,
)
from tests.helpers.support import (
    StrictTestCase,
    each_base_and_scope,
    get,
    loops,
    run_class,
    with_loop,
)


class LongChainTests(StrictTestCase):
    """An app that tries again and again makes chains of thousands of exceptions."""

    def test_it_is_formatted(self) -> None:
        error = ValueError("the last")
        for number in range(3000):
            last, error = error, ValueError(f"try {number}")
            error.__context__ = last
        self.assertTrue(plain_traceback(error).endswith("ValueError: try 2999"))


class LogTests(StrictTestCase):
    """uvicorn's records reach those who listen; nothing of the configuration changes."""

    @each_base_and_scope
    def test_assert_logs_sees_the_traceback_as_text(self, base: Any, scope: str) -> None:
        for loop in loops():

            class Tests(base):  # type: ignore[misc]
                app = Shop()
                records: list[logging.LogRecord] = []
                server_scope = scope
                server_options = with_loop(loop)

                def test_it(self) -> None:
                    with (
                        self.assertServerRaises(Trouble),
                        self.assertLogs("uvicorn.error", "ERROR") as seen,
                    ):
                        get(self.base_url, "/raise/1")
                    self.records.extend(seen.records)
                    self.assertIn("Trouble: no item for /raise/1", seen.output[0])

                def test_late(self) -> None:
                    with self.assertLogs("uvicorn.error", "ERROR") as seen:
                        with self.assertServerRaises(Trouble):
                            get(self.base_url, "/after/1")
                        self.server.wait_idle(5)
                    self.records.extend(seen.records)

            with self.subTest(loop=loop):
                outcome = run_class(Tests)
                self.assertTrue(outcome.wasSuccessful(), outcome)
                self.assertEqual(len(Tests.records), 2)
                for record in Tests.records:
                    self.assertIsNone(record.exc_info)
                    assert record.exc_text is not None
                    self.assertTrue(record.exc_text.startswith("Traceback (most recent call"))
                    self.assertIn("raise Trouble(f", record.exc_text)
                    self.assertNotIn("^^^", record.exc_text)
                    self.assertTrue(record.threadName.startswith("liveserver-"))

    def test_records_of_other_threads_are_left_alone(self) -> None:
        with self.assertLogs("uvicorn.error") as seen:
            try:
                raise Trouble
            except Trouble:
                logging.getLogger("uvicorn.error").exception("in the test's own thread")
        assert seen.records[0].exc_info is not None

    @each_base_and_scope
    def test_assert_logs_sees_the_access_log(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_it(self) -> None:
                with self.assertLogs("uvicorn.access", "INFO") as seen:
                    get(self.base_url, "/missing/7?x=1")
                self.assertEqual(len(seen.output), 1)
                self.assertIn('"GET /missing/7?x=1 HTTP/1.1" 404', seen.output[0])

            def test_not_by_default(self) -> None:
                with self.assertNoLogs("uvicorn", "WARNING"):
                    get(self.base_url, "/missing")

        outcome = run_class(Tests)
        self.assertTrue(outcome.wasSuccessful(), outcome)

    def test_the_configuration_is_the_same_after_a_stop(self) -> None:
        mine = {"version": 1, "disable_existing_loggers": False, "handlers": {}, "loggers": {}}
        mine["handlers"] = {"null": {"class": "logging.NullHandler"}}
        mine["loggers"] = {
            "uvicorn": {"handlers": ["null"], "level": "DEBUG", "propagate": False},
            "uvicorn.access": {"handlers": ["null"], "level": "INFO", "propagate": False},
        }
        changing: list[dict[str, Any]] = [
            {},
            {"log_level": "critical"},
            {"access_log": False},
            {"log_config": mine},
            {"log_config": mine, "log_level": "warning", "access_log": False},
        ]
        for config in changing:
            for loop in loops():
                with self.subTest(config=config, loop=loop):
                    before = logging_state()
                    with LiveServer(Shop(), uvicorn_config={**config, "loop": loop}) as server:
                        for path in ("/", "/raise", "/after"):
                            get(server.base_url, path)
                        during = logging_state()
                    self.assertEqual(logging_state(), before)
                    if config:
                        # The negative control: it is seen when something does change.
                        self.assertNotEqual(during, before)

    @each_base_and_scope
    def test_the_configuration_is_the_same_after_a_class(self, base: Any, scope: str) -> None:
        class Tests(base):  # type: ignore[misc]
            app = Shop()
            server_scope = scope

            def test_fails(self) -> None:
                with self.assertLogs("uvicorn.access"):
                    get(self.base_url)
                raise ZeroDivisionError

            def test_raises(self) -> None:
                with self.assertLogs("uvicorn.error"):
                    get(self.base_url, "/raise")

        before = logging_state()
        self.assertEqual(len(run_class(Tests).raised), 2)
        self.assertEqual(logging_state(), before)


# A logger that nobody has configured, or that is not there yet.
UNCONFIGURED = (logging.NOTSET, [], True, False, [])


def logging_state() -> dict[str, Any]:
    """Everything that is configured of every logger."""
    states = {name: logger_state(logger) for name, logger in all_loggers()}
    return {name: state for name, state in states.items() if state != UNCONFIGURED}


def logger_state(logger: logging.Logger) -> Any:
    return (
        logger.level,
        list(logger.handlers),
        logger.propagate,
        logger.disabled,
        list(logger.filters),
    )


def all_loggers() -> Iterator[tuple[str, logging.Logger]]:
    yield "", logging.root
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            yield name, logger


if __name__ == "__main__":
    unittest.main()
