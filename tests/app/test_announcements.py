"""What an unhandled exception of a handler does in each framework, without any setting."""

import asyncio
import importlib.util
import logging
import unittest
from collections.abc import Callable
from typing import Any

from liveserver import AppError, LiveServer
from liveserver._requests.middleware import current_record
from tests.helpers.apps import Trouble
from tests.helpers.support import StrictTestCase, each_base, get, run_class

# The frameworks whose exceptions fail the test.
RAISING: dict[str, Callable[[], Any]] = {}
# Those that keep them, with the app as it is, and as the hint in the note makes it.
KEEPING: dict[str, Callable[[bool], Any]] = {}


def fail() -> Any:
    """Raise, as a handler."""
    raise Trouble("out of order")


async def afail() -> Any:
    """Raise, as an asynchronous handler."""
    raise Trouble("out of order")


def raising(make: Callable[[], Any]) -> Callable[[], Any]:
    RAISING[make.__name__] = make
    return make


def keeping(make: Callable[[bool], Any]) -> Callable[[bool], Any]:
    KEEPING[make.__name__] = make
    return make


@raising
def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def handler(request: Any) -> Any:
        return await afail()

    return Starlette(routes=[Route("/", handler)])


@raising
def fastapi() -> Any:
    from fastapi import FastAPI

    app = FastAPI()
    app.get("/")(fail)
    return app


@raising
def flask() -> Any:
    from flask import Flask

    app = Flask("shop")
    app.get("/")(fail)
    return app


@raising
def quart() -> Any:
    from quart import Quart

    app = Quart("shop")
    app.get("/")(afail)
    return app


@raising
def bottle() -> Any:
    """Hands the exception to `start_response`, as WSGI wants."""
    from bottle import Bottle

    app = Bottle()
    app.get("/")(fail)
    return app


def django(is_async: bool = False) -> Any:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings
    from django.urls import path

    from tests.helpers.frameworks import with_django  # noqa: F401  # its settings

    class Urls:
        """A module of URLs, as Django takes it."""

        urlpatterns = [path("", lambda _: fail())]

    override_settings(ROOT_URLCONF=Urls).enable()
    return ASGIHandler() if is_async else WSGIHandler()


@keeping
def falcon(as_hinted: bool) -> Any:
    from falcon.asgi import App

    class Resource:
        async def on_get(self, request: Any, response: Any) -> None:
            await afail()

    async def reraise(request: Any, response: Any, error: BaseException, params: Any) -> None:
        raise error

    app = App()
    app.add_route("/", Resource())
    if as_hinted:
        app.add_error_handler(Exception, reraise)
    return app


@keeping
def litestar(as_hinted: bool) -> Any:
    from litestar import Litestar, get

    def reraise(request: Any, error: Exception) -> Any:
        raise error

    handlers = {"exception_handlers": {Exception: reraise}} if as_hinted else {}
    # Its logging would start a thread.
    return Litestar([get("/")(afail)], logging_config=None, **handlers)


def is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


class FrameworkTests(StrictTestCase):
    """Each framework that is installed."""

    seconds = 60

    def setUp(self) -> None:
        missing = [name for name in (*RAISING, *KEEPING) if not is_installed(name)]
        if len(missing) == len(RAISING) + len(KEEPING):
            self.skipTest("no framework is installed")
        for framework in ("litestar", "bottle"):
            if is_installed(framework):  # their imports warn
                __import__(framework)
        super().setUp()
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def run_app(self, base: Any, made: Any, fails: bool = False) -> Any:
        class Tests(base):  # type: ignore[misc]
            app = made

            def test_it(self) -> None:
                assert get(self.base_url).status == 500
                if fails:
                    self.fail("for the note")

        return run_class(Tests)

    @each_base
    def test_those_whose_exceptions_fail_the_test(self, base: Any) -> None:
        for name, make in RAISING.items():
            if is_installed(name):
                with self.subTest(framework=name):
                    outcome = self.run_app(base, make())
                    self.assertEqual([type(each) for each in outcome.raised], [AppError], outcome)
                    self.assertIsInstance(outcome.raised[0].__cause__, Trouble)

    @each_base
    def test_those_that_keep_them_have_a_hint(self, base: Any) -> None:
        for name, make in KEEPING.items():
            if is_installed(name):
                with self.subTest(framework=name):
                    outcome = self.run_app(base, make(False))
                    self.assertTrue(outcome.wasSuccessful(), outcome)
                    (error,) = self.run_app(base, make(False), fails=True).raised
                    self.assertIn(f"{name} answers 500 by itself. For its", error.__notes__[0])

    @each_base
    def test_the_hint_helps(self, base: Any) -> None:
        for name, make in KEEPING.items():
            if is_installed(name):
                with self.subTest(framework=name):
                    outcome = self.run_app(base, make(True))
                    self.assertEqual([type(each) for each in outcome.raised], [AppError], outcome)


class WithoutHintTests(StrictTestCase):
    """A 500 of an app of no known framework."""

    def test_the_note_has_no_hint(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body"})

        from liveserver import LiveServerTestCase

        outcome = FrameworkTests.run_app(self, LiveServerTestCase, app, fails=True)  # type: ignore[arg-type]
        self.assertNotIn("answers 500 by itself", outcome.raised[0].__notes__[0])


@unittest.skipUnless(is_installed("django"), "django is not installed")
class DjangoTests(StrictTestCase):
    """A view's exception, which Django announces."""

    @each_base
    def test_a_view(self, base: Any) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        for is_async in (False, True):
            with self.subTest(is_async=is_async):
                outcome = FrameworkTests.run_app(self, base, django(is_async))  # type: ignore[arg-type]
                self.assertEqual([type(each) for each in outcome.raised], [AppError], outcome)
                self.assertIsInstance(outcome.raised[0].__cause__, Trouble)


class EndOfResponseTests(StrictTestCase):
    """A response whose bytes the client has counted, before the app says that they are all."""

    def test_it_is_waited_for(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            record = current_record.get()
            assert record is not None
            record.announced = Trouble("out of order")
            headers = [(b"content-length", b"4")]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": b"oops", "more_body": True})
            loop = asyncio.get_running_loop()
            over = loop.create_future()
            loop.call_later(0.5, over.set_result, None)
            await over
            await send({"type": "http.response.body"})

        # The client keeps its connection, so that nobody takes it for one that has left.
        with LiveServer(app) as server, server.session() as http, server.raises(Trouble):
            self.assertEqual(http.get("/").content, b"oops")
