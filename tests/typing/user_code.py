"""Code as users write it; type-checked, not run."""

import ssl
from typing import Any, assert_type

import aiohttp
import requests

from liveserver import (
    IsolatedAsyncioLiveServerTestCase,
    LiveServer,
    LiveServerMixin,
    LiveServerTestCase,
)


async def some_app(scope: Any, receive: Any, send: Any) -> None: ...


class HealthTests(LiveServerTestCase):
    app = "shop.main:app"
    server_scope = "test"
    server_options = {"startup_timeout": 30, "uvicorn_config": {"loop": "asyncio"}}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        assert_type(cls.base_url, str)
        assert_type(cls.server, LiveServer)

    def test_types(self) -> None:
        assert_type(self.base_url, str)
        assert_type(self.server, LiveServer)
        assert_type(self.server.port, int)
        assert_type(self.server.ws_url, str)
        assert_type(self.server.running, bool)
        assert_type(self.server.ca_bundle, str)
        assert_type(self.server.client_ssl_context, ssl.SSLContext)
        assert_type(self.http, requests.Session)


class StreamTests(IsolatedAsyncioLiveServerTestCase):
    app = some_app

    async def test_types(self) -> None:
        assert_type(self.base_url, str)
        assert_type(self.http, aiohttp.ClientSession)


class BuiltTests(LiveServerTestCase):
    @classmethod
    def create_app(cls) -> Any:
        return some_app


class WrongOption(LiveServerTestCase):
    server_options = {"startup_timeuot": 30}  # type: ignore[typeddict-unknown-key]


class WrongType(LiveServerTestCase):
    server_options = {"port": "80"}  # type: ignore[typeddict-item]


class Mixed(LiveServerMixin):
    app = some_app


def count(things: list[str]) -> int:
    return len(things)


async def count_later(things: list[str]) -> int:
    return len(things)


def by_hand() -> None:
    with LiveServer(some_app, port=0) as server:
        assert_type(server.call(count, ["x"]), int)
        assert_type(server.call(count_later, ["x"], timeout=1), int)
        assert_type(server, LiveServer)
        assert_type(server.base_url, str)


async def by_hand_in_a_loop() -> None:
    async with LiveServer("shop.main:build", factory=True) as server:
        assert_type(server, LiveServer)
