"""`tls=True`: https and wss, with a certificate that clients can verify."""

import asyncio
import contextlib
import gc
import importlib.util
import logging
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import requests

from liveserver import ConfigurationError, LiveServer
from liveserver._server import tls
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, each_base_and_scope, loops, run_class, until

HAS_TRUSTME = importlib.util.find_spec("trustme") is not None


@unittest.skipUnless(HAS_TRUSTME, "trustme is not installed")
class ServingTests(StrictTestCase):
    """Clients reach the server and verify its certificate."""

    def test_requests(self) -> None:
        for loop in loops():
            for host in ("127.0.0.1", "localhost", "::1"):
                with (
                    self.subTest(loop=loop, host=host),
                    LiveServer(
                        apps.hello, tls=True, host=host, uvicorn_config={"loop": loop}
                    ) as server,
                ):
                    self.assertTrue(server.base_url.startswith("https://"), server.base_url)
                    self.assertTrue(server.ws_url.startswith("wss://"), server.ws_url)
                    url = server.base_url
                    answer = requests.get(url, verify=server.ca_bundle, timeout=5)
                    self.assertEqual(answer.text, "hello")
                    self.assertEqual(server.requests[0].scheme, "https")

    def test_who_does_not_trust_the_authority_is_refused(self) -> None:
        with LiveServer(apps.hello, tls=True) as server:
            with self.assertRaises(requests.exceptions.SSLError):
                requests.get(server.base_url, timeout=5)
            self.assertEqual(server.requests, ())

    def test_a_name_that_is_not_in_the_certificate_is_refused(self) -> None:
        with LiveServer(apps.hello, tls=True) as server:
            context = server.client_ssl_context
            with (
                socket.create_connection((server.host, server.port), 5) as sock,
                self.assertRaises(ssl.SSLCertVerificationError),
            ):
                context.wrap_socket(sock, server_hostname="elsewhere.example")

    def test_the_public_host_is_in_the_certificate(self) -> None:
        with LiveServer(apps.hello, tls=True, public_host="shop.example") as server:
            self.assertEqual(server.base_url, f"https://shop.example:{server.port}")
            with (
                socket.create_connection((server.host, server.port), 5) as sock,
                server.client_ssl_context.wrap_socket(sock, server_hostname="shop.example") as tls,
            ):
                names = {value for _, value in tls.getpeercert()["subjectAltName"]}  # type: ignore[index]
        self.assertLessEqual({"shop.example", "localhost", "127.0.0.1"}, names)

    @each_base_and_scope
    def test_the_session_of_a_test(self, base: Any, scope: str) -> None:
        class Sync:
            def test_it(case: Any) -> None:
                self.assertEqual(case.http.get("/").text, "hello")

        class Async:
            async def test_it(case: Any) -> None:
                async with case.http.get("/") as response:
                    self.assertEqual(await response.text(), "hello")

        test = Async if issubclass(base, unittest.IsolatedAsyncioTestCase) else Sync
        attributes = {
            "app": staticmethod(apps.hello),
            "server_scope": scope,
            "server_options": {"tls": True},
        }
        outcome = run_class(type("Tests", (test, base), attributes))
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(outcome.testsRun, 1)

    def test_aiohttp(self) -> None:
        async def ask(server: LiveServer) -> str:
            connector = aiohttp.TCPConnector(ssl=server.client_ssl_context)
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get(server.base_url) as response,
            ):
                return await response.text()

        for loop in loops():
            with (
                self.subTest(loop=loop),
                LiveServer(apps.hello, tls=True, uvicorn_config={"loop": loop}) as server,
            ):
                self.assertEqual(asyncio.run(ask(server)), "hello")

    @unittest.skipUnless(importlib.util.find_spec("httpx"), "httpx is not installed")
    def test_httpx(self) -> None:
        import httpx

        with (
            LiveServer(apps.hello, tls=True) as server,
            httpx.Client(verify=server.client_ssl_context, trust_env=False) as client,
        ):
            self.assertEqual(client.get(server.base_url).text, "hello")

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl(self) -> None:
        with LiveServer(apps.hello, tls=True) as server:
            command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "10"]
            done = subprocess.run(
                [*command, "--cacert", server.ca_bundle, server.base_url],
                capture_output=True,
                text=True,
                timeout=15,
                check=False,
            )
        self.assertEqual((done.stdout, done.stderr), ("hello", ""))

    def test_the_command_for_curl_with_a_certificate_of_the_users(self) -> None:
        import trustme

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "users.pem")
            trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
            config = {"ssl_certfile": str(file)}
            with LiveServer(apps.hello, uvicorn_config=config) as server:
                self.assertEqual(server._control.curl(), f"curl -i --insecure {server.base_url}/")

    def test_a_restart_keeps_the_certificate(self) -> None:
        with (
            LiveServer(apps.hello, tls=True) as server,
            requests.Session() as session,
        ):
            session.trust_env = False  # a bundle that it names would go first
            session.verify = server.ca_bundle
            session.get(server.base_url, timeout=5)
            server.restart()
            self.assertEqual(session.get(server.base_url, timeout=5).text, "hello")

    def test_a_client_that_said_goodbye_and_stays(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, tls=True, uvicorn_config={"loop": loop})
                server.start()
                self.addCleanup(server.stop)
                context = server.client_ssl_context
                with socket.create_connection((server.host, server.port), 5) as sock:
                    tls = context.wrap_socket(
                        sock, server_hostname="localhost", suppress_ragged_eofs=True
                    )
                    tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = b""
                    while not answer.endswith(b"hello"):
                        answer += tls.recv(1000)
                    with tls.unwrap():
                        server.stop()  # a warning, of what had to be cut, would be an error
                self.assertFalse(server.running)

    def test_a_client_in_the_middle_of_its_handshake(self) -> None:
        for loop in loops():
            for drops in (False, True):
                with self.subTest(loop=loop, drops=drops):
                    self.cut_a_handshake(loop, drops)

    def cut_a_handshake(self, loop: str, drops: bool) -> None:
        server = LiveServer(apps.hello, tls=True, uvicorn_config={"loop": loop})
        server.start()
        self.addCleanup(server.stop)
        assert server._control.run is not None
        handshakes: Any = server._control.run.loop_thread.server._handshakes
        with (
            mock.patch.object(logging.getLogger("asyncio"), "disabled", True),  # its debug mode
            socket.create_connection((server.host, server.port), 5) as client,
        ):
            client.sendall(b"\x16\x03\x01")
            until(lambda: len(handshakes._made) == 1)
            for _ in range(10):  # turns of the loop, in which the handshake begins
                server.call(asyncio.sleep, 0)
            if drops:
                server.drop_connections()
            else:
                server.stop()  # and warns of nothing
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(client.recv(1), b"", "it is still open")
            if drops:
                answer = requests.get(server.base_url, verify=server.ca_bundle, timeout=5)
                self.assertEqual(answer.text, "hello")

    def test_connections_that_are_gone_are_forgotten(self) -> None:
        for loop in loops():
            config = {"loop": loop}
            with (
                self.subTest(loop=loop),
                LiveServer(apps.hello, tls=True, uvicorn_config=config) as server,
            ):
                for _ in range(3):
                    requests.get(server.base_url, verify=server.ca_bundle, timeout=5)
                server.drop_connections()
                assert server._control.run is not None
                handshakes = server._control.run.loop_thread.server._handshakes
                assert handshakes is not None
                gc.collect()
                self.assertEqual(list(handshakes._made), [])

    def test_a_client_that_speaks_plain_http_does_no_harm(self) -> None:
        with LiveServer(apps.hello, tls=True) as server:
            with socket.create_connection((server.host, server.port), 5) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertNotIn(b"hello", sock.recv(1000))
            answer = requests.get(server.base_url, verify=server.ca_bundle, timeout=5)
            self.assertEqual(answer.text, "hello")


@unittest.skipUnless(HAS_TRUSTME, "trustme is not installed")
class FileTests(StrictTestCase):
    """The authority is one for the process, and its files are gone afterwards."""

    def test_servers_share_the_authority(self) -> None:
        one, two = LiveServer(apps.hello, tls=True), LiveServer(apps.hello, tls=True)
        self.assertEqual(one.ca_bundle, two.ca_bundle)

    def test_threads_share_the_authority(self) -> None:
        alone: list[bool] = []

        class Watched(tls._Authority):
            def __init__(self) -> None:
                super().__init__()
                alone.append(tls._lock.locked())

        self.addCleanup(tls._authority.cache_clear)
        for use in (tls.ca_bundle, tls.client_context, lambda: tls.certificate(())):
            tls._authority.cache_clear()
            with mock.patch("liveserver._server.tls._Authority", Watched):
                use()
        self.assertEqual(alone, [True, True, True])

    def test_only_the_user_can_read_the_keys(self) -> None:
        folder = Path(LiveServer(apps.hello, tls=True).ca_bundle).parent
        self.assertEqual(folder.stat().st_mode & 0o077, 0)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
    def test_they_outlive_a_forked_child_and_not_the_process(self) -> None:
        code = """
import os, sys, warnings
from liveserver import LiveServer
from tests.helpers.apps import hello
warnings.simplefilter("ignore")
bundle = LiveServer(hello, tls=True).ca_bundle
child = os.fork()
if not child:
    sys.exit(0)
os.waitpid(child, 0)
assert os.path.exists(bundle)
print(os.path.dirname(bundle))
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False
        )
        self.assertEqual(done.stderr, "")
        self.assertFalse(os.path.exists(done.stdout.strip()), done.stdout)


class MistakeTests(StrictTestCase):
    """What can be got wrong, and the text that says so."""

    def test_no_trustme(self) -> None:
        code = """
import sys
sys.modules["trustme"] = None
from liveserver import LiveServer
from tests.helpers.apps import hello
LiveServer(hello, tls=True)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=15, check=False
        )
        self.assertIn("ConfigurationError: tls=True needs the package trustme", done.stderr)
        self.assertIn('pip install "liveserver[tls]"', done.stderr)

    def test_two_certificates(self) -> None:
        for name in ("ssl_certfile", "ssl_keyfile", "ssl_keyfile_password"):
            with (
                self.subTest(name=name),
                self.assertRaisesRegex(ConfigurationError, f"{name}.* beside tls=True"),
            ):
                LiveServer(apps.hello, tls=True, uvicorn_config={name: "x.pem"})

    def test_not_a_bool(self) -> None:
        for wrong in (1, "yes", None):
            with (
                self.subTest(value=wrong),
                self.assertRaisesRegex(
                    ConfigurationError, "tls=.* is not valid. Use True or False"
                ),
            ):
                LiveServer(apps.hello, tls=wrong)  # type: ignore[arg-type]

    @unittest.skipUnless(HAS_TRUSTME, "trustme is not installed")
    def test_a_host_that_cannot_stand_in_a_certificate(self) -> None:
        with self.assertRaisesRegex(ConfigurationError, "no certificate for .*not_a_name"):
            LiveServer(apps.hello, tls=True, public_host="not_a_name..example")

    def test_asked_for_where_there_is_none(self) -> None:
        with LiveServer(apps.hello) as server:
            for name in ("ca_bundle", "client_ssl_context"):
                with (
                    self.subTest(name=name),
                    mock.patch.dict(sys.modules, {"trustme": None}),
                    self.assertRaisesRegex(ConfigurationError, f"has no {name}.*Set tls=True"),
                ):
                    getattr(server, name)
