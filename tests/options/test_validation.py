"""Every bad value of every option is refused when the object is made, before any thread."""

import asyncio
import io
import math
import ssl
import threading
from pathlib import Path
from typing import IO, Any, Literal

from liveserver import ConfigurationError, LiveServer
from liveserver._options.validation import matches_annotation
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, open_sockets

BAD: dict[str, list[Any]] = {
    "factory": [None, 1, "yes"],
    "host": [None, "", 7, [], " 127.0.0.1", "http://localhost", "localhost:80", "[::1]", "a/b"],
    "port": [None, -1, 65536, "80", 80.0, True],
    "public_host": ["", 7, "http://x", "x:80"],
    "startup_timeout": [None, 0, -1, math.nan, "3", True],
    "shutdown_timeout": [None, -0.1, math.nan, "3", False],
    "uvicorn_config": ["x", 1, ["host"], {1: 2}],
}

OWNED: dict[str, Any] = {
    "app": None,
    "host": None,
    "port": 0,
    "uds": "/tmp/socket",
    "fd": 0,
    "workers": 2,
    "reload": True,
    "reload_dirs": ["."],
    "reload_delay": 1.0,
    "reload_includes": ["*.txt"],
    "reload_excludes": ["*.txt"],
    "reload_of_tomorrow": False,
    "factory": True,
    "interface": "wsgi",
    "timeout_graceful_shutdown": 5,
}

BAD_FOR_UVICORN: dict[str, list[Any]] = {
    "no_such_option": [1],
    "loop": [1, "no-such-loop", "tests.helpers.apps:no_such_loop"],
    "http": [1, "no-such-http"],
    "ws": [1, "no-such-ws"],
    "lifespan": ["maybe", None],
    "backlog": ["many", None],
    "limit_concurrency": ["x", 1.5],
    "limit_max_requests": ["x"],
    "headers": [[("only-one",)], "x", {"a": "b"}],
    "root_path": [None, 1],
    "proxy_headers": ["yes"],
    "timeout_keep_alive": ["x", None],
    "callback_notify": ["x"],
    "log_level": ["loud", 1.5],
    "access_log": ["no"],
    "ssl_certfile": ["/no/such/file.pem", 7],
}


class BadValuesTests(StrictTestCase):
    """Bad values are ConfigurationErrors that name the option and the value."""

    def refused(self, **options: Any) -> str:
        threads, sockets = threading.enumerate(), open_sockets()
        with self.assertRaises(ConfigurationError) as caught:
            LiveServer(apps.hello, **options)
        self.assertEqual(threading.enumerate(), threads)
        self.assertEqual(open_sockets(), sockets)
        return str(caught.exception)

    def test_of_liveserver(self) -> None:
        for name, values in BAD.items():
            for value in values:
                with self.subTest(option=name, value=value):
                    said = self.refused(**{name: value})
                    self.assertIn(name, said)
                    self.assertIn(repr(value), said)

    def test_that_liveserver_owns_in_uvicorn_config(self) -> None:
        for name, value in OWNED.items():
            with self.subTest(option=name):
                said = self.refused(uvicorn_config={name: value})
                self.assertRegex(said, rf"cannot hold '{name}'\. .*(Use|use|Give|Leave)")

    def test_of_uvicorn(self) -> None:
        for name, values in BAD_FOR_UVICORN.items():
            for value in values:
                with self.subTest(option=name, value=value):
                    self.assertIn(name, self.refused(uvicorn_config={name: value}))

    def test_what_to_use_instead(self) -> None:
        for name, wanted in (
            ("root_path", r"str\."),
            ("limit_concurrency", r"int \| None\."),
            ("lifespan", r"Literal\['auto', 'on', 'off'\]\."),
            ("loop", r".*Literal\[.*'uvloop'.*\].*str"),
            ("callback_notify", r"Callable\[\.\.\., Awaitable\[None\]\] \| None\."),
        ):
            with self.subTest(option=name):
                said = self.refused(uvicorn_config={name: 1.5})
                self.assertRegex(said, rf"^uvicorn_config: {name}=1\.5 is not valid\. Use {wanted}")

    def test_an_app_that_is_none(self) -> None:
        for app in (None, 1, "no colon", object()):
            with self.subTest(app=app), self.assertRaises(ConfigurationError):
                LiveServer(app)


class GoodValuesTests(StrictTestCase):
    """The negative control: what is right is taken."""

    def test_of_liveserver(self) -> None:
        for options in (
            {"host": "localhost"},
            {"host": "::1"},
            {"port": 0},
            {"startup_timeout": 1},
            {"shutdown_timeout": 0},
            {"public_host": "host.docker.internal"},
            {"public_host": None},
            {"uvicorn_config": None},
            {"uvicorn_config": {}},
        ):
            with self.subTest(options):
                LiveServer(apps.hello, **options)

    def test_of_uvicorn(self) -> None:
        for options in (
            {"loop": "asyncio"},
            {"loop": "none"},
            {"http": "h11"},
            {"ws": "none"},
            {"lifespan": "off"},
            {"timeout_keep_alive": 0.5},
            {"headers": [("x-one", "1")]},
            {"log_level": "debug"},
            {"log_level": 10},
            {"limit_concurrency": None},
        ):
            with self.subTest(options):
                LiveServer(apps.hello, uvicorn_config=options)

    def test_a_loop_of_ones_own(self) -> None:
        with LiveServer(apps.hello, uvicorn_config={"loop": "asyncio:SelectorEventLoop"}) as server:
            self.assertEqual(get(server.base_url).status, 200)

    def test_no_time_to_shut_down_is_enough_for_an_idle_server(self) -> None:
        app = apps.Recorder()
        with LiveServer(app, shutdown_timeout=0) as server:
            get(server.base_url)

    def test_what_was_checked_cannot_be_changed_later(self) -> None:
        config: dict[str, Any] = {"root_path": "/api"}
        server = LiveServer(apps.hello, uvicorn_config=config)
        config["port"] = 80
        with server:
            self.assertEqual(get(server.base_url).status, 200)


class FitsTests(StrictTestCase):
    """`matches_annotation` reads the annotations that options have."""

    def test_values(self) -> None:
        for value, annotation, expected in (
            (1, int, True),
            (True, int, False),
            (1.5, int, False),
            (1, float, True),
            (None, int | None, True),
            ("x", int | None, False),
            ("on", Literal["on", "off"], True),
            ("up", Literal["on", "off"], False),
            ([("a", "b")], list[tuple[str, str]], True),
            ([("a", 1)], list[tuple[str, str]], False),
            ([("a",)], list[tuple[str, str]], False),
            ([("a", "b"), "c"], list[tuple[str, str]], False),
            (ssl.CERT_NONE, int, True),
            (Path("x"), str, False),
            (asyncio.Protocol, type[asyncio.Protocol], True),
            (object(), Any, True),
            (io.StringIO(), IO[str], True),
            ("x", IO[str], False),
        ):
            with self.subTest(value=value, annotation=annotation):
                self.assertIs(matches_annotation(value, annotation), expected)
