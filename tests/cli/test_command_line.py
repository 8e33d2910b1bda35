"""`python -m liveserver`, as the process that somebody starts in a terminal."""

import contextlib
import importlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock
from unittest.mock import ANY
from urllib.parse import urlsplit

from liveserver import LiveServer
from liveserver._cli.main import main
from liveserver._cli.serve import Host
from liveserver._cli.signals import SignalWait
from tests.helpers import apps
from tests.helpers.observed import HAS_WEBSOCKETS, ROOT, needs_websockets
from tests.helpers.support import Client, StrictTestCase, get, until, unused_port

HAS_PTY = importlib.util.find_spec("termios") is not None
HAS_CHANNELS = all(map(importlib.util.find_spec, ("channels", "websockets")))
HAS_DJANGO = importlib.util.find_spec("django") is not None
HAS_A2WSGI = importlib.util.find_spec("a2wsgi") is not None
HAS_TRUSTME = importlib.util.find_spec("trustme") is not None

if HAS_PTY:
    from tests.helpers.terminal import Terminal

STOPPING = {
    signal.SIGINT: "\nStopping. Ctrl-C again stops at once.\n",
    signal.SIGTERM: "Stopping.\n",
}

APP = """
import asyncio, sys, warnings
from tests.helpers import apps
from liveserver import *

class Thing: ...

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shutdown", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    elif scope["path"] == "/raise":
        raise ValueError("nothing there")
    elif scope["path"] == "/warn":
        warnings.warn("not for long")
        await apps.answer(send, b"warned")
    elif scope["path"] == "/after":
        await apps.answer(send, b"whole")
        raise ValueError("too late")
    elif scope["path"] == "/hang":
        print("hanging", flush=True)
        await asyncio.Event().wait()
    elif scope["path"] == "/exit":
        await apps.answer(send, b"farewell")
        asyncio.get_running_loop().call_soon(sys.exit, 7)
    elif scope["path"] == "/events":
        await apps.Stream()(scope, receive, send)
    else:
        await apps.answer(send, b"hello", status=404 if scope["path"] == "/missing" else 200)

def create_app():
    return app
"""

# A fixture that writes down each of its steps.
FIXTURES = """
import unittest

def say(*words):
    print("STEP", *words, flush=True)

def setUpModule():
    say("setUpModule")

def tearDownModule():
    say("tearDownModule")

class Steps:
    app = app

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(say, "class cleanup")
        super().setUpClass()
        say("setUpClass")

    @classmethod
    def tearDownClass(cls):
        say("tearDownClass")
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.addCleanup(say, "cleanup")
        say("setUp")

    def tearDown(self):
        say("tearDown", self.server.running)
        super().tearDown()

class Elsewhere(unittest.TestCase):
    def setUp(self):
        super().setUp()
        say("Elsewhere.setUp")

class SyncClass(Steps, LiveServerTestCase):
    def test_it(self):
        say("the body")

class SyncSession(SyncClass):
    server_scope = "session"

class SyncTest(SyncClass):
    server_scope = "test"

class Mixed(Steps, LiveServerMixin, Elsewhere):
    server_scope = "test"

    @unittest.skip("not today")
    def test_it(self):
        say("the body")

class AsyncClass(Steps, IsolatedAsyncioLiveServerTestCase):
    async def asyncSetUp(self):
        self.addAsyncCleanup(self.say_later, "async cleanup")
        say("asyncSetUp")

    async def asyncTearDown(self):
        say("asyncTearDown")

    async def say_later(self, word):
        await asyncio.sleep(0)
        say(word)

    async def test_it(self):
        say("the body")

class AsyncSession(AsyncClass):
    server_scope = "session"

class AsyncTest(AsyncClass):
    server_scope = "test"
"""

OF_CLASS = ["setUpModule", "setUpClass"], ["tearDownClass", "class cleanup", "tearDownModule"]
OF_TEST = ["setUp"], ["tearDown True", "cleanup"]
OF_ASYNC_TEST = (
    ["setUp", "asyncSetUp"],
    ["asyncTearDown", "tearDown True", "async cleanup", "cleanup"],
)
OF_MIXED = ["Elsewhere.setUp", "setUp"], ["tearDown True", "cleanup"]


class CommandTestCase(StrictTestCase):
    seconds = 100

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write(APP)

    def write(self, code: str, name: str = "thing") -> None:
        (self.folder / f"{name}.py").write_text(code, "utf-8")

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "", "PYTHONUTF8": "1"}

    def start(self, *arguments: str, closed: int | None = None, **environment: str) -> "Command":
        command = Command(
            self.folder, {**self.environment(), **environment}, *arguments, closed=closed
        )
        self.addCleanup(command.close)
        return command


class Command:
    """The command as a process, its output in pipes."""

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str],
        *arguments: str,
        closed: int | None = None,
    ) -> None:
        command = [sys.executable, "-m", "liveserver", *arguments]
        if closed is not None:  # one of its standard streams, which it then begins without
            command = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        self._lines = self.process.stdout
        self.seen: list[str] = []

    def line(self, pattern: str) -> "re.Match[str]":
        """Read lines until one matches. A test's own bound ends it if none does."""
        for line in self._lines:
            self.seen.append(line)
            if found := re.search(pattern, line):
                return found
        _, err = self.process.communicate(timeout=15)
        raise AssertionError(f"no line {pattern!r} in:\n{''.join(self.seen)}\n{err}")

    def url(self) -> str:
        """Read what it says at its start, and return where it is."""
        found = self.line(r"^  (https?://\S+)$")[1]
        self.line(r"^$")
        return found

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal, and return how it ends: status, the rest of stdout, stderr."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except ConnectionRefusedError:
        return False
    return True


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class AppTests(CommandTestCase):
    """An app is served until a signal comes, and then stopped in good order."""

    def test_url_request_and_the_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number):
                command = self.start("thing:app")
                url = command.url()
                port = urlsplit(url).port
                websockets = f"  ws://127.0.0.1:{port}\n" if HAS_WEBSOCKETS else ""
                self.assertEqual(
                    "".join(command.seen),
                    "liveserver serves thing:app. Ctrl-C stops it.\n\n"
                    f"  http://127.0.0.1:{port}\n{websockets}"
                    f"  curl -i http://127.0.0.1:{port}/\n\n",
                )
                self.assertEqual(get(url, "/items?x=1").body, b"hello")
                command.line(r"^GET /items\?x=1 → 200 in [\d.]+ ms$")
                self.assertEqual(command.stop(number), (0, "shutdown\n", STOPPING[number]))

    def test_no_ws_url_where_no_websocket_can_be_had(self) -> None:
        self.write(
            APP
            + "\nclass Tests(LiveServerTestCase):\n    app = app\n"
            + "    server_options = {'uvicorn_config': {'ws': 'none'}}\n"
            + "\ndef wsgi(environ, start_response):\n"
            + "    start_response('200 OK', [])\n    return [b'hello']\n"
        )
        for target in ("thing.Tests", *(["thing:wsgi"] if HAS_A2WSGI else [])):
            with self.subTest(target=target):
                command = self.start(target)
                self.assertEqual(get(command.url()).body, b"hello")
                self.assertNotIn("ws://", "".join(command.seen))
                self.assertEqual(command.stop()[0], 0)

    def test_a_factory(self) -> None:
        command = self.start("thing:create_app", "--factory")
        self.assertEqual(get(command.url()).body, b"hello")
        self.assertEqual(command.stop()[0], 0)

    def test_the_port_and_the_host(self) -> None:
        with LiveServer(apps.hello) as taken:
            status, out, err = self.start("thing:app", "--port", str(taken.port)).end()
            self.assertEqual((status, out), (1, ""))
            self.assertRegex(
                err, rf"^liveserver: Cannot listen on '127.0.0.1', port {taken.port}: "
            )
        command = self.start("thing:app", "--port", str(taken.port), "--host", "0.0.0.0")
        self.assertEqual(command.url(), taken.base_url)  # where one can connect
        self.assertEqual(get(taken.base_url).body, b"hello")
        self.assertEqual(command.stop()[0], 0)

    @unittest.skipUnless(HAS_TRUSTME, "trustme is not installed")
    def test_tls(self) -> None:
        command = self.start("thing:app", "--tls")
        url = command.url()
        self.assertRegex(url, "^https://127.0.0.1:")
        self.assertEqual(f"  {url.replace('https', 'wss')}\n" in command.seen, HAS_WEBSOCKETS)
        words = shlex.split(command.seen[-2])
        self.assertEqual(words[:3], ["curl", "-i", "--cacert"])
        context = ssl.create_default_context(cafile=words[3])
        parts = urlsplit(words[4])
        assert parts.port is not None
        with (
            socket.create_connection(("127.0.0.1", parts.port), 10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
        ):
            sock.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            self.assertIn(b" 200 OK", sock.recv(1000))
        self.assertEqual(command.stop()[0], 0)
        self.assertFalse(os.path.exists(words[3]), "the certificate was left")

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_the_curl_line_can_be_pasted(self) -> None:
        for options in ((), ("--tls",) if HAS_TRUSTME else ()):
            with self.subTest(options=options):
                command = self.start("thing:app", *options)
                command.url()
                done = subprocess.run(
                    command.seen[-2], shell=True, capture_output=True, timeout=10, check=False
                )
                self.assertRegex(done.stdout, rb"(?s)^HTTP/1\.1 200 OK.*hello$")
                self.assertEqual(command.stop()[0], 0)

    def test_a_browser(self) -> None:
        self.write("import sys; print('OPENED', sys.argv[1], flush=True)", "browser")
        browser = f"{sys.executable} {self.folder / 'browser.py'} %s"
        command = self.start("thing:app", "--open", BROWSER=browser)
        url = command.url()
        self.assertEqual(command.line(r"^OPENED (\S+)")[1], url)
        self.assertEqual(command.stop()[0], 0)

    def test_no_browser(self) -> None:
        command = self.start("thing:app", "--open", BROWSER="", PATH="", DISPLAY="")
        command.line("^No browser could be opened.$")
        self.assertEqual(command.stop()[0], 0)

    def test_a_startup_that_fails(self) -> None:
        self.write("async def app(s, r, send):\n    await r()\n    raise ValueError('no database')")
        status, out, err = self.start("thing:app").end()
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(
            err,
            r"(?s)^\nTraceback .*thing\.py\", line 3, in app\n.*\nValueError: no database\n\n"
            r"liveserver: The app's lifespan startup failed: ValueError: no database\n$",
        )
        self.assertNotIn("_lifespan.py", err)

    def test_a_startup_that_fails_by_what_can_be_no_cause(self) -> None:
        self.write(
            "import dataclasses\n"
            "@dataclasses.dataclass(frozen=True)\n"
            "class Refused(Exception):\n    reason: str\n"
            "async def app(s, r, send):\n    await r()\n    raise Refused('no database')"
        )
        status, out, err = self.start("thing:app").end()
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(
            err,
            r"(?s)^liveserver: The app's lifespan startup failed: Refused: .*\nThe cause:\n"
            r"Traceback .*thing\.py\", line 7, in app\n.*Refused: ",
        )

    def test_a_shutdown_that_fails(self) -> None:
        self.write(APP.replace('print("shutdown", flush=True)', "raise ValueError('no goodbye')"))
        command = self.start("thing:app")
        command.url()
        status, out, err = command.stop()
        self.assertEqual((status, out), (1, ""))
        self.assertIn("liveserver: The app's lifespan shutdown failed: ValueError: no goodbye", err)

    def test_a_server_that_ends_by_itself(self) -> None:
        command = self.start("thing:app")
        url = command.url()
        get(url, "/exit")
        status, _, err = command.end()
        self.assertEqual(status, 1)
        self.assertIn("liveserver: The server ended by itself.\n", err)
        self.assertIn("SystemExit: 7", err)

    def test_without_a_standard_output(self) -> None:
        port = unused_port()
        command = self.start("thing:app", "--port", str(port), closed=1)
        until(lambda: _answers(port))
        self.assertEqual(get(f"http://127.0.0.1:{port}", "/missing").status, 404)
        self.assertEqual(get(f"http://127.0.0.1:{port}", "/raise").status, 500)
        self.assertEqual(command.stop(), (0, "", STOPPING[signal.SIGINT]))

    def test_without_a_standard_error(self) -> None:
        command = self.start("thing:app", closed=2)
        self.assertEqual(get(command.url()).body, b"hello")
        status, out, err = command.stop()
        self.assertEqual((status, out[-9:], err), (0, "shutdown\n", ""))

    def test_a_reader_that_goes_away(self) -> None:
        command = self.start("thing:app")
        url = command.url()
        assert command.process.stdout is not None
        command.process.stdout.close()
        for _ in range(3):
            self.assertEqual(get(url).body, b"hello")
        command.process.send_signal(signal.SIGINT)
        assert command.process.stderr is not None
        self.assertEqual(command.process.stderr.read(), STOPPING[signal.SIGINT])
        self.assertEqual(command.process.wait(15), 0)


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class LinesTests(CommandTestCase):
    """What is served is shown, a line each."""

    def test_errors_of_the_app(self) -> None:
        command = self.start("thing:app")
        url = command.url()
        get(url, "/raise")
        get(url, "/after")
        get(url, "/missing")
        for path, status, text in (("raise", 500, "nothing there"), ("after", 200, "too late")):
            end = rf"in [\d.]+ ms, raised ValueError: {text}$"
            command.line(rf"^GET /{path} → {status} {end}")
            self.assertEqual(command.line(".*")[0], "")
            self.assertEqual(command.line(".*")[0], "Traceback (most recent call last):")
            self.assertRegex(command.line(".*")[0], r"thing\.py\", line \d+, in app$")
            command.line(f"^ValueError: {text}$")
            self.assertEqual(command.line(".*")[0], "")
        command.line("^GET /missing → 404 in ")
        self.assertEqual(command.stop(), (0, "shutdown\n", STOPPING[signal.SIGINT]))

    def test_they_come_while_it_serves_without_frames_that_stay(self) -> None:
        counted = "[len(things), sum(thing() is not None for thing in things)]"
        raising = "thing = Thing(); things.append(weakref.ref(thing)); raise ValueError()"
        self.write(
            APP.replace("class Thing: ...", "import gc, weakref\nclass Thing: ...\nthings = []")
            .replace('raise ValueError("nothing there")', raising)
            .replace('b"hello"', f"str((gc.collect(), {counted})[1]).encode()")
        )
        command = self.start("thing:app")
        url = command.url()
        for _ in range(3):
            get(url, "/raise")
        self.assertEqual(get(url, "/count").body, b"[3, 0]")
        self.assertEqual(command.stop()[0], 0)

    def test_a_path_is_one_line_without_control_characters(self) -> None:
        command = self.start("thing:app")
        url = command.url()
        get(url, "/a%0Ab%1B%5B2J%C3%A4%FF")
        command.line(r"^GET /a%0Ab%1B%5B2J%C3%A4%FF → 200 in ")
        self.assertEqual(command.stop()[0], 0)

    def test_whatever_the_encoding_of_the_pipe(self) -> None:
        command = self.start("thing:app", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
        get(command.url(), "/%C3%A4")
        command.line(r"^GET /%C3%A4 \\u2192 200 in ")
        self.assertEqual(command.stop()[0], 0)

    def test_an_event_stream_when_it_opens_and_when_it_ends(self) -> None:
        command = self.start("thing:app")
        with Client(command.url()) as client, client.open("/events"):
            command.line("^GET /events → 200, open$")
        command.line(r"^GET /events → 200 in [\d.]+ m?s$")
        self.assertEqual(command.stop()[0], 0)

    @needs_websockets
    def test_a_websocket_when_it_opens_and_when_it_ends(self) -> None:
        import asyncio

        import aiohttp

        async def talk(url: str) -> None:
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as websocket:
                await asyncio.to_thread(command.line, "^WebSocket /ws → 101, open$")
                await websocket.send_str("done")
                await websocket.receive()

        command = self.start("thing:app")
        asyncio.run(talk(f"{command.url()}/ws"))
        command.line("^WebSocket /ws → 101 in ")
        self.assertEqual(command.stop()[0], 0)

    def test_what_is_no_request(self) -> None:
        command = self.start("thing:app")
        parts = urlsplit(command.url())
        with socket.create_connection((parts.hostname, parts.port), 10) as sock:
            sock.sendall(b"nonsense\r\n\r\n")
            self.assertIn(b"400", sock.recv(1000))
        command.line("^warning: Invalid HTTP request received.$")
        self.assertEqual(command.stop()[0], 0)

    def test_a_request_that_had_to_be_cut(self) -> None:
        self.write(
            APP
            + "\nclass Tests(LiveServerTestCase):\n    app = app\n"
            + "    server_options = {'shutdown_timeout': 0.2}\n"
        )
        command = self.start("thing.Tests")
        with Client(command.url()) as client:
            client.send("/hang")
            command.line("hanging")
            status, out, err = command.stop()
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^GET /hang → no answer in .*\nshutdown\n$")
        self.assertRegex(
            err, r"\nliveserver: Cut at the stop:\n  GET /hang, open .*thing.py:\d+ in"
        )

    def test_a_warning_of_the_app(self) -> None:
        command = self.start("thing:app", PYTHONWARNINGS="default")
        self.assertEqual(get(command.url(), "/warn").body, b"warned")
        status, _, err = command.stop()
        self.assertEqual(status, 0)
        self.assertRegex(err, r"(?m)^\S+thing\.py:\d+: UserWarning: not for long$")

    @unittest.skipUnless(HAS_PTY, "no pseudo-terminals on this system")
    def test_colours_on_a_terminal_alone(self) -> None:
        for environment, coloured in (
            ({}, True),
            ({"NO_COLOR": "1"}, False),
            ({"TERM": "dumb"}, False),
        ):
            with self.subTest(environment=environment):
                terminal = Terminal(
                    self.folder, "-m", "liveserver", "thing:app", **{"NO_COLOR": "", **environment}
                )
                self.addCleanup(terminal.close)
                url = terminal.read_until(r"\n  (http\S+)\n")[1]
                for path, colour in (("/", 32), ("/missing", 33), ("/raise", 31)):
                    get(url, path)
                    line = terminal.read_until(rf"(.*)GET {path} → (.*)\n")
                    self.assertEqual(line[1], f"\x1b[{colour}m" if coloured else "")
                    self.assertEqual(line[2].endswith("\x1b[0m"), coloured)
                terminal.process.send_signal(signal.SIGINT)
                self.assertNotIn("Traceback", terminal.read_rest().partition("Stopping")[2])
                self.assertEqual(terminal.process.returncode, 0)

    def test_no_colours_in_a_pipe(self) -> None:
        command = self.start("thing:app", TERM="xterm")
        get(command.url(), "/")
        command.line("^GET / ")
        self.assertEqual(command.stop()[0], 0)


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class FixtureTests(CommandTestCase):
    """The fixture of a test is served, its body is not run, and all is undone at the end."""

    def steps(self, text: str) -> list[str]:
        return re.findall(r"^STEP (.*)$", text, re.M)

    def test_each_base_scope_and_form(self) -> None:
        self.write(APP + FIXTURES)
        cases: list[tuple[str, Any]] = []
        for base, of_test in (("Sync", OF_TEST), ("Async", OF_ASYNC_TEST)):
            for scope in ("Class", "Session", "Test"):
                # A class alone has a server only if a test's setUp() starts it.
                cases.append((f"{base}{scope}", of_test if scope == "Test" else ([], [])))
                cases.append((f"{base}{scope}.test_it", of_test))
        cases += [("Mixed", OF_MIXED), ("Mixed.test_it", OF_MIXED)]
        for target, (before, after) in cases:
            with self.subTest(target=target):
                command = self.start(f"thing.{target}")
                url = command.url()
                said = "".join(command.seen)
                self.assertIn(f"liveserver serves thing.{target}. ", said)
                self.assertEqual(self.steps(said), [*OF_CLASS[0], *before])
                self.assertEqual(get(url).body, b"hello")
                self.assertEqual(get(url, "/raise").status, 500)
                command.line("GET /raise")
                status, out, err = command.stop()
                # unittest runs asyncio in debug mode, where it complains of a slow machine.
                err = re.sub(r"^Executing <.* seconds\n", "", err, flags=re.M)
                self.assertEqual((status, err), (0, STOPPING[signal.SIGINT]))
                self.assertEqual(self.steps(out), [*after, *OF_CLASS[1]])
                self.assertEqual(out.count("shutdown\n"), 1)

    def test_what_a_fixture_put_on_the_tests_loop_goes_on(self) -> None:
        self.write(
            APP
            + """
class Tests(IsolatedAsyncioLiveServerTestCase):
    app = app

    async def asyncSetUp(self):
        async def greet(reader, writer):
            writer.write(b"from the test's loop")
            writer.close()
            await writer.wait_closed()

        upstream = await asyncio.start_server(greet, "127.0.0.1")
        self.addCleanup(upstream.close)
        print("UPSTREAM", upstream.sockets[0].getsockname()[1], flush=True)

    async def test_it(self): ...
"""
        )
        command = self.start("thing.Tests.test_it")
        port = int(command.line(r"UPSTREAM (\d+)")[1])
        command.url()
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            self.assertEqual(sock.recv(100), b"from the test's loop")
        self.assertEqual(command.stop()[0], 0)

    def test_a_fixture_with_signal_handlers_on_its_loop(self) -> None:
        """A loop that handles a signal takes the wake-ups of all signals for itself."""
        self.write(
            APP
            + """
import signal

async def listen():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, print, "user")

class Sync(LiveServerTestCase):
    app = app

    @classmethod
    def setUpClass(cls):
        asyncio.run(listen())
        super().setUpClass()

class Async(IsolatedAsyncioLiveServerTestCase):
    app = app

    async def asyncSetUp(self):
        await listen()

    async def test_it(self): ...
"""
        )
        for target in ("Sync", "Async.test_it"):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(target=target, signal=number):
                    command = self.start(f"thing.{target}")
                    command.url()
                    self.assertEqual(command.stop(number), (0, "shutdown\n", STOPPING[number]))

    def test_a_fixture_that_ends_the_server_when_a_signal_comes(self) -> None:
        self.write(
            APP
            + """
import signal

class Tests(LiveServerTestCase):
    app = app

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        usual = signal.getsignal(signal.SIGTERM)

        def heed(*args):
            cls.server.stop()
            usual(*args)

        signal.signal(signal.SIGTERM, heed)
        signal.set_wakeup_fd(-1)
"""
        )
        command = self.start("thing.Tests")
        get(command.url())
        # When this is there, the main thread is no longer printing. A handler that comes in the
        # middle of that holds the lock that the app needs for its own print.
        command.line("GET / ")
        self.assertEqual(command.stop(signal.SIGTERM), (0, "shutdown\n", STOPPING[signal.SIGTERM]))

    def test_options_come_before_those_of_the_class(self) -> None:
        self.write(
            APP
            + """
class Tests(LiveServerTestCase):
    app = app
    server_options = {"host": "no.such.host.invalid", "startup_timeout": 7}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print("OPTIONS", Tests.server_options, Tests.base_url, flush=True)
"""
        )
        command = self.start("thing.Tests", "--host", "127.0.0.1")
        command.line(r"OPTIONS {'host': '127.0.0.1', 'startup_timeout': 7} http://127")
        self.assertEqual(command.stop()[0], 0)
        status, _, err = self.start("thing.Tests").end()
        self.assertEqual(status, 1)
        self.assertRegex(err, "(?m)^liveserver: Cannot listen on 'no.such.host.invalid'")

    def test_a_fixture_that_fails_is_undone(self) -> None:
        code = FIXTURES.replace('say("setUp")', "raise KeyError('no user')")
        self.write(APP + code)
        for target in ("SyncTest", "AsyncClass.test_it"):
            with self.subTest(target=target):
                status, out, err = self.start(f"thing.{target}").end()
                self.assertEqual(status, 1)
                self.assertRegex(
                    err, r"(?s)^\nTraceback .*thing\.py.* in setUp\n.*KeyError: 'no user'\n\n$"
                )
                self.assertNotIn("liveserver serves", out)
                self.assertEqual(self.steps(out)[-4:], ["cleanup", *OF_CLASS[1]])
                self.assertIn("shutdown\n", out)

    def test_a_fixture_that_finds_something_wrong(self) -> None:
        self.write(APP + FIXTURES.replace('say("setUp")', "self.fail('no user')"))
        status, out, err = self.start("thing.SyncTest").end()
        self.assertEqual(status, 1)
        self.assertRegex(err, r"(?s)^\nTraceback .*thing\.py.* in setUp\n.*: no user\n\n$")
        self.assertEqual(self.steps(out)[-4:], ["cleanup", *OF_CLASS[1]])

    def test_a_fixture_that_stops_the_server(self) -> None:
        self.write(APP + FIXTURES.replace('say("setUp")', "self.server.stop()"))
        status, _, err = self.start("thing.SyncTest").end()
        self.assertEqual((status, err), (1, "liveserver: The server ended by itself.\n"))

    def test_what_the_app_raises_in_the_fixture(self) -> None:
        self.write(
            APP
            + """
from tests.helpers.support import get

class Tests(LiveServerTestCase):
    app = app

    def setUp(self):
        super().setUp()
        get(self.base_url, "/raise")

    def test_it(self): ...
"""
        )
        command = self.start("thing.Tests.test_it")
        self.assertEqual(get(command.url()).body, b"hello")
        status, _, err = command.stop()
        self.assertEqual(status, 1)
        self.assertRegex(
            err, r"(?m)^liveserver: GET /raise → 500 .*raised ValueError: nothing there"
        )

    def test_a_class_that_is_wrong(self) -> None:
        self.write("from liveserver import *\nclass Tests(LiveServerTestCase): ...\n")
        status, out, err = self.start("thing.Tests").end()
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(err, r"^liveserver: Tests has no app\. Set app = .*\n$")

    def test_a_class_that_is_skipped(self) -> None:
        self.write(
            APP + FIXTURES.replace("class Steps", "@unittest.skip('not today')\nclass Steps")
        )
        status, _, err = self.start("thing.SyncClass").end()
        self.assertEqual(status, 1)
        self.assertRegex(err, r"^liveserver: .*SyncClass.* is skipped: not today\n$")

    def test_a_server_that_ends_by_itself(self) -> None:
        self.write(APP + FIXTURES)
        for target in ("SyncClass", "SyncTest", "AsyncTest", "SyncSession"):
            with self.subTest(target=target):
                command = self.start(f"thing.{target}")
                url = command.url()
                get(url, "/exit")
                status, out, err = command.end()
                self.assertEqual(status, 1)
                self.assertIn("liveserver: The server ended by itself.\n", err)
                self.assertIn("SystemExit: 7", err)
                self.assertEqual(self.steps(out)[-3:], OF_CLASS[1])

    def test_a_shutdown_that_fails(self) -> None:
        app = APP.replace('print("shutdown", flush=True)', "raise ValueError('no goodbye')")
        self.write(app + FIXTURES)
        for target in ("SyncClass", "AsyncTest.test_it", "SyncSession"):
            with self.subTest(target=target):
                command = self.start(f"thing.{target}")
                command.url()
                status, out, err = command.stop()
                self.assertEqual(status, 1)
                self.assertIn("lifespan shutdown failed: ValueError: no goodbye\n", err)
                self.assertEqual(self.steps(out)[-1], "tearDownModule")

    @unittest.skipUnless(HAS_DJANGO, "Django is not installed")
    def test_the_database_of_a_django_test(self) -> None:
        shutil.copytree(ROOT / "examples" / "django_notes", self.folder / "site")
        self.folder = self.folder / "site"
        settings = {"DJANGO_SETTINGS_MODULE": "project.settings"}
        for target in ("NoteTests", "FreshServerTests.test_one"):
            with self.subTest(target=target):
                command = self.start(f"notes.tests.{target}", **settings)
                url = command.url()
                # Django alone has no WebSockets; the project has them where Channels is installed.
                self.assertEqual("ws://" in "".join(command.seen), HAS_CHANNELS)
                note = b'{"text": "by hand"}'
                self.assertEqual(get(url, "/notes").body, b'{"notes": []}')
                with Client(url) as client:
                    self.assertEqual(client.get("/notes", "POST", note).status, 201)
                self.assertEqual(get(url, "/notes").body, b'{"notes": ["by hand"]}')
                self.assertEqual(command.stop(), (0, ANY, STOPPING[signal.SIGINT]))
        self.assertEqual(list(self.folder.rglob("*.sqlite3")), [])
        status, _, err = self.start("notes.tests.NoteTests").end()
        self.assertEqual(status, 2)
        self.assertIn("DJANGO_SETTINGS_MODULE", err)
        status, _, err = self.start("thing.X", DJANGO_SETTINGS_MODULE="no.such").end()
        self.assertEqual(status, 2)
        self.assertRegex(err, r"^liveserver: Django cannot be set up with .*'no\.such'.*\n$")


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class SecondSignalTests(CommandTestCase):
    """The first signal asks for an end in good order, the second one does not wait for it."""

    HANGING = """
class Sync(LiveServerTestCase):
    app = app
    server_options = {"shutdown_timeout": 600}

class Async(IsolatedAsyncioLiveServerTestCase):
    app = app
    server_options = {"shutdown_timeout": 600}

class SyncTest(Sync):
    server_scope = "test"

class AsyncTest(Async):
    server_scope = "test"

class Session(Sync):
    server_scope = "session"
"""

    def read_until_stopping(self, command: Command) -> None:
        assert command.process.stderr is not None
        for line in command.process.stderr:
            if "Stopping" in line:
                break

    def test_a_request_that_hangs(self) -> None:
        self.write(APP + self.HANGING)
        for target in ("Sync", "Async", "SyncTest", "AsyncTest"):
            with self.subTest(target=target):
                command = self.start(f"thing.{target}")
                with Client(command.url()) as client:
                    client.send("/hang")
                    command.line("hanging")
                    command.process.send_signal(signal.SIGINT)
                    self.read_until_stopping(command)
                    with self.assertRaises(subprocess.TimeoutExpired):
                        command.process.wait(0.3)  # it waits for the request
                    status, out, err = command.stop()
                self.assertEqual(status, 130, err)
                self.assertNotIn("Traceback", err)
                self.assertIn("shutdown\n", out)

    def test_a_startup_that_hangs(self) -> None:
        self.write(
            "import asyncio\n"
            "async def app(scope, receive, send):\n"
            "    print('starting', flush=True)\n"
            "    await asyncio.Event().wait()\n"
        )
        command = self.start("thing:app")
        command.line("starting")
        command.process.send_signal(signal.SIGTERM)
        self.read_until_stopping(command)
        status, _, err = command.stop()
        self.assertEqual((status, err), (130, ""))

    def test_a_shutdown_that_hangs(self) -> None:
        down = '        print("shutdown", flush=True)\n'
        self.assertIn(down, APP)
        hangs = down.replace("shutdown", "hanging") + "        await asyncio.Event().wait()\n"
        self.write(APP.replace(down, hangs) + self.HANGING)
        for target in (":app", ".Sync", ".Async", ".SyncTest", ".AsyncTest", ".Session"):
            with self.subTest(target=target):
                command = self.start(f"thing{target}")
                command.url()
                command.process.send_signal(signal.SIGINT)
                command.line("hanging")
                self.read_until_stopping(command)
                status, _, err = command.stop()
                self.assertEqual((status, err), (130, ""))

    def test_a_handler_that_nothing_can_end(self) -> None:
        self.write(
            APP.replace("await asyncio.Event().wait()", "__import__('time').sleep(60)")
            + self.HANGING
        )
        command = self.start("thing.Sync")
        with Client(command.url()) as client:
            client.send("/hang")
            command.line("hanging")
            command.process.send_signal(signal.SIGINT)
            self.read_until_stopping(command)
            status, _, _ = command.stop()
        self.assertIn(status, (130, -signal.SIGINT))


class EndingTests(StrictTestCase):
    """What does not concern the wait for an end is passed over."""

    def test_ctrl_c_after_the_end(self) -> None:
        with (
            mock.patch.object(Host, "run", return_value=0),
            mock.patch.object(SignalWait, "__exit__", side_effect=KeyboardInterrupt),
            mock.patch.object(SignalWait, "__enter__"),
        ):
            self.assertEqual(main(["thing:app"]), 130)

    def test_a_server_that_ends_when_nobody_waits_any_more(self) -> None:
        with SignalWait() as ending:
            pass
        ending.server_ended()

    @unittest.skipUnless(hasattr(signal, "SIGUSR1"), "no such signals on this system")
    def test_a_signal_that_the_app_handles(self) -> None:
        heeded: list[int] = []
        usual = signal.signal(signal.SIGUSR1, lambda number, _: heeded.append(number))
        self.addCleanup(signal.signal, signal.SIGUSR1, usual)
        with SignalWait() as ending:
            signal.raise_signal(signal.SIGUSR1)
            ending.server_ended()
            self.assertTrue(ending.wait())
        self.assertEqual(heeded, [signal.SIGUSR1])


class MistakesTests(CommandTestCase):
    """What is wrong with the command is one line on standard error, and exit status 2."""

    EXPECTED = {
        "nothing": r"'nothing' does not exist: there is no module 'nothing'\. .* Write an app as",
        "nothing.at.all": r"there is no module 'nothing'\. ",
        "": r"'' is not a dotted name\. Write an app as",
        "thing..Tests": r"'thing\.\.Tests' is not a dotted name",
        "empty": r"'empty' is a module\. Write an app as",
        "thing.app": r"not a test\. If it is an app, write 'thing:app'; if it builds one, "
        r"'thing:app' with --factory\.",
        "thing.number": r"'thing\.number' is not a test: 7\. Write an app as .* --factory, ",
        "thing.Test": r"'thing\.Test' does not exist: thing has no 'Test'\. Did you mean 'Tests'\?",
        "thing.Tests.test_ti": r"Tests has no 'test_ti'\. Did you mean 'test_it'\?",
        "thing.Tests.test_it.x": r"test_it has no 'x'\.",
        "thing.Thing": r"is not a test: <class 'thing\.Thing'>",
        "thing.Plain": r"'thing\.Plain' has no server: Plain is not a LiveServerTestCase",
        "thing.Plain.test_it": r"has no server: Plain is not",
        "nothing:app": r"there is no module 'nothing'\. Check the part before the colon",
        "thing:ap": r"has no attribute 'ap'\. Check the part after the colon\.",
        "thing:number": r"thing:number' names 7, which is not an app.* Write .* --factory",
        "thing:create_app": r"looks like a function that builds the app: .*\. Add --factory\.$",
        "thing:Tests": r"'thing:Tests' is a test class\. Write 'thing\.Tests'\.",
        "thing:Tests.test_it": r"Tests\.test_it, which cannot be called.*\. Write an app as",
        "./tests/test_x.py": r"'\./tests/test_x\.py' is a file\. Write 'tests\.test_x'\.$",
        "tests/test_x.py::Tests::test_it": r"is how pytest names a test\. Write 'tests\.test_x\.T",
    }

    ARGUMENTS = {
        ("thing:app", "--prot", "80"): r"unrecognized arguments: --prot 80\. See .* --help\.",
        ("thing:app", "--port", "x"): r"argument --port: invalid int value: 'x'\.",
        ("thing:app", "--port", "70000"): r"port=70000 is not valid\. Use 0",
        ("thing.Tests", "--port", "-1"): r"port=-1 is not valid\. Use 0",
        ("thing:app", "--host", "a b"): r"host='a b' is not valid\. Use a host alone",
        ("thing.Tests", "--factory"): r"--factory is for an app",
        ("thing:app", "--factory"): r"cannot be called without arguments, as --factory needs",
        (): r"the following arguments are required: TARGET\.",
        ("thing:app", "thing:app"): r"unrecognized arguments: thing:app",
    }

    def setUp(self) -> None:
        super().setUp()
        self.write(
            APP
            + "\nimport unittest\nnumber = 7\n"
            + "class Tests(LiveServerTestCase):\n    app = app\n    def test_it(self): ...\n"
            + "class Plain(unittest.TestCase):\n    def test_it(self): ...\n"
        )
        self.write("", "empty")

    def assert_one_line(self, pattern: str, *arguments: str, **environment: str) -> None:
        status, out, err = self.start(*arguments, **environment).end()
        self.assertEqual((status, out), (2, ""), err)
        self.assertRegex(err, r"\Aliveserver: [^\n]*\n\Z")
        self.assertRegex(err, pattern)

    def test_the_target(self) -> None:
        for target, pattern in self.EXPECTED.items():
            with self.subTest(target=target):
                self.assert_one_line(pattern, target)

    def test_a_module_lists_its_classes_that_can_be_served(self) -> None:
        self.write(
            "import unittest\nfrom liveserver import *\nfrom thing import Tests\n"
            "class Base(LiveServerTestCase): ...\n"
            "class Mixin(LiveServerMixin):\n    def test_it(self): ...\n"
            "class Plain(unittest.TestCase):\n    def test_it(self): ...\n"
            "class Shop(Mixin, Plain):\n    app = 'thing:app'\n"
            "class Cart(Base):\n    app = 'thing:app'\n    def test_it(self): ...\n",
            "module",
        )
        status, out, err = self.start("module").end()
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(
            err,
            "liveserver: 'module' is a module. Name one of its classes:\n"
            "  python -m liveserver module.Shop\n"
            "  python -m liveserver module.Cart\n",
        )
        command = self.start(*err.split()[-1:])
        self.assertEqual(get(command.url()).body, b"hello")
        self.assertEqual(command.stop()[0], 0)

    def test_a_module_that_is_not_there(self) -> None:
        folder = re.escape(repr(os.path.realpath(self.folder)))
        for target in ("nothing:app", "nothing.Tests"):
            with self.subTest(target=target):
                pattern = rf"no module 'nothing'\. .*looked up from the current folder, {folder}\."
                self.assert_one_line(pattern, target)

    def test_the_arguments(self) -> None:
        for arguments, pattern in self.ARGUMENTS.items():
            with self.subTest(arguments=arguments):
                self.assert_one_line(pattern, *arguments)

    def test_the_environment(self) -> None:
        self.assert_one_line("LIVESERVER_PAUSE is 'yes'", "thing:app", LIVESERVER_PAUSE="yes")

    def test_as_a_function(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(main(["tests/test_shop.py::ShopTests"]), 2)
        self.assertIn(
            "is how pytest names a test. Write 'tests.test_shop.ShopTests'", err.getvalue()
        )

    def test_a_module_that_raises_is_shown(self) -> None:
        for code in ("raise ValueError('broken')", "import sys\nsys.exit('broken')"):
            self.write(f"def fail():\n    {code.replace(chr(10), '; ')}\n\nfail()\n", "broken")
            for target in ("broken:app", "broken.Tests", "broken.Tests.test_it"):
                with self.subTest(code=code, target=target):
                    status, out, err = self.start(target).end()
                    self.assertEqual((status, out), (2, ""))
                    self.assertRegex(
                        err,
                        r"(?s)^\nTraceback .*broken\.py\", line 2, in fail\n.*: broken\n\n"
                        rf"liveserver: '{target}' could not be imported: module 'broken' raised ",
                    )
                    self.assertNotIn("importlib", err)
        self.write("import no_such_module", "broken")
        status, _, err = self.start("broken.Tests").end()
        self.assertEqual(status, 2)
        self.assertIn("raised ModuleNotFoundError: No module named 'no_such_module'", err)

    def test_an_import_of_the_module_serves_nothing(self) -> None:
        """A child process of multiprocessing imports the main module anew."""
        self.assertEqual(
            importlib.import_module("liveserver.__main__").__name__, "liveserver.__main__"
        )

    def test_help(self) -> None:
        status, out, err = self.start("--help").end()
        self.assertEqual((status, err), (0, ""))
        for word in ("TARGET", "--factory", "--host", "--port", "--tls", "--open", "SIGTERM"):
            self.assertIn(word, out)
        self.assertIn('With server_scope = "test" the setUp() of a class runs too', out)
