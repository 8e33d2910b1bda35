"""What apps may do that few do: odd messages, odd lifespans, odd errors."""

import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from liveserver import ConfigurationError, LiveServer, StartupError
from liveserver._reporting.tracebacks import plain_traceback
from tests.helpers import apps
from tests.helpers.observed import needs_websockets
from tests.helpers.support import StrictTestCase, each_base, get, loops, with_loop


def http_app(*messages: Any) -> Any:
    """Make an app that sends some messages for each request."""

    async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        if scope["type"] == "lifespan":
            return await apps.lifespan(receive, send)
        for message in messages:
            await send(message)

    return app


class MessageTests(StrictTestCase):
    """Messages that are rare, or wrong."""

    def test_a_response_without_headers(self) -> None:
        app = http_app(
            {"type": "http.response.start", "status": 204}, {"type": "http.response.body"}
        )
        with LiveServer(app) as server:
            self.assertEqual(get(server.base_url).status, 204)
            server.wait_idle(5)
            (request,) = server.requests
        self.assertEqual((request.status, request.response_bytes, request.error), (204, 0, ""))

    def test_a_message_of_another_protocol_is_the_apps_error(self) -> None:
        for loop in loops():
            with (
                self.subTest(loop=loop),
                LiveServer(http_app({"type": "http.respond"}), **with_loop(loop)) as server,
            ):
                self.assertEqual(get(server.base_url).status, 500)
                server.wait_idle(5)
                (request,) = server.requests
                self.assertRegex(request.error, r"^RuntimeError: .*http\.respond'")

    @needs_websockets
    def test_a_websocket_that_is_refused_with_a_response(self) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        app = http_app(
            {"type": "websocket.http.response.start", "status": 418, "headers": []},
            {"type": "websocket.http.response.body", "body": b"no"},
        )
        with LiveServer(app) as server:
            with self.assertRaises(InvalidStatus) as caught, connect(server.ws_url, proxy=None):
                pass
            self.assertEqual(caught.exception.response.status_code, 418)
            server.wait_idle(5)
            (request,) = server.requests
        self.assertEqual((request.status, request.error), (418, ""))


class LifespanTests(StrictTestCase):
    """Lifespans that say too much, or listen too long."""

    def app(self, *steps: str) -> Any:
        """Make an app whose lifespan receives at each "?" and sends what else it is given."""

        async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
            if scope["type"] != "lifespan":
                return await apps.answer(send, b"hello")
            for step in steps:
                await (receive() if step == "?" else send({"type": f"lifespan.{step}"}))

        return app

    def test_one_that_goes_on_listening_after_its_shutdown(self) -> None:
        for loop in loops():
            app = self.app("?", "startup.complete", "?", "shutdown.complete", "?", "never")
            with self.subTest(loop=loop), LiveServer(app, **with_loop(loop)) as server:
                self.assertEqual(get(server.base_url).body, b"hello")

    def test_messages_out_of_turn(self) -> None:
        for steps in (("startup.complete", "startup.complete"), ("shutdown.complete",)):
            with self.subTest(steps=steps):
                server = LiveServer(self.app("?", *steps))
                with self.assertRaisesRegex(
                    StartupError, r"complete' was sent twice or out of turn"
                ):
                    server.start()


class ImportTests(StrictTestCase):
    """A module that is there and cannot be imported is not a module that is missing."""

    def test_it_imports_something_that_is_missing(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        sys.path.insert(0, folder)
        self.addCleanup(sys.path.remove, folder)
        Path(folder, "needy_app.py").write_text("import needy\n", "utf-8")
        for target, said in (
            ("needy_app:app", "'needy_app:app' could not be imported: module 'needy_app' raised"),
            ("no_such_app:app", "there is no module 'no_such_app'"),
        ):
            with (
                self.subTest(target=target),
                self.assertRaisesRegex(ConfigurationError, said) as caught,
            ):
                LiveServer(target)
            self.assertIsInstance(caught.exception.__cause__, ModuleNotFoundError)


class TracebackTests(StrictTestCase):
    """Every exception can be made text of."""

    def test_a_very_long_chain(self) -> None:
        error: Exception = ValueError("number 0")
        for number in range(1, 3000):
            error, cause = ValueError(f"number {number}"), error
            error.__cause__ = cause
        text = plain_traceback(error)
        self.assertEqual(text.count("ValueError: number"), 3000)

    def test_a_circle(self) -> None:
        one, two = ValueError("one"), ValueError("two")
        one.__context__, two.__context__ = two, one
        self.assertEqual(plain_traceback(one).count("ValueError: one"), 1)

    def test_a_group_of_groups(self) -> None:
        def fail() -> None:
            raise KeyError("inner")

        try:
            try:
                fail()
            except KeyError as error:
                raise ExceptionGroup("outer", [ExceptionGroup("middle", [error])]) from None
        except ExceptionGroup as group:
            text = plain_traceback(group)
        self.assertIn("KeyError: 'inner'", text)
        self.assertNotIn("^", text)
        self.assertIn("fail()", text)


class RunTests(StrictTestCase):
    """A test case that is run by itself makes a result of its own, as unittest's do."""

    @each_base
    def test_it_is_judged_and_noted_as_ever(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=apps.raise_trouble)
            server_scope = "test"

            def test_raises(self) -> None:
                assert get(self.base_url).status == 500

            def test_passes(self) -> None:
                assert get(self.base_url, "/fine").status == 200

        for name, errors in (("test_passes", 0), ("test_raises", 1)):
            with self.subTest(test=name):
                result = Tests(name).run()
                self.assertIsInstance(result, unittest.TestResult)
                self.assertEqual((result.testsRun, len(result.errors)), (1, errors))
                self.assertTrue(all("AppError: GET /" in text for _, text in result.errors))
