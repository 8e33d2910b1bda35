"""A chat over WebSocket, in asyncio with aiohttp, and in sync tests with websockets.
Run it: python -m unittest examples.test_websocket"""

import json
import unittest

import aiohttp
from fastapi import FastAPI

from examples.shop.main import create_app
from liveserver import IsolatedAsyncioLiveServerTestCase, LiveServerTestCase

try:
    import websockets.sync.client as websockets
except ImportError:
    websockets = None  # type: ignore[assignment]  # the tests are skipped then

# uvicorn needs it, too, or wsproto, to serve WebSockets.
needs_websockets = unittest.skipIf(websockets is None, "needs websockets")


@needs_websockets
class AsyncChatTests(IsolatedAsyncioLiveServerTestCase):
    server_scope = "test"

    @classmethod
    def create_app(cls) -> FastAPI:
        return create_app()

    async def test_all_hear_what_one_says(self) -> None:
        async with (
            self.http.ws_connect("/ws?name=Ann") as ann,
            self.http.ws_connect("/ws?name=Bob") as bob,
        ):
            await bob.send_str("Hello")
            hello = {"kind": "said", "name": "Bob", "text": "Hello"}
            for client in (ann, bob):
                while (message := await client.receive_json(timeout=5))["kind"] == "joined":
                    pass
                self.assertEqual(message, hello)

    async def test_the_others_hear_that_one_leaves(self) -> None:
        async with self.http.ws_connect("/ws?name=Ann") as ann:
            async with self.http.ws_connect("/ws?name=Bob"):
                pass
            messages = [await ann.receive_json(timeout=5) for _ in range(3)]
        self.assertEqual(
            [(message["kind"], message["name"]) for message in messages],
            [("joined", "Ann"), ("joined", "Bob"), ("left", "Bob")],
        )

    async def test_an_empty_name_is_refused(self) -> None:
        with self.assertRaises(aiohttp.WSServerHandshakeError) as caught:
            await self.http.ws_connect("/ws?name=")
        self.assertEqual(caught.exception.status, 403)


@needs_websockets
class ChatTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    def test_a_client_hears_itself(self) -> None:
        with websockets.connect(f"{self.server.ws_url}/ws?name=Ann") as ann:
            self.assertEqual(json.loads(ann.recv(timeout=5))["kind"], "joined")
            ann.send("Hello")
            self.assertEqual(json.loads(ann.recv(timeout=5))["text"], "Hello")
