"""`LIVESERVER_PAUSE=1`, on a terminal and without one, under unittest and under pytest."""

import asyncio
import contextlib
import importlib.util
import io
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from liveserver import LiveServer
from liveserver._testcase import pause as pausing
from tests.helpers import apps
from tests.helpers.observed import ROOT
from tests.helpers.support import StrictTestCase, get

HAS_PTY = importlib.util.find_spec("termios") is not None
HAS_PYTEST = importlib.util.find_spec("pytest") is not None
# Of pytest 9.0 and later.
HAS_SUBTESTS = HAS_PYTEST and importlib.util.find_spec("_pytest.subtests") is not None

if HAS_PTY:
    from tests.helpers.terminal import Terminal

BEGINNING = """
import unittest
from liveserver import *
from tests.helpers import apps
from tests.helpers.support import get

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    if scope["path"].startswith("/raise"):
        raise ValueError("nothing there")
    await apps.answer(send, b"fine")

class Sync(LiveServerTestCase):
    app = app

class Asyncio(IsolatedAsyncioLiveServerTestCase):
    app = app
"""

# Each way to fail, once for each base class and scope. The names say where they do.
WAYS = """
def each_way(base, scope):
    class Tests(base):
        server_scope = scope

        def setUp(self):
            super().setUp()
            get(self.base_url)
            self.addCleanup(self.step, "cleanup")
            self.step("setUp")

        def tearDown(self):
            self.step("tearDown")
            super().tearDown()

        def step(self, name):
            if self._testMethodName.endswith(name):
                self.fail(f"failed in {name}")

        def test_1_body(self):
            self.step("body")

        def test_2_setUp(self): ...
        def test_3_tearDown(self): ...
        def test_4_cleanup(self): ...

        def test_5_app(self):
            get(self.base_url, "/raise/by_the_test")

        def test_6_subtest(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertEqual(number, 1)

        def test_7_nothing(self): ...

        @unittest.expectedFailure
        def test_8_expected(self):
            self.fail("as expected")

        def test_9_skipped(self):
            self.skipTest("not today")

    Tests.__qualname__ = Tests.__name__ = f"{base.__name__}{scope.title()}Tests"
    return Tests

for base in (Sync, Asyncio):
    for scope in ("class", "session", "test"):
        made = each_way(base, scope)
        globals()[made.__name__] = made
        del made
del base
"""

ASYNC_WAYS = """
import asyncio

class AsyncioTests(Asyncio):
    server_scope = "test"

    async def step(self, name):
        if self._testMethodName.endswith(name):
            async with self.http.get("/"):
                self.fail(f"failed in {name}")

    async def asyncSetUp(self):
        await self.step("asyncSetUp")
        self.addAsyncCleanup(self.step, "cleanup")

    async def asyncTearDown(self):
        await self.step("asyncTearDown")

    async def test_1_body(self):
        await self.step("body")

    async def test_2_asyncSetUp(self): ...
    async def test_3_asyncTearDown(self): ...
    async def test_4_cleanup(self): ...

    async def test_5_app(self):
        async with self.http.get("/raise/by_the_test"):
            pass

    async def test_6_subtest(self):
        with self.subTest(number=0):
            self.fail("in the loop")
"""

ONE_FAILURE = """
class Tests(Sync):
    def test_it(self):
        self.assertEqual(get(self.base_url, "/items").status, 404)
"""

RUNNERS = {
    "unittest": ("-m", "unittest", "test_script"),
    "pytest": ("-m", "pytest", "-s", "-p", "no:cacheprovider", "test_script.py"),
}


class ScriptTestCase(StrictTestCase):
    seconds = 100

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, code: str) -> None:
        (self.folder / "test_script.py").write_text(code, "utf-8")

    def runners(self) -> list[str]:
        return [name for name in RUNNERS if name != "pytest" or HAS_PYTEST]


@unittest.skipUnless(HAS_PTY, "no pseudo-terminals on this system")
class TerminalTests(ScriptTestCase):
    """Somebody is there: it waits for Enter, and the server serves meanwhile."""

    def terminal(self, *command: str, pause: str = "1") -> "Terminal":
        terminal = Terminal(self.folder, *command, LIVESERVER_PAUSE=pause, NO_COLOR="1")
        self.addCleanup(terminal.close)
        return terminal

    def pauses(self, terminal: "Terminal", count: int) -> list[str]:
        """Go through that many pauses; return the names of their tests."""
        names = []
        for _ in range(count):
            names.append(terminal.read_until(r"PAUSED: (.*)\n")[1])
            url = terminal.read_until(r"\n  (http://\S+)\n")[1]
            terminal.read_until(rf"  curl -i {url}/\n")
            terminal.read_until("Press Enter")
            self.assertEqual(get(url).body, b"fine")
            # What somebody asks in a pause is not the test's: it fails nothing.
            self.assertEqual(get(url, "/raise/by_somebody").status, 500)
            terminal.type("")
        return names

    def test_each_way_to_fail(self) -> None:
        ways = ["1_body", "2_setUp", "3_tearDown", "4_cleanup", "5_app", "6_subtest", "6_subtest"]
        for runner in self.runners():
            with self.subTest(runner=runner):
                self.write(BEGINNING + WAYS)
                terminal = self.terminal(*RUNNERS[runner])
                if runner == "pytest" and not HAS_SUBTESTS:  # it ends a test at the first one
                    ways = ways[:-1]
                names = self.pauses(terminal, 6 * len(ways))
                rest = terminal.read_rest()
                self.assertNotIn("PAUSED", rest)
                self.assertNotIn("by_somebody", rest)
                self.assertEqual(terminal.process.returncode, 1, rest)
                if runner == "unittest":
                    self.assertIn("Ran 54 tests", rest)
                    counts = "(failures=36, errors=6, skipped=6, expected failures=6)"
                    self.assertIn(counts, rest)
                for base in ("Sync", "Asyncio"):
                    for scope in ("Class", "Session", "Test"):
                        found = [name for name in names if f".{base}{scope}Tests." in name]
                        self.assertEqual(
                            [name.split(" ")[0].removeprefix("test_") for name in found], ways
                        )

    def test_each_way_of_an_asyncio_test(self) -> None:
        ways = ["1_body", "2_asyncSetUp", "3_asyncTearDown", "4_cleanup", "5_app", "6_subtest"]
        for runner in self.runners():
            with self.subTest(runner=runner):
                self.write(BEGINNING + ASYNC_WAYS)
                terminal = self.terminal(*RUNNERS[runner])
                names = self.pauses(terminal, len(ways))
                rest = terminal.read_rest()
                self.assertNotIn("PAUSED", rest)
                self.assertEqual([name.split(" ")[0].removeprefix("test_") for name in names], ways)

    def test_once_for_a_test_that_fails_twice(self) -> None:
        code = """
class Tests(Sync):
    def test_it(self):
        self.addCleanup(self.fail, "a second time")
        self.fail("a first time")
"""
        for runner in self.runners():
            with self.subTest(runner=runner):
                self.write(BEGINNING + code)
                terminal = self.terminal(*RUNNERS[runner])
                self.pauses(terminal, 1)
                rest = terminal.read_rest()
                self.assertNotIn("PAUSED", rest)
                self.assertIn("a second time", rest)

    def test_what_it_shows(self) -> None:
        self.write(BEGINNING + ONE_FAILURE)
        terminal = self.terminal(*RUNNERS["unittest"])
        shown = terminal.read_until(r"(?s)\A(.*)Press Enter[^\n]*\n")[1]
        self.assertRegex(
            shown,
            r"(?x)PAUSED:\ test_it\ \(test_script\.Tests\.test_it\)\n\n"
            r'\ \ File\ ".*test_script\.py",\ line\ \d+,\ in\ test_it\n'
            r"\ {4}self\.assertEqual\(.*\n"
            r"(\ +[\^~]+\n)?"
            r"AssertionError:\ 200\ !=\ 404\n"
            r"The\ server\ at\ http://127\.0\.0\.1:\d+\ was\ asked\ in\ this\ test:\n"
            r"\ \ GET\ /items\ .*\ 200\ in\ .*\n\n",
        )
        terminal.type("")
        self.assertIn("FAILED (failures=1)", terminal.read_rest())

    def test_not_without_the_variable(self) -> None:
        for value in ("", "0"):
            self.write(BEGINNING + ONE_FAILURE)
            terminal = self.terminal(*RUNNERS["unittest"], pause=value)
            rest = terminal.read_rest()
            with self.subTest(value=value):
                self.assertNotIn("PAUSED", rest)
                expected = "failures=1" if not value else "variable LIVESERVER_PAUSE is '0'"
                self.assertIn(expected, rest)

    @unittest.skipUnless(HAS_PYTEST, "pytest is not installed")
    def test_not_at_what_pytest_does_not_count_as_a_failure(self) -> None:
        code = """
import pytest

class Tests(Sync):
    def test_1(self):
        pytest.skip("not today")

    def test_2(self):
        pytest.xfail("not yet")

    @pytest.mark.xfail
    def test_3(self):
        self.fail("as expected")

    @pytest.mark.xfail(True, raises=AssertionError, reason="known")
    def test_4(self):
        self.fail("as expected")

    @pytest.mark.xfail(condition=False, reason="elsewhere")
    def test_5(self):
        self.fail("not expected here")

    @pytest.mark.xfail(raises=KeyError, reason="known")
    def test_6(self):
        self.fail("not expected so")

    def test_7(self):
        pytest.fail("by pytest's own means")
"""
        self.write(BEGINNING + code)
        terminal = self.terminal(*RUNNERS["pytest"])
        names = self.pauses(terminal, 3)
        self.assertEqual([name.split(" ")[0] for name in names], ["test_5", "test_6", "test_7"])
        rest = terminal.read_rest()
        self.assertNotIn("PAUSED", rest)
        self.assertIn("3 failed, 1 skipped, 3 xfailed", rest)

    def test_not_without_a_server(self) -> None:
        code = """
class Tests(Sync):
    server_scope = "test"
    server_options = {"host": "no.such.host.invalid"}

    def test_it(self): ...

class Stopped(Sync):
    def test_it(self):
        self.server.stop()
        self.fail("out of order")
"""
        for runner in self.runners():
            with self.subTest(runner=runner):
                self.write(BEGINNING + code)
                rest = self.terminal(*RUNNERS[runner]).read_rest()
                self.assertNotIn("PAUSED", rest)
                for name in ("Tests", "Stopped"):
                    self.assertRegex(
                        rest, rf"No pause at test_it \(test_script\.{name}.*\): it has no server"
                    )

    def test_the_end_of_the_input_goes_on(self) -> None:
        self.write(BEGINNING + ONE_FAILURE)
        terminal = self.terminal(*RUNNERS["unittest"])
        terminal.read_until("Press Enter")
        terminal.press_ctrl_d()
        self.assertIn("FAILED (failures=1)", terminal.read_rest())

    def test_ctrl_c_ends_the_run(self) -> None:
        in_the_loop = """
class Tests(Asyncio):
    async def test_it(self):
        with self.subTest():
            self.fail("out of order")
        while True:
            pass
"""
        for runner in self.runners():
            for code in (ONE_FAILURE, in_the_loop):
                with self.subTest(runner=runner, asyncio=code is in_the_loop):
                    self.write(BEGINNING + code)
                    terminal = self.terminal(*RUNNERS[runner])
                    terminal.read_until("Press Enter")
                    terminal.process.send_signal(signal.SIGINT)
                    self.assertIn("KeyboardInterrupt", terminal.read_rest())
                    self.assertIn(terminal.process.returncode, (-signal.SIGINT, 1, 2, 130))


class NoTerminalTests(ScriptTestCase):
    """Nobody is there: it says so once, and the run goes on."""

    TWO_FAILURES = ONE_FAILURE + ONE_FAILURE.replace("Tests", "MoreTests")

    def report(self, *command: str, shell: str = "") -> str:
        self.write(BEGINNING + self.TWO_FAILURES)
        through = ("sh", "-c", shell, "sh") if shell else ()
        done = subprocess.run(
            [*through, sys.executable, *command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LIVESERVER_PAUSE": "1", "NO_COLOR": "1"},
            capture_output=True,
            encoding="utf-8",
            timeout=50,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_without_a_terminal(self) -> None:
        for runner in self.runners():
            with self.subTest(runner=runner):
                report = self.report(*RUNNERS[runner])
                self.assertEqual(report.count("the test cannot pause: standard input is not"), 1)
                self.assertNotIn("PAUSED", report)
                self.assertRegex(report, "failures=2|2 failed")

    @unittest.skipIf(sys.platform == "win32", "no shell that closes it")
    def test_without_a_standard_input(self) -> None:
        report = self.report(*RUNNERS["unittest"], shell='exec "$@" 0<&-')
        self.assertEqual(report.count("the test cannot pause: standard input is not"), 1)
        self.assertIn("failures=2", report)

    @unittest.skipUnless(HAS_PTY, "no pseudo-terminals on this system")
    def test_where_the_output_is_captured(self) -> None:
        commands = {"-b": ("-m", "unittest", "-b", "test_script")}
        if HAS_PYTEST:
            for option in ("fd", "sys", "tee-sys"):
                commands[option] = (*RUNNERS["pytest"][:2], f"--capture={option}", "test_script.py")
        for name, command in commands.items():
            with self.subTest(capture=name):
                self.write(BEGINNING + self.TWO_FAILURES)
                terminal = Terminal(self.folder, *command, LIVESERVER_PAUSE="1", NO_COLOR="1")
                self.addCleanup(terminal.close)
                rest = terminal.read_rest()
                self.assertIn("the test cannot pause: standard", rest)
                self.assertNotIn("PAUSED", rest)
                self.assertRegex(rest, "failures=2|2 failed")


class PausingTests(StrictTestCase):
    """What a pause does with the process that it stands in."""

    def test_a_standard_input_that_is_missing_or_closed(self) -> None:
        closed = io.StringIO()
        closed.close()
        for stdin in (None, closed):
            with (
                self.subTest(stdin=stdin),
                mock.patch("sys.stdin", stdin),
                mock.patch("liveserver._testcase.pause._said", False),
                contextlib.redirect_stderr(io.StringIO()) as said,
                LiveServer(apps.hello) as server,
            ):
                self.assertFalse(pausing.pause("a test", ValueError(), server))
            self.assertIn("the test cannot pause: standard input is not", said.getvalue())

    def test_what_ctrl_c_does_after_it_ended_a_pause(self) -> None:
        async def pause() -> None:
            usual = signal.getsignal(signal.SIGINT)
            with self.assertRaises(KeyboardInterrupt), pausing._ctrl_c_raises():
                self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
                raise KeyboardInterrupt
            self.assertIs(signal.getsignal(signal.SIGINT), usual)
            self.assertIsNot(usual, signal.default_int_handler)  # but that of asyncio.run()

        asyncio.run(pause())
