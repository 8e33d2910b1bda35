"""Servers and the process they live in: Ctrl-C, forks, the end of the interpreter."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from functools import partial
from pathlib import Path
from unittest import mock

from liveserver import ShutdownError
from liveserver._server import process_hooks
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent

LIFESPAN_APP = """
import asyncio, os, sys
from liveserver import *
from tests.helpers.support import get

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(print, "shutdown", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/hang":
        print("hanging", flush=True)
        await asyncio.Event().wait()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
"""

HANGING_AT_EXIT = f"""{LIFESPAN_APP}
import socket
server = LiveServer(app)
server.start()
client = socket.create_connection((server.host, server.port))
client.sendall(b"GET /hang HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
while not server._control.run.loop_thread.middleware.running:
    get(server.base_url)
"""

HANGING_TEST = """
class Tests(LiveServerTestCase):
    server_scope = SCOPE

    @classmethod
    def create_app(cls):
        return app

    def test_it(self):
        get(self.base_url, "/hang")
"""

# Python notes a signal that comes just before a blocking call and heeds it only after that call,
# ours or anybody's. So a script lets itself be woken: by a signal that means nothing, and that does
# no harm when Python has ended.
WAKEABLE = """
import signal
signal.signal(signal.SIGWINCH, lambda *_: None)
"""

# The negative control: how a runner ends on Ctrl-C without any server.
PLAIN_TEST = """
import threading, unittest

class Tests(unittest.TestCase):
    def test_it(self):
        print("hanging", flush=True)
        threading.Event().wait()
"""


class ProcessTestCase(StrictTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, code: str, *runner: str) -> "subprocess.Popen[str]":
        script = self.folder / "test_script.py"
        script.write_text(code, "utf-8")
        process = subprocess.Popen(
            [sys.executable, *(runner or [str(script)])],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_script(self, code: str) -> tuple[int, str, str]:
        process = self.start(code)
        out, err = process.communicate(timeout=15)
        return process.returncode, out, err


class ExitTests(ProcessTestCase):
    """The interpreter ends although a server is still running."""

    def test_a_server_that_nobody_stopped_is_stopped(self) -> None:
        for loop in ("asyncio", "auto"):
            code = f"{LIFESPAN_APP}\nserver = LiveServer(app, uvicorn_config={{'loop': '{loop}'}})"
            code += "\nserver.start()\nget(server.base_url)\nprint('end')"
            with self.subTest(loop=loop):
                self.assertEqual(self.run_script(code), (0, "end\nshutdown\n", ""))

    def test_a_running_request_does_not_hold_it_up(self) -> None:
        self.assertEqual(self.run_script(HANGING_AT_EXIT), (0, "hanging\nshutdown\n", ""))

    def test_an_app_that_fails_then_is_not_lost(self) -> None:
        code = f"{LIFESPAN_APP}\nserver = LiveServer(app)\nserver.start()\nprint = 1 / 1"
        status, _, err = self.run_script(code)
        self.assertEqual(status, 0)
        self.assertIn("ShutdownError", err)
        self.assertIn("'float' object is not callable", err)


@unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
class ForkTests(ProcessTestCase):
    """A forked child lets go of the parent's server."""

    def test_the_child_ends_and_the_parents_server_goes_on(self) -> None:
        code = f"""{LIFESPAN_APP}
import socket, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
with LiveServer(app) as server:
    go_on, tell = os.pipe()
    wait, forked = os.pipe()
    child = os.fork()
    if not child:
        assert not server.running
        os.write(forked, b"x")
        os.read(go_on, 1)
        sys.exit(0)  # runs __exit__ and all that an interpreter does at its end
    os.read(wait, 1)
    assert get(server.base_url).status == 200
    server.restart()  # the child holds no copy of the listening socket
    assert get(server.base_url).status == 200
    os.write(tell, b"x")
    assert os.waitpid(child, 0)[1] == 0, "the child did not end normally"
    assert get(server.base_url).status == 200
"""
        self.assertEqual(self.run_script(code), (0, "shutdown\nshutdown\n", ""))

    def test_a_child_of_the_child_has_nothing_to_let_go(self) -> None:
        code = f"""{LIFESPAN_APP}
import warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
with LiveServer(app) as server:
    child = os.fork()
    if not child:
        child = os.fork()
        if not child:
            os._exit(0)
        os._exit(os.waitpid(child, 0)[1])
    assert os.waitpid(child, 0)[1] == 0
"""
        self.assertEqual(self.run_script(code), (0, "shutdown\n", ""))

    def test_what_is_to_be_said_at_the_end_is_said_by_the_parent_alone(self) -> None:
        code = """
import os, sys
from liveserver._server import process_hooks

process_hooks.after_runs(lambda: print("said"))
child = os.fork()
if child == 0:
    sys.exit()  # an end of which hooks are told
os.waitpid(child, 0)
"""
        self.assertEqual(self.run_script(code), (0, "said\n", ""))

    def test_a_lock_that_another_thread_of_the_parent_holds_is_free_in_the_child(self) -> None:
        code = """
import os
from liveserver._testcase import session_servers

with session_servers._lock:  # as while another thread starts a server of the session
    child = os.fork()
    if child == 0:
        os._exit(not session_servers._lock.acquire(blocking=False))
print(os.waitpid(child, 0)[1])
"""
        self.assertEqual(self.run_script(code), (0, "0\n", ""))


@unittest.skipIf(sys.platform == "win32", "signals work otherwise on Windows")
class InterruptTests(ProcessTestCase):
    """Ctrl-C in the middle of a test ends the run as it would without a server."""

    seconds = 60  # for several runs of unittest and of pytest

    def status_after_interrupt(self, code: str, runner: str) -> tuple[int, str]:
        command = {"unittest": ["unittest", "test_script"], "pytest": ["pytest", "-s"]}[runner]
        process = self.start(WAKEABLE + code, "-m", *command)
        assert process.stdout is not None
        for line in process.stdout:
            if "hanging" in line:
                break
        process.send_signal(signal.SIGINT)
        for _ in range(10):
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, _ = process.communicate(timeout=1)
                return process.returncode, out
            process.send_signal(signal.SIGWINCH)
        self.fail("Ctrl-C did not end it.")

    def test_under_unittest(self) -> None:
        usual, _ = self.status_after_interrupt(PLAIN_TEST, "unittest")
        for scope in ("class", "test"):
            with self.subTest(scope=scope):
                code = LIFESPAN_APP + HANGING_TEST.replace("SCOPE", repr(scope))
                status, out = self.status_after_interrupt(code, "unittest")
                self.assertEqual(status, usual)
                self.assertIn("shutdown", out)

    @unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
    def test_under_pytest(self) -> None:
        usual, _ = self.status_after_interrupt(PLAIN_TEST, "pytest")
        for scope in ("class", "test"):
            with self.subTest(scope=scope):
                code = LIFESPAN_APP + HANGING_TEST.replace("SCOPE", repr(scope))
                status, _ = self.status_after_interrupt(code, "pytest")
                self.assertEqual(status, usual)


class LastReportsTests(StrictTestCase):
    """What fails when the process ends is shown; our own frames are not."""

    def test_the_frames(self) -> None:
        def fail(error: Exception) -> None:
            raise error

        for error, framed in ((ValueError("of a report"), True), (ShutdownError("late"), False)):
            with (
                self.subTest(error=error),
                mock.patch.object(process_hooks, "_runs", set()),
                mock.patch.object(process_hooks, "_reports", [partial(fail, error)]),
                mock.patch.object(process_hooks, "_abandon_stuck_pools"),  # no pool works after it
                mock.patch.object(sys, "excepthook") as shown,
            ):
                process_hooks._end_runs()
                (call,) = shown.call_args_list
                self.assertIs(call.args[1], error)
                self.assertEqual(call.args[2] is not None, framed)
                self.assertEqual(error.__traceback__ is not None, framed)
