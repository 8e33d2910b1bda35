"""uvicorn's options do here what uvicorn documents, or are refused with the way out."""

import asyncio
import inspect
import logging
import os
import signal
import socket
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvicorn

from liveserver import ConfigurationError, LiveServer, StartupError
from tests.helpers import apps
from tests.helpers.support import Client, StrictTestCase, get, loops

# Of each parameter of uvicorn.Config: a value that is taken, and one that is refused, if there is.
NO = object()
PARAMETERS: dict[str, tuple[Any, Any]] = {
    "access_log": (True, "yes"),
    "app": (NO, apps.hello),
    "backlog": (10, "many"),
    "callback_notify": (None, 1),
    "date_header": (False, "no"),
    "env_file": (None, 1),
    "factory": (False, True),
    "fd": (None, 3),
    "forwarded_allow_ips": ("127.0.0.1", 1),
    "h11_max_incomplete_event_size": (1000, "x"),
    "headers": ([("x-a", "1")], "x-a"),
    "host": (NO, "127.0.0.1"),
    "http": ("h11", "no-such-http"),
    "http2": (False, "yes"),
    "interface": ("auto", "wsgi"),
    "lifespan": ("off", "maybe"),
    "limit_concurrency": (10, "x"),
    "limit_max_requests": (10, "x"),
    "limit_max_requests_jitter": (0, "x"),
    "log_config": (None, 1),
    "log_level": ("INFO", "loud"),
    "loop": ("asyncio", "no-such-loop"),
    "port": (NO, 80),
    "proxy_headers": (False, "no"),
    "reload": (False, True),
    "reload_delay": (0.25, 1.0),
    "reload_dirs": (None, ["."]),
    "reload_excludes": (None, "*.txt"),
    "reload_includes": (None, "*.txt"),
    "reset_contextvars": (True, "yes"),
    "root_path": ("/api", 1),
    "server_header": (False, "no"),
    "ssl_ca_certs": (None, 1),
    "ssl_cert_reqs": (0, "x"),
    "ssl_certfile": (None, "/no/such/file"),
    "ssl_ciphers": ("TLSv1", 1),
    "ssl_context_factory": (None, 1),
    "ssl_keyfile": (None, "/no/such/file"),
    "ssl_keyfile_password": (None, 1),
    "ssl_version": (17, "x"),
    "timeout_graceful_shutdown": (None, 5),
    "timeout_keep_alive": (1, "x"),
    "timeout_notify": (30, "x"),
    "timeout_worker_healthcheck": (5, "x"),
    "uds": (None, "/tmp/socket"),
    "use_colors": (False, "no"),
    "workers": (1, 2),
    "ws": ("none", "no-such-ws"),
    "ws_max_queue": (32, "x"),
    "ws_max_size": (1000, "x"),
    "ws_per_message_deflate": (False, "no"),
    "ws_ping_interval": (None, "x"),
    "ws_ping_timeout": (None, "x"),
}


class EachParameterTests(StrictTestCase):
    """Every parameter of the installed `uvicorn.Config`, so that a new one is not forgotten."""

    def test_each_has_a_value_that_serves_and_one_that_is_refused(self) -> None:
        installed = set(inspect.signature(uvicorn.Config).parameters)
        self.assertLessEqual(installed, set(PARAMETERS), "say in this table what is new")
        for name in installed:
            good, bad = PARAMETERS[name]
            with self.subTest(name=name):
                if good is not NO:
                    with LiveServer(apps.hello, uvicorn_config={name: good}) as server:
                        self.assertEqual(get(server.base_url).status, 200)
                with self.assertRaisesRegex(ConfigurationError, name):
                    LiveServer(apps.hello, uvicorn_config={name: bad})

    def test_neutral_values_that_look_alike_are_no_others(self) -> None:
        for name, value in (("workers", True), ("reload", 0), ("factory", 0), ("interface", None)):
            with self.subTest(name=name), self.assertRaisesRegex(ConfigurationError, name):
                LiveServer(apps.hello, uvicorn_config={name: value})


class LogLevelTests(StrictTestCase):
    """`log_level` in any case, and TRACE, at which each ASGI message is logged."""

    def records(self, **config: Any) -> list[str]:
        found: list[str] = []

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                found.append(f"{record.levelname} {record.getMessage()}")

        log, handler = logging.getLogger("uvicorn.asgi"), Handler()
        log.addHandler(handler)
        self.addCleanup(log.removeHandler, handler)
        before = log.level
        with LiveServer(apps.hello, uvicorn_config=config) as server:
            get(server.base_url)
        self.assertEqual(log.level, before)
        return found

    def test_trace(self) -> None:
        for level in ("trace", "TRACE", 5):
            with self.subTest(level=level):
                records = self.records(log_level=level)
                text = "\n".join(records)
                for part in (
                    "lifespan.startup",
                    "lifespan.shutdown.complete",
                    "http.response.body",
                ):
                    self.assertIn(part, text)

    def test_other_levels(self) -> None:
        # The negative control.
        for level in ("debug", "Info", 10):
            with self.subTest(level=level):
                self.assertEqual(self.records(log_level=level), [])


@unittest.skipUnless(find_spec("dotenv"), "python-dotenv is not installed")
class EnvFileTests(StrictTestCase):
    """`env_file`: its variables are there while the server runs."""

    def test_they_are_there_and_go(self) -> None:
        seen: list[str | None] = []

        def make_app() -> Any:
            seen.append(os.environ.get("LIVESERVER_TESTS_SHOP"))
            os.environ["LIVESERVER_TESTS_OTHER"] = "of the app"
            return apps.hello

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "settings.env")
            path.write_text(
                "LIVESERVER_TESTS_SHOP=coffee\nLIVESERVER_TESTS_OTHER=1\nPATH=/nowhere\n", "utf-8"
            )
            path_before = os.environ["PATH"]
            server = LiveServer(make_app, factory=True, uvicorn_config={"env_file": path})
            self.assertNotIn("LIVESERVER_TESTS_SHOP", os.environ)
            with server:
                self.assertEqual(os.environ["LIVESERVER_TESTS_SHOP"], "coffee")
                self.assertEqual(os.environ["PATH"], path_before)
            self.assertEqual(seen, ["coffee"])
            self.assertNotIn("LIVESERVER_TESTS_SHOP", os.environ)
            self.assertEqual(os.environ.pop("LIVESERVER_TESTS_OTHER"), "of the app")


class CertificateTests(unittest.TestCase):
    """uvicorn's own options of TLS."""

    def test_a_key_alone(self) -> None:
        with self.assertRaisesRegex(ConfigurationError, "ssl_keyfile='key.pem' .* ssl_certfile"):
            LiveServer(apps.hello, uvicorn_config={"ssl_keyfile": "key.pem"})

    def test_no_password_is_in_a_message(self) -> None:
        files = {"ssl_certfile": __file__, "ssl_keyfile": __file__}
        for password in ("hunter2", b"hunter2", ["hunter2"]):
            with (
                self.subTest(password=password),
                self.assertRaisesRegex(
                    ConfigurationError, r"ssl_keyfile_password='\*\*\*'"
                ) as caught,
            ):
                LiveServer(apps.hello, uvicorn_config={**files, "ssl_keyfile_password": password})
            self.assertNotIn("hunter2", f"{caught.exception} {caught.exception.__cause__!r}")


class LimitTests(StrictTestCase):
    """`limit_max_requests`: what comes in before the limit is answered."""

    def test_two_at_once(self) -> None:
        for loop in loops():
            for _ in range(5):
                config = {"limit_max_requests": 1, "loop": loop}
                with LiveServer(apps.hello, uvicorn_config=config) as server:
                    clients = [Client(server.base_url) for _ in range(2)]
                    for client in clients:
                        self.addCleanup(client.close)
                        client.send()
                    self.assertEqual([each.receive().status for each in clients], [200, 200])


class HostTests(StrictTestCase):
    """Each spelling of a wildcard address is known as one."""

    def test_wildcards(self) -> None:
        hosts = ["0.0.0.0", "0", "0.0"]
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
            hosts += ["::", "::0", "0:0:0:0:0:0:0:0"]
        except OSError:
            pass
        for host in hosts:
            with self.subTest(host=host), LiveServer(apps.hello, host=host) as server:
                self.assertRegex(server.base_url, r"^http://(127\.0\.0\.1|\[::1\]):\d+$")
                self.assertEqual(get(server.base_url).status, 200)


class HintTests(StrictTestCase):
    """Errors of a startup that say what to do."""

    def start(self, startup: Any, loop: str = "asyncio") -> str:
        app = apps.Faulty(startup=startup)
        with self.assertRaises(StartupError) as caught:
            LiveServer(app, uvicorn_config={"loop": loop}).start()
        return str(caught.exception)

    def test_an_app_that_installs_signal_handlers(self) -> None:
        async def by_signal(*_: Any) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

        async def by_loop(*_: Any) -> None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)

        for startup in (by_signal, by_loop):
            for loop in loops():
                with self.subTest(startup=startup.__name__, loop=loop):
                    self.assertRegex(
                        self.start(startup, loop),
                        r"main thread.*\. The server runs in a thread, and",
                    )

    def test_an_app_that_starts_only_once(self) -> None:
        async def once(*_: Any) -> None:
            raise RuntimeError("Manager.run() can only be called once per instance.")

        self.assertIn("create_app()", self.start(once))

    def test_others_have_none(self) -> None:
        # The negative control.
        async def fail(*_: Any) -> None:
            raise RuntimeError("the main thread of the story; called once")

        self.assertTrue(self.start(fail).endswith("called once"))


@unittest.skipUnless(hasattr(signal, "SIGUSR1"), "no SIGUSR1 on this system")
class OvertakenTests(StrictTestCase):
    """A stop that comes while a start waits, from a signal handler."""

    def test_the_start_says_so(self) -> None:
        signals = [signal.SIGUSR1]

        async def slow(*_: Any) -> None:
            while signals:
                signal.raise_signal(signals.pop())  # Python runs the handler in the main thread
                await asyncio.sleep(0.2)

        server = LiveServer(apps.Faulty(startup=slow))
        usual = signal.signal(signal.SIGUSR1, lambda *_: server.stop())
        self.addCleanup(signal.signal, signal.SIGUSR1, usual)
        with self.assertRaisesRegex(StartupError, "was stopped while it started"):
            server.start()
        self.assertFalse(server.running)
        with server:
            self.assertTrue(server.running)
