"""LiveServer.bind: a port that is taken, and served later."""

import socket
from typing import Any

from liveserver import LiveServer, NotRunningError, ShutdownError, StartupError
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, in_thread


class BindTests(StrictTestCase):
    """Between bind() and start(), and after them."""

    def test_the_address_is_known_and_connections_wait(self) -> None:
        server = LiveServer(apps.Recorder())
        self.addCleanup(server.stop)
        with self.assertRaises(NotRunningError):
            _ = server.base_url
        server.bind()
        url = server.base_url
        self.assertFalse(server.running)
        with socket.create_connection((server.host, server.port), timeout=5) as early:
            early.sendall(b"GET / HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n")
            server.start()
            self.assertEqual(server.base_url, url)
            self.assertIn(b"200 OK", early.recv(1000))

    def test_two_services_that_need_each_other(self) -> None:
        urls: dict[str, str] = {}

        def service(name: str, other: str) -> Any:
            async def app(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
                if scope["path"] == "/ask":
                    body = (await in_thread(get, urls[other], "/name")).body
                else:
                    body = name.encode()
                await apps.answer(send, body)

            return app

        services = {
            "orders": LiveServer(service("orders", "stock"), uvicorn_config={"lifespan": "off"}),
            "stock": LiveServer(service("stock", "orders"), uvicorn_config={"lifespan": "off"}),
        }
        for name, server in services.items():
            server.bind()
            urls[name] = server.base_url
        with services["orders"], services["stock"]:
            self.assertEqual(get(urls["orders"], "/ask").body, b"stock")
            self.assertEqual(get(urls["stock"], "/ask").body, b"orders")

    def test_stop_lets_the_port_go(self) -> None:
        server = LiveServer(apps.Recorder())
        server.bind()
        port = server.port
        server.stop()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((server.host, port), timeout=5)
        server.bind()
        self.assertEqual(server.port, port)
        server.stop()
        server.stop()

    def test_again_and_on_a_running_server(self) -> None:
        server = LiveServer(apps.Recorder())
        for _ in range(2):
            server.bind()
        port = server.port
        with server:
            server.bind()
            self.assertEqual((server.port, get(server.base_url).status), (port, 200))

    def test_a_taken_port(self) -> None:
        with LiveServer(apps.Recorder()) as first:
            second = LiveServer(apps.Recorder(), port=first.port)
            with self.assertRaisesRegex(StartupError, f"{first.port}"):
                second.bind()

    def test_an_app_that_refuses_to_start(self) -> None:
        server = LiveServer(apps.Faulty(startup=apps.raise_trouble))
        server.bind()
        with self.assertRaises(StartupError):
            server.start()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), timeout=5)

    def test_in_a_handler_of_the_same_server(self) -> None:
        async def handler(app: Any, receive: apps.Receive, send: apps.Send) -> None:
            server.bind()

        server = LiveServer(apps.Faulty(handler=handler))
        with server, server.raises(ShutdownError, match=r"bind\(\) cannot be called in a handler"):
            get(server.base_url)
