"""Clients on a service that hangs, stalls, resets, truncates, is busy or goes away.
Run it: python -m unittest examples.test_misbehaving"""

import asyncio
import importlib.util
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import aiohttp

from examples.misbehaving.app import Weather
from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerMixin, LiveServerTestCase

try:
    import httpx

    from examples.misbehaving.clients import Unavailable, fetch, fetch_async, follow
except ImportError:
    httpx = None  # type: ignore[assignment]  # the tests are skipped then


class WeatherMixin(LiveServerMixin):
    server_scope = "test"

    @classmethod
    def create_app(cls) -> Weather:
        return Weather()

    @property
    def weather(self) -> Weather:
        app = self.server.app
        assert isinstance(app, Weather)
        return app

    def statuses(self) -> list[int | None]:
        """How the requests were answered: None is not at all."""
        self.server.wait_idle(timeout=5)  # a client that gives up leaves, and its handler ends
        return [each.status for each in self.server.requests]


@unittest.skipIf(httpx is None, "needs httpx")
class HttpxTests(WeatherMixin, LiveServerTestCase):
    def fetch(self, attempts: int = 3, timeout: float = 10) -> str:
        return fetch(self.base_url, attempts=attempts, timeout=timeout)

    def test_it_is_busy_and_then_answers(self) -> None:
        self.weather.plan = ["busy", "busy"]
        self.assertEqual(self.fetch(), "sunshine")
        self.assertEqual(self.statuses(), [503, 503, 200])

    def test_it_stays_busy(self) -> None:
        self.weather.plan = ["busy"] * 10
        with self.assertRaises(Unavailable):
            self.fetch()
        self.assertEqual(self.statuses(), [503, 503, 503])

    def test_it_hangs(self) -> None:
        self.weather.plan = ["hang"]
        with self.assertRaises(Unavailable) as caught:
            self.fetch(attempts=1, timeout=0.1)
        self.assertIsInstance(caught.exception.__cause__, httpx.ReadTimeout)
        self.assertEqual(self.statuses(), [None])

    def test_it_hangs_and_then_answers(self) -> None:
        self.weather.plan = ["hang"]
        self.assertEqual(self.fetch(timeout=1), "sunshine")
        self.assertEqual(self.statuses(), [None, 200])

    def test_it_is_slow(self) -> None:
        self.weather.plan = ["slow"]
        with ThreadPoolExecutor(1) as thread:
            report = thread.submit(self.fetch)
            self.server.call(self.weather.half_sent.wait)  # on the server's loop
            self.server.call(self.weather.go_on.set)
            self.assertEqual(report.result(timeout=10), "sunshine")
        self.assertEqual(self.statuses(), [200])

    def test_it_stalls_in_the_middle_of_a_body(self) -> None:
        self.weather.plan = ["stall"]
        with self.assertRaises(Unavailable) as caught:
            self.fetch(attempts=1, timeout=0.1)
        self.assertIsInstance(caught.exception.__cause__, httpx.ReadTimeout)

    def test_it_truncates_a_body(self) -> None:
        self.weather.plan = ["truncate", "truncate"]
        with self.server.raises(RuntimeError):  # else what the app raises would fail the test
            self.assertEqual(self.fetch(), "sunshine")
        with self.server.raises(RuntimeError, match="out of weather"):
            self.weather.plan = ["truncate"]
            with self.assertRaises(Unavailable) as caught:
                self.fetch(attempts=1)
        self.assertIsInstance(caught.exception.__cause__, httpx.RemoteProtocolError)

    def test_the_connection_is_reset(self) -> None:
        self.weather.plan = ["stall"]
        with ThreadPoolExecutor(1) as thread:
            report = thread.submit(self.fetch)
            self.server.call(self.weather.half_sent.wait)
            self.server.drop_connections(reset=True)
            self.assertEqual(report.result(timeout=10), "sunshine")
        self.assertEqual(self.statuses(), [200, 200])

    def test_it_is_down_and_comes_back(self) -> None:
        self.server.stop()
        with self.assertRaises(Unavailable) as caught:
            fetch(self.base_url, attempts=3, timeout=10)
        self.assertIsInstance(caught.exception.__cause__, httpx.ConnectError)
        self.server.start()  # on the same port
        self.assertEqual(self.fetch(attempts=1), "sunshine")


@unittest.skipIf(httpx is None, "needs httpx")
class AiohttpTests(WeatherMixin, IsolatedAsyncioLiveServerTestCase):
    # The client is tested here, and the app fails on purpose: what it raises fails no test of this
    # class. It still stands in the note of a test that fails. In a suite where the app has to be
    # right too, leave this out, and say with `raises` where it may fail, as above.
    raise_server_errors = False

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.enterAsyncContext(asyncio.timeout(20))

    async def fetch(self, attempts: int = 3, timeout: float = 10) -> str:
        return await fetch_async(self.http, attempts=attempts, timeout=timeout)

    async def test_what_may_help_is_tried_again(self) -> None:
        for plan in (["busy", "busy"], ["truncate"], ["busy", "truncate"]):
            with self.subTest(plan=plan):
                self.weather.plan = list(plan)
                self.assertEqual(await self.fetch(), "sunshine")

    async def test_what_became_of_the_last_attempt(self) -> None:
        for word, cause in (
            ("busy", aiohttp.ClientResponseError),
            ("hang", TimeoutError),
            ("stall", TimeoutError),
            ("truncate", aiohttp.ClientPayloadError),
        ):
            with self.subTest(word):
                self.weather.plan = [word]
                with self.assertRaises(Unavailable) as caught:
                    await self.fetch(attempts=1, timeout=0.2)
                self.assertIsInstance(caught.exception.__cause__, cause)

    async def test_the_connection_is_reset(self) -> None:
        self.weather.plan = ["stall"]
        report = asyncio.create_task(self.fetch())
        await self.server.acall(self.weather.half_sent.wait)
        await self.server.adrop_connections(reset=True)
        self.assertEqual(await report, "sunshine")

    async def test_a_restart_between_two_requests(self) -> None:
        self.assertEqual(await self.fetch(), "sunshine")
        await self.server.arestart()
        self.assertEqual(await self.fetch(attempts=1), "sunshine")


@unittest.skipIf(httpx is None, "needs httpx")
@unittest.skipUnless(importlib.util.find_spec("websockets"), "needs websockets")
class FeedTests(WeatherMixin, IsolatedAsyncioLiveServerTestCase):
    """A WebSocket that breaks: the client goes on after the last number that it has."""

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.enterAsyncContext(asyncio.timeout(20))
        self.numbers = await self.enterAsyncContext(aclosing(follow(self.http)))

    async def test_it_is_closed_again_and_again(self) -> None:
        self.weather.plan = ["close", "close"]
        self.assertEqual([await anext(self.numbers) for _ in range(5)], [1, 2, 3, 4, 5])
        asked = [each.query for each in self.server.requests]
        self.assertEqual(asked, ["after=0", "after=2", "after=4"])

    async def test_it_is_reset(self) -> None:
        self.assertEqual([await anext(self.numbers) for _ in range(2)], [1, 2])
        await self.server.adrop_connections(reset=True)
        self.assertEqual(await anext(self.numbers), 3)

    async def test_the_service_restarts(self) -> None:
        self.assertEqual([await anext(self.numbers) for _ in range(2)], [1, 2])
        await self.server.arestart()
        self.assertEqual(await anext(self.numbers), 3)
