"""Apps of every shape: what is recognised, what is refused, and how WSGI is served."""

import asyncio
import functools
import importlib.util
import subprocess
import sys
import threading
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

from liveserver import AppError, ConfigurationError, LiveServer
from liveserver._app.interface import accepts_positional, interface
from liveserver._app.loading import as_asgi
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, each_base, get, loops, run_class

HAS_A2WSGI = importlib.util.find_spec("a2wsgi") is not None


class Asgi3:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await apps.hello(scope, receive, send)

    async def method(self, scope: Any, receive: Any, send: Any) -> None:
        await apps.hello(scope, receive, send)

    @staticmethod
    async def static(scope: Any, receive: Any, send: Any) -> None:
        await apps.hello(scope, receive, send)


class Endpoint:
    """An app that is a class whose instances are awaited, as Starlette's endpoints are."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.arguments = scope, receive, send

    def __await__(self) -> Any:
        return apps.hello(*self.arguments).__await__()


class Asgi2:
    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await apps.hello(self.scope, receive, send)


def asgi2(scope: Any) -> Any:
    return functools.partial(apps.hello, scope)


async def with_more(scope: Any, receive: Any, send: Any, extra: Any = None) -> None:
    await apps.hello(scope, receive, send)


async def of_any_arguments(*args: Any) -> None:
    await apps.hello(*args)


async def configured(prefix: str, scope: Any, receive: Any, send: Any) -> None:
    await apps.hello(scope, receive, send)


def not_async(scope: Any, receive: Any, send: Any) -> Any:
    return apps.hello(scope, receive, send)


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def wsgi_with_more(environ: Any, start_response: Any, extra: Any = None) -> list[bytes]:
    return wsgi(environ, start_response)


def wsgi_configured(prefix: str, environ: Any, start_response: Any) -> list[bytes]:
    return wsgi(environ, start_response)


class Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return wsgi(environ, start_response)

    def method(self, environ: Any, start_response: Any) -> list[bytes]:
        return wsgi(environ, start_response)


class WsgiClass:
    """An app that is a class, as PEP 3333 allows."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        self.body = wsgi(environ, start_response)

    def __iter__(self) -> Any:
        return iter(self.body)


ASGI_SHAPES: dict[str, Any] = {
    "function": apps.hello,
    "function with more": with_more,
    "function of any arguments": of_any_arguments,
    "function that returns a coroutine": not_async,
    "partial": functools.partial(configured, "x"),
    "instance": Asgi3(),
    "bound method": Asgi3().method,
    "static method": Asgi3.static,
    "class whose instances are awaited": Endpoint,
    "class of ASGI 2": Asgi2,
    "function of ASGI 2": asgi2,
    "import string": "tests.app.test_shapes:apps.hello",
}

WSGI_SHAPES: dict[str, Any] = {
    "function": wsgi,
    "function with more": wsgi_with_more,
    "partial": functools.partial(wsgi_configured, "x"),
    "instance": Wsgi(),
    "bound method": Wsgi().method,
    "class": WsgiClass,
    "import string": "tests.app.test_shapes:wsgi",
}

if not HAS_A2WSGI:
    WSGI_SHAPES.clear()


class ShapeTests(StrictTestCase):
    """Every shape of app answers."""

    def test_by_hand(self) -> None:
        for name, app in [*ASGI_SHAPES.items(), *WSGI_SHAPES.items()]:
            for loop in loops():
                with (
                    self.subTest(app=name, loop=loop),
                    LiveServer(app, uvicorn_config={"loop": loop}) as server,
                ):
                    self.assertEqual(get(server.base_url).body, b"hello")

    def test_by_a_factory(self) -> None:
        for name, app in [*ASGI_SHAPES.items(), *WSGI_SHAPES.items()]:
            if not isinstance(app, str):
                with (
                    self.subTest(app=name),
                    LiveServer(lambda app=app: app, factory=True) as server,  # type: ignore[misc]
                ):
                    self.assertEqual(get(server.base_url).body, b"hello")
                    self.assertIs(server.app, app)

    @unittest.skipIf(sys.version_info < (3, 14), "Python evaluates annotations at once")
    def test_an_annotation_may_name_what_only_type_checkers_import(self) -> None:
        names: dict[str, Any] = {"hello": apps.hello}
        exec(
            "async def app(scope: Missing, receive, send): await hello(scope, receive, send)\n"
            "def create_app() -> Missing: return app",
            names,
        )
        for app, factory in (("app", False), ("create_app", True)):
            with self.subTest(app=app), LiveServer(names[app], factory=factory) as server:
                self.assertEqual(get(server.base_url).body, b"hello")

    @each_base
    def test_on_a_class(self, base: Any) -> None:
        def test(case: Any) -> None:
            self.assertEqual(get(case.base_url).body, b"hello")

        async def async_test(case: Any) -> None:
            test(case)

        asynchronous = issubclass(base, unittest.IsolatedAsyncioTestCase)
        for name, app in [*ASGI_SHAPES.items(), *WSGI_SHAPES.items()]:
            with self.subTest(app=name):
                body = {"app": app, "test_it": async_test if asynchronous else test}
                outcome = run_class(type("Tests", (base,), body))
                self.assertTrue(outcome.wasSuccessful(), outcome)
                self.assertEqual(outcome.testsRun, 1)


@unittest.skipUnless(HAS_A2WSGI, "a2wsgi is not installed")
class WSGITests(StrictTestCase):
    """A WSGI app has the same care as an ASGI app."""

    def test_what_it_raises_fails_the_test(self) -> None:
        def broken(environ: Any, start_response: Any) -> Any:
            raise LookupError("no such item")

        with LiveServer(broken) as server:
            self.assertEqual(get(server.base_url).status, 500)
            server.wait_idle(5)
            (request,) = server.requests
        self.assertEqual(request.error, "LookupError: no such item")

    @each_base
    def test_that_is_an_app_error(self, base: Any) -> None:
        def broken(environ: Any, start_response: Any) -> Any:
            raise LookupError("no such item")

        def test(case: Any) -> None:
            get(case.base_url)

        async def async_test(case: Any) -> None:
            test(case)

        asynchronous = issubclass(base, unittest.IsolatedAsyncioTestCase)
        body = {"app": staticmethod(broken), "test_it": async_test if asynchronous else test}
        (error,) = run_class(type("Tests", (base,), body)).raised
        self.assertIsInstance(error, AppError)
        pattern = r"LookupError: no such item, at tests/app/test_shapes\.py:\d+ in"
        self.assertRegex(str(error), pattern)

    def test_a_request_that_hangs_is_named_with_its_line_and_cut(self) -> None:
        begun, released = threading.Event(), threading.Event()

        def stuck(environ: Any, start_response: Any) -> Any:
            begun.set()
            released.wait(10)
            raise TimeoutError("nobody is interested any more")

        server = LiveServer(stuck, shutdown_timeout=0.1)
        server.start()
        with Client(server.base_url) as client:
            client.send("/stuck")
            self.assertTrue(begun.wait(10))
            try:
                pattern = r"GET /stuck, .* at tests/app/test_shapes\.py:\d+ in stuck"
                with self.assertWarnsRegex(ResourceWarning, pattern):
                    server.stop()
            finally:
                released.set()

    def test_a_worker_whose_request_has_ended_does_not_wait_for_the_loop(self) -> None:
        begun, released, closed = threading.Event(), threading.Event(), threading.Event()

        def pieces() -> Iterator[bytes]:
            try:
                begun.set()
                released.wait(10)
                yield b"nobody is there to read this"
            finally:
                closed.set()

        def slow(environ: Any, start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [])
            return pieces()

        async def cancel_it() -> bool:
            scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
            scope |= {"http_version": "1.1", "headers": []}
            request = asyncio.create_task(as_asgi(slow)(scope, hang, ignore))
            await asyncio.to_thread(begun.wait, 10)
            request.cancel()
            await asyncio.wait([request])
            released.set()
            return closed.wait(5)  # this loop stands as still as one that is about to be closed

        async def hang() -> Any:
            await asyncio.Event().wait()

        async def ignore(message: Any) -> None: ...

        self.assertTrue(asyncio.run(cancel_it()))

    def test_its_threads_end_with_the_server(self) -> None:
        for lifespan in ("auto", "off"):
            with (
                self.subTest(lifespan=lifespan),
                LiveServer(wsgi, uvicorn_config={"lifespan": lifespan}) as server,
            ):
                get(server.base_url)
                self.assertTrue([t for t in threading.enumerate() if "-worker" in t.name])
            # StrictTestCase sees that they are gone.

    @unittest.skipUnless(importlib.util.find_spec("websockets"), "websockets is not installed")
    def test_a_websocket_is_refused(self) -> None:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        with LiveServer(wsgi) as server:
            with self.assertRaises(InvalidStatus) as caught, connect(server.ws_url, proxy=None):
                pass
            self.assertEqual(caught.exception.response.status_code, 403)
            self.assertEqual(get(server.base_url).body, b"hello")


class MistakeTests(StrictTestCase):
    """What is no app, or may be two kinds of it, and the text that says so."""

    def test_without_a2wsgi(self) -> None:
        code = """
import sys
sys.modules["a2wsgi"] = None
from liveserver import LiveServer
def app(environ, start_response): ...
LiveServer(app)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False
        )
        self.assertIn("LiveServer was given __main__.app, a WSGI app, which needs", done.stderr)
        self.assertIn('pip install "liveserver[wsgi]"', done.stderr)

    def test_ambiguous(self) -> None:
        def anything(*args: Any) -> Any: ...

        def optional(one: Any, two: Any, three: Any = None) -> Any: ...

        for app in (anything, optional):
            with (
                self.subTest(app=app.__name__),
                self.assertRaisesRegex(
                    ConfigurationError, "may be an ASGI or a WSGI app.*Say which"
                ),
            ):
                LiveServer(app)

    def test_a_function_that_builds_the_app(self) -> None:
        def none() -> Any: ...

        def one(config: Any = None) -> Any: ...

        def two(config: Any = None, debug: bool = False) -> Any:
            return apps.hello

        def three(config: Any = None, debug: bool = False, url: str = "") -> Any: ...

        def keywords(*, debug: bool = False) -> Any: ...

        for app in (none, one, two, three, keywords, functools.partial(three, None)):
            with (
                self.subTest(app=app),
                self.assertRaisesRegex(
                    ConfigurationError,
                    "which looks like a function that builds the app: it can be called without "
                    r"arguments\. Set factory=True\.",
                ),
            ):
                LiveServer(app)
        with (
            self.assertRaisesRegex(
                ConfigurationError, "factory .*lambda> returned .*Call it, and return the app"
            ),
            LiveServer(lambda: two, factory=True),
        ):
            pass
        with LiveServer(two, factory=True) as server:
            self.assertEqual(get(server.base_url).body, b"hello")

    def test_names_tell_an_app_from_a_function_that_builds_it(self) -> None:
        async def asgi(scope: Any = None, receive: Any = None, send: Any = None) -> None:
            await apps.hello(scope, receive, send)

        def not_async(scope: Any = None, receive: Any = None, send: Any = None) -> Any:
            return apps.hello(scope, receive, send)

        def wsgi_app(environ: Any = None, start_response: Any = None) -> list[bytes]:
            return wsgi(environ, start_response)

        for app in (asgi, not_async, *([wsgi_app] if HAS_A2WSGI else [])):
            with self.subTest(app=app), LiveServer(app) as server:
                self.assertEqual(get(server.base_url).body, b"hello")

    def test_arguments_that_nobody_can_tell(self) -> None:
        app = functools.partial(apps.hello)
        with mock.patch("inspect.signature", side_effect=ValueError("no signature found")):
            server = LiveServer(app)
        with server:
            self.assertEqual(get(server.base_url).body, b"hello")

    def test_a_builtin_without_a_signature(self) -> None:
        """Its first request shows what it is; a class is no app, and a type object none either."""
        with mock.patch("inspect.signature", side_effect=ValueError("no signature found")):
            self.assertIsNone(interface(dict))
            self.assertTrue(accepts_positional(dict, 0))
        with mock.patch("inspect.signature", side_effect=TypeError("not supported")):
            self.assertIsNone(interface(dict))
            self.assertFalse(accepts_positional(dict, 0))

    def test_not_an_app(self) -> None:
        async def async_two(one: Any, two: Any) -> None: ...

        async def async_scope(scope: Any) -> None: ...

        def one(request: Any) -> Any: ...

        def four(a: Any, b: Any, c: Any, d: Any) -> Any: ...

        def half(receive: Any, send: Any) -> Any: ...

        async def and_more(scope: Any, receive: Any, send: Any, *, more: Any) -> None: ...

        class Two:
            def __init__(self, one: Any, two: Any) -> None: ...

        class Three:
            def __init__(self, one: Any = 1, two: Any = 2, three: Any = 3) -> None: ...

        functions = (async_two, async_scope, one, four, half, and_more)
        for app in (*functions, Two, Three, dict, unittest.TestCase):
            with (
                self.subTest(app=app),
                self.assertRaisesRegex(ConfigurationError, "cannot be called"),
            ):
                LiveServer(app)
