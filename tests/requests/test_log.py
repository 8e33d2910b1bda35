"""The log of a server: what it keeps, and for how long."""

import asyncio
import gc
import unittest
import weakref
from typing import Any

from liveserver import LiveServer
from liveserver._requests.log import BackgroundFailure, RequestLog
from liveserver._requests.middleware import RecordingMiddleware
from liveserver._requests.record import RequestRecord
from liveserver._sync.latches import Outcome
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, each_base, run_class, without_plugin

SCOPE: dict[str, Any] = {
    "type": "http",
    "path": "/",
    "query_string": b"",
    "http_version": "1.1",
    "scheme": "http",
    "client": None,
    "headers": [],
}


def record() -> RequestRecord:
    no_loop: Any = object()  # in which no task runs
    return RequestRecord(no_loop, SCOPE, None)


class Local:
    """A local variable of a function that raises."""


def raised(kept: list[Any]) -> Exception:
    """Return an exception whose frame has a `Local`, of which there is a weak reference."""

    def fail() -> None:
        local = Local()
        kept.append(weakref.ref(local))
        raise apps.Trouble("out of order")

    try:
        fail()
    except apps.Trouble as error:
        return error
    raise AssertionError


class RequestLogTests(unittest.TestCase):
    """`RequestLog`."""

    def test_a_failure_is_kept_when_its_request_is_forgotten(self) -> None:
        log = RequestLog()
        span = Local()
        log.spans.add(span)
        failed = record()
        log.append(failed)
        failed.exception = apps.Trouble()
        log.add_failure(failed)
        for _ in range(10_000):
            log.append(record())
        self.assertEqual(len(log.since()), 10_001)
        self.assertIs(log.since()[0], failed)
        self.assertEqual(log.failures_since(), [failed])
        log.release(failed)
        self.assertEqual(len(log.since()), 10_000)
        self.assertIsNone(failed.exception)

    def test_without_a_span_it_keeps_a_hundred_and_no_frames(self) -> None:
        log = RequestLog()
        locals_: list[Any] = []
        failures = [BackgroundFailure("a task", raised(locals_)) for _ in range(150)]
        for each in failures:
            log.add_failure(each)
        self.assertEqual(log.failures_since(), failures[-100:])
        self.assertEqual([each() for each in locals_], [None] * 150)
        self.assertIsNone(failures[0].exception)
        self.assertEqual(str(failures[0]), "a task raised Trouble: out of order")

    def test_with_a_span_it_keeps_all(self) -> None:
        # The negative control.
        log = RequestLog()
        span = Local()
        log.spans.add(span)
        locals_: list[Any] = []
        failures = [BackgroundFailure("a task", raised(locals_)) for _ in range(150)]
        for each in failures:
            log.add_failure(each)
        self.assertEqual(log.failures_since(), failures)
        self.assertNotIn(None, [each() for each in locals_])

    def test_frames_of_causes_and_of_groups_are_cleared(self) -> None:
        locals_: list[Any] = []
        group = ExceptionGroup("two", [raised(locals_), raised(locals_)])
        group.__cause__ = raised(locals_)
        group.__context__ = group.__cause__
        RequestLog().add_failure(BackgroundFailure("a task", group))
        self.assertEqual([each() for each in locals_], [None] * 3)

    def test_a_request_that_begins_while_it_is_read(self) -> None:
        class Changing(list[Any]):
            """A deque that another thread changes while it is iterated over."""

            maxlen = 10

            def __reversed__(self) -> Any:
                raise RuntimeError("deque mutated during iteration")

        log = RequestLog()
        records = [record() for _ in range(3)]
        for each in records:
            log.append(each)
        log._records = Changing(records)  # type: ignore[assignment]
        self.assertEqual(log.since(1), records[1:])


class RequestRecordTests(unittest.TestCase):
    """`RequestRecord`, without a server."""

    def test_what_happens_after_its_end(self) -> None:
        ended = record()
        ended.end()
        ended.cancel()
        ended.count_wait()
        self.assertFalse(ended.cancelling or ended.waits_are_over)

    def test_a_message_that_says_nothing_of_the_answer(self) -> None:
        asked = record()
        asked.sent({"type": "http.response.trailers", "headers": []})
        self.assertEqual((asked.status, asked.complete), (None, False))


class RecordingMiddlewareTests(unittest.TestCase):
    """`RecordingMiddleware`, without a server."""

    def test_its_end_lets_all_go_on_who_wait(self) -> None:
        middleware = RecordingMiddleware(RequestLog())
        middleware.loop = asyncio.new_event_loop()
        self.addCleanup(middleware.loop.close)
        middleware.running.add(record())
        waiter: Outcome[None] = Outcome()
        middleware.when_idle(waiter, lambda _: True)
        self.assertFalse(waiter.done())
        middleware.end()
        self.assertTrue(waiter.done())


class LostTests(StrictTestCase):
    """An exception is not lost among 10,000 requests."""

    seconds = 60

    @each_base
    def test_ten_thousand_requests_later(self, base: Any) -> None:
        class Tests(base):  # type: ignore[misc]
            app = apps.Faulty(handler=apps.raise_trouble)

            def test_it(self) -> None:
                with Client(self.base_url) as client:
                    assert client.get("/").status == 500
                log = self.server._control.log
                for _ in range(10_000):
                    log.append(record())

        outcome = run_class(Tests)
        self.assertEqual(len(outcome.raised), 1, outcome)
        self.assertIn("Trouble: out of order", str(outcome.raised[0]))

    @without_plugin
    def test_a_server_by_hand_keeps_no_body(self) -> None:
        bodies: list[Any] = []

        class Body(bytearray):
            """A body to which there can be a weak reference."""

        async def upload(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            body = Body((await receive())["body"])
            bodies.append(weakref.ref(body))
            raise apps.Trouble(len(body))

        with LiveServer(apps.Faulty(handler=upload)) as server:
            for _ in range(20):
                with Client(server.base_url) as client:
                    self.assertEqual(client.get("/", "POST", b"x" * 1000).status, 500)
            server.wait_idle(5)
            gc.collect()
            self.assertEqual([each() for each in bodies], [None] * 20)
            self.assertEqual(server.requests[0].error, "Trouble: 1000")
            self.assertIsInstance(server.requests[0].exception, apps.Trouble)

    @without_plugin
    def test_nothing_is_left_of_a_refused_lifespan(self) -> None:
        class App:
            """An app without a lifespan."""

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await asyncio.sleep(0)
                raise NotImplementedError(scope["type"])

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        app: App | None = App()
        known = weakref.ref(app)
        with LiveServer(app) as server:
            app = None
        del server
        self.assertIsNone(known())
