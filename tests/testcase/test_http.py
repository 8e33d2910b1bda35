"""`self.http`: a session on the server, made when it is first used and closed after the test."""

import asyncio
import importlib.util
import inspect
import json
import math
import os
import pydoc
import subprocess
import sys
import unittest
from typing import Any
from unittest import mock

import aiohttp
import requests
import yarl

from liveserver import (
    ConfigurationError,
    LiveServer,
    LiveServerTestCase,
    NotRunningError,
    ShutdownError,
)
from tests.helpers import apps
from tests.helpers.support import BASES, StrictTestCase, each_base, each_base_and_scope, run_class


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what was asked, and set a cookie."""
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["path"]})
        return await send({"type": "websocket.close", "code": 1000})
    if scope["path"] == "/hang":
        await asyncio.Event().wait()
    if scope["path"] == "/away":
        headers = [(b"location", b"/landed")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        return await send({"type": "http.response.body"})
    sent = dict(scope["headers"])
    seen = {"path": scope["path"], "cookie": sent.get(b"cookie", b"").decode()}
    headers = [(b"set-cookie", b"visit=1; Path=/"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


async def ask(case: Any, url: str, **options: Any) -> Any:
    """Get what a server saw, through the session of either base class."""
    if isinstance(case.http, requests.Session):
        return case.http.get(url, **options).json()
    async with case.http.get(url, **options) as response:
        return await response.json()


def make(base: Any, body: Any, **attributes: Any) -> Any:
    """Make a test class with one test, of which `body` is a coroutine function."""
    if issubclass(base, unittest.IsolatedAsyncioTestCase):
        test = body
    else:

        def test(self: Any) -> None:
            asyncio.run(body(self))

    return type("Tests", (base,), {"app": staticmethod(echo), "test_it": test, **attributes})


class SessionTests(StrictTestCase):
    """Requests go to the test's server."""

    def assert_passes(self, *classes: Any) -> None:
        outcome = run_class(*classes)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertGreater(outcome.testsRun, 0)

    @each_base_and_scope
    def test_relative_urls_go_to_the_server(self, base: Any, scope: str) -> None:
        async def body(case: Any) -> None:
            self.assertEqual((await ask(case, "/items?x=1"))["path"], "/items")
            self.assertEqual((await ask(case, "/away"))["path"], "/landed")

        self.assert_passes(make(base, body, server_scope=scope))

    @each_base
    def test_the_class_says_that_it_is_of_the_instance(self, base: Any) -> None:
        asked: list[Any] = []

        def set_up_class(cls: Any) -> None:
            super(made, cls).setUpClass()
            asked.append(cls.http)
            cls.http.get("/items")

        async def body(case: Any) -> None: ...

        made = make(base, body, setUpClass=classmethod(set_up_class))
        (error,) = run_class(made).raised
        self.assertIsInstance(error, NotRunningError)
        self.assertEqual(
            str(error),
            "Tests.http exists only on an instance, during a test. In setUpClass use a client of "
            "your own, such as requests, with cls.base_url.",
        )
        # It is a property to whoever looks at it, and in the way of no tool.
        self.assertIsInstance(asked[0], property)
        self.assertEqual(inspect.getdoc(made.http), inspect.getdoc(asked[0]))
        self.assertIn("A session", str(inspect.getdoc(made.http)))
        self.assertFalse(hasattr(made.http, "get"))
        self.assertIn("http", dict(inspect.getmembers(made)))
        self.assertIsInstance(inspect.getattr_static(made, "http"), property)
        self.assertIn("http", pydoc.render_doc(made))
        self.assertIn("http", dir(mock.create_autospec(made)))
        with mock.patch.object(made, "http", "another"):
            self.assertEqual(made("test_it").http, "another")
        self.assertIsInstance(made.http, property)

    @each_base
    def test_absolute_urls_stay(self, base: Any) -> None:
        async def body(case: Any) -> None:
            with LiveServer(echo) as other:
                await ask(case, f"{other.base_url}/elsewhere")
                paths = [request.path for request in other.requests]
            self.assertEqual(paths, ["/elsewhere"])
            self.assertEqual(case.server.requests, ())

        self.assert_passes(make(base, body))

    @each_base
    def test_a_path_with_two_slashes_is_a_path(self, base: Any) -> None:
        async def body(case: Any) -> None:
            with LiveServer(echo) as other:
                host = f"//{other.host}:{other.port}/x"
                for url in (host, yarl.URL(host), "//", "//a//b"):
                    self.assertEqual((await ask(case, url))["path"], str(url))
                self.assertEqual(other.requests, ())

        self.assert_passes(make(base, body))

    @each_base
    def test_urls_of_yarl(self, base: Any) -> None:
        async def body(case: Any) -> None:
            for url in (yarl.URL("/items?x=1"), yarl.URL(case.base_url) / "items"):
                self.assertEqual((await ask(case, url))["path"], "/items")

        self.assert_passes(make(base, body))

    def test_urls_as_bytes(self) -> None:
        async def body(case: Any) -> None:
            self.assertEqual(case.http.get(b"/items").json()["path"], "/items")

        self.assert_passes(make(LiveServerTestCase, body))

    @each_base
    def test_without_a_timeout(self, base: Any) -> None:
        async def body(case: Any) -> None:
            self.assertEqual((await ask(case, "/items"))["path"], "/items")

        self.assert_passes(make(base, body, http_timeout=math.inf))

    @each_base_and_scope
    def test_cookies_are_kept_in_a_test_and_not_shared(self, base: Any, scope: str) -> None:
        async def body(case: Any) -> None:
            self.assertEqual((await ask(case, "/"))["cookie"], "")
            self.assertEqual((await ask(case, "/"))["cookie"], "visit=1")

        cls = make(base, body, server_scope=scope)
        cls.test_again = cls.test_it
        self.assert_passes(cls)

    @each_base
    def test_proxy_variables_are_not_heeded(self, base: Any) -> None:
        async def body(case: Any) -> None:
            self.assertEqual((await ask(case, "/"))["path"], "/")

        nowhere = {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "all")}
        with mock.patch.dict(os.environ, {**nowhere, "no_proxy": ""}):
            # The negative control: a session that heeds them does not get through.
            with LiveServer(echo) as server, self.assertRaises(requests.ConnectionError):
                requests.get(server.base_url, timeout=5)
            self.assert_passes(make(base, body))

    @each_base
    def test_a_handler_that_hangs_ends_by_the_timeout_and_is_named(self, base: Any) -> None:
        async def body(case: Any) -> None:
            await ask(case, "/hang")

        attributes = {"http_timeout": 0.1, "server_options": {"shutdown_timeout": 0}}
        with self.assertWarns(ResourceWarning):
            outcome = run_class(make(base, body, **attributes))
        (error,) = outcome.raised
        self.assertIn("imeout", f"{type(error)}")
        (note,) = error.__notes__
        self.assertRegex(note, r"GET /hang → no answer, running for .*test_http\.py:\d+ in echo")

    @each_base
    def test_a_timeout_that_is_given_goes_first(self, base: Any) -> None:
        async def body(case: Any) -> None:
            timeout = 0.1 if isinstance(case.http, requests.Session) else aiohttp.ClientTimeout(0.1)
            with self.assertRaises((requests.Timeout, TimeoutError)):
                await ask(case, "/hang", timeout=timeout)

        with self.assertWarns(ResourceWarning):
            self.assert_passes(make(base, body, server_options={"shutdown_timeout": 0}))

    def test_the_timeout_of_the_async_one_is_for_each_step(self) -> None:
        async def body(case: Any) -> None:
            expected = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=3)
            self.assertEqual(case.http.timeout, expected)

        self.assert_passes(make(BASES[1], body, http_timeout=3))

    @unittest.skipUnless(importlib.util.find_spec("websockets"), "websockets is not installed")
    def test_websockets(self) -> None:
        async def body(case: Any) -> None:
            async with case.http.ws_connect("/ws") as socket:
                self.assertEqual(await socket.receive_str(), "/ws")

        self.assert_passes(make(BASES[1], body))


class LifeTests(StrictTestCase):
    """The session lives as long as the test."""

    @each_base_and_scope
    def test_it_is_closed_after_the_cleanups_and_before_the_server(
        self, base: Any, scope: str
    ) -> None:
        events: list[str] = []

        async def body(case: Any) -> None:
            session = case.http
            close = session.close

            def noted_close(_self: Any) -> Any:
                events.append(f"close, server runs: {case.server.running}")
                return close()

            patch = mock.patch.object(type(session), "close", noted_close)
            patch.start()
            self.addCleanup(patch.stop)
            case.addCleanup(lambda: events.append(f"cleanup, still open: {case.http is session}"))
            await ask(case, "/")

        outcome = run_class(make(base, body, server_scope=scope))
        self.doCleanups()
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(events, ["cleanup, still open: True", "close, server runs: True"])

    def test_the_async_one_is_closed(self) -> None:
        sessions = []

        async def body(case: Any) -> None:
            sessions.append(case.http)

        outcome = run_class(make(BASES[1], body))
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertTrue(sessions[0].closed)

    @each_base
    def test_one_that_a_cleanup_makes_is_closed_too(self, base: Any) -> None:
        sessions = []

        async def use(case: Any) -> None:
            sessions.append(case.http)
            await ask(case, "/")

        async def body(case: Any) -> None:
            if base is BASES[1]:
                case.addAsyncCleanup(use, case)
            else:
                case.addCleanup(lambda: asyncio.run(use(case)))

        outcome = run_class(make(base, body, server_scope="test"))
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(len(sessions), 1)

    @each_base
    def test_a_setup_that_fails_after_its_use_leaves_nothing(self, base: Any) -> None:
        async def hook(case: Any) -> None:
            await ask(case, "/")
            raise ValueError("the test's own")

        def set_up(case: Any) -> None:
            base.setUp(case)
            asyncio.run(hook(case))

        attributes = {"asyncSetUp": hook} if base is BASES[1] else {"setUp": set_up}
        outcome = run_class(make(base, hook, server_scope="test", **attributes))
        self.assertEqual([str(each) for each in outcome.raised], ["the test's own"])

    @each_base
    def test_its_end_fails_and_the_servers_too(self, base: Any) -> None:
        case = self.failing_in_the_end(base, OSError("of the session"))
        result = unittest.TestResult()
        case.run(result)
        of_session, of_server = (text for _, text in result.errors)
        self.assertIn("OSError: of the session", of_session)
        self.assertIn(
            "ShutdownError: The app's lifespan shutdown failed: ValueError: of the app", of_server
        )
        self.assertFalse(case.own.running)

    @each_base
    def test_ctrl_c_while_it_is_closed(self, base: Any) -> None:
        case = self.failing_in_the_end(base, KeyboardInterrupt())
        result = unittest.TestResult()
        with self.assertRaises(KeyboardInterrupt):
            case.run(result)
        self.assertEqual(result.errors, [])
        with self.assertRaisesRegex(ShutdownError, "shutdown failed"):
            case.own.stop()  # as the process's end would

    def failing_in_the_end(self, base: Any, error: BaseException) -> Any:
        """Make a test whose session raises when it is closed, and whose server when it stops."""

        async def body(case: Any) -> None:
            case.own, session = case.server, case.http
            patch = mock.patch.object(type(session), "close", side_effect=error)
            close = session.close
            patch.start()

            def close_after_all() -> None:
                patch.stop()
                if base is BASES[1]:
                    asyncio.run(close())
                else:
                    close()

            self.addCleanup(close_after_all)

        async def shut_down(*_: Any) -> None:
            raise ValueError("of the app")

        app = apps.Faulty(shutdown=shut_down)
        case: Any = make(base, body, app=app, server_scope="test")("test_it")
        return case


class MistakeTests(StrictTestCase):
    """What can be got wrong, and the text that says so."""

    def test_the_async_session_without_its_loop(self) -> None:
        def set_up(case: Any) -> None:
            BASES[1].setUp(case)
            case.http  # noqa: B018

        async def body(case: Any) -> None: ...

        (error,) = run_class(make(BASES[1], body, setUp=set_up)).raised
        self.assertIsInstance(error, ConfigurationError)
        self.assertIn("Tests.http is an aiohttp session and needs the test's loop", str(error))
        self.assertIn("asyncSetUp()", str(error))

    @each_base
    def test_a_wrong_timeout(self, base: Any) -> None:
        async def body(case: Any) -> None:
            case.http  # noqa: B018

        for wrong in (0, -1, "30", None, True, float("nan")):
            with self.subTest(value=wrong):
                (error,) = run_class(make(base, body, http_timeout=wrong)).raised
                self.assertIsInstance(error, ConfigurationError)
                self.assertIn(f"Tests.http_timeout is {wrong!r}", str(error))

    @each_base
    def test_no_server(self, base: Any) -> None:
        async def body(case: Any) -> None:
            case.http  # noqa: B018

        def set_up(case: Any) -> None: ...

        (error,) = run_class(make(base, body, server_scope="test", setUp=set_up)).raised
        self.assertIn("call super().setUp() there", str(error))


class ImportTests(StrictTestCase):
    """Each client is imported when it is first used."""

    def modules_after(self, code: str) -> set[str]:
        code += "\nimport sys; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
        )
        return set(done.stdout.split())

    def test_the_package_imports_none(self) -> None:
        modules = self.modules_after("from liveserver import *")
        self.assertFalse(modules & {"aiohttp", "requests"})

    def test_a_server_by_hand_imports_no_unittest(self) -> None:
        code = """
from liveserver import LiveServer
async def app(scope, receive, send): ...
with LiveServer(app):
    pass
"""
        self.assertNotIn("unittest", self.modules_after(code))

    def test_the_sync_class_imports_requests_alone(self) -> None:
        code = """
import liveserver, unittest
from tests.helpers.apps import hello
class Tests(liveserver.LiveServerTestCase):
    app = hello
    def test_it(self):
        assert self.http.get("/").text == "hello"
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
assert result.testsRun == 1 and result.wasSuccessful(), result.errors
"""
        modules = self.modules_after(code)
        self.assertIn("requests", modules)
        self.assertNotIn("aiohttp", modules)

    def test_the_import_is_no_slow_step_of_the_test(self) -> None:
        code = """
import asyncio, liveserver, unittest
from tests.helpers.apps import hello
class Tests(liveserver.IsolatedAsyncioLiveServerTestCase):
    app = hello
    async def test_it(self):
        usual = asyncio.get_running_loop().slow_callback_duration
        self.http  # which imports aiohttp, for longer than asyncio's debug mode likes
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.get_running_loop().slow_callback_duration == usual
unittest.main()
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
        )
        self.assertNotIn("Executing", done.stderr)
