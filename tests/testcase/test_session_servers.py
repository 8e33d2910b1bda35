"""`server_scope = "session"`: one server for all classes with the same app and options."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from liveserver import (
    AppError,
    ConfigurationError,
    LiveServerTestCase,
    StartupError,
)
from liveserver._server import process_hooks
from liveserver._testcase import session_servers
from tests.helpers import apps
from tests.helpers.observed import HAS_XDIST, needs_pytest
from tests.helpers.support import Client, StrictTestCase, each_base, get, run_class

ROOT = Path(__file__).parent.parent.parent


def make(base: Any, body: Any = None, **attributes: Any) -> Any:
    """Make a test class of session scope with one test."""

    def test(case: Any) -> None:
        if body is not None:
            body(case)

    async def async_test(case: Any) -> None:
        test(case)

    asynchronous = issubclass(base, unittest.IsolatedAsyncioTestCase)
    own = {"server_scope": "session", "test_it": async_test if asynchronous else test}
    return type("Tests", (base,), {**own, **attributes})


class SharedTestCase(StrictTestCase):
    """A test whose session is over when it ends."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(session_servers, "_all", []))
        self.enterContext(mock.patch.object(process_hooks, "_reports", []))
        self.addCleanup(lambda: [each.server.stop() for each in session_servers._all])

    def assert_passes(self, *classes: Any) -> None:
        outcome = run_class(*classes)
        self.assertTrue(outcome.wasSuccessful(), outcome)
        self.assertEqual(outcome.testsRun, len(classes))


class SameServerTests(SharedTestCase):
    """Which classes share a server, and which do not."""

    @each_base
    def test_the_same_app(self, base: Any) -> None:
        ports: list[int] = []

        def body(case: Any) -> None:
            self.assertEqual(get(case.base_url).body, b"hello")
            self.assertIs(case.server, type(case).server)
            ports.append(case.server.port)

        attributes = {"app": staticmethod(apps.hello)}
        same = [make(base, body, **attributes) for _ in range(3)]
        by_name = make(base, body, app="tests.helpers.apps:hello")
        self.assert_passes(*same, by_name)
        self.assertEqual(len(set(ports)), 1)
        self.assertTrue(session_servers._all[-1].server.running)

    @each_base
    def test_the_same_create_app(self, base: Any) -> None:
        built: list[str] = []
        ports: list[int] = []

        class Shared(base):  # type: ignore[misc]
            server_scope = "session"

            @classmethod
            def create_app(cls) -> Any:
                built.append(cls.__name__)
                return apps.hello

        class Other(base):  # type: ignore[misc]
            @classmethod
            def create_app(cls) -> Any:
                return apps.hello

        def body(case: Any) -> None:
            ports.append(case.server.port)

        self.assert_passes(make(Shared, body), make(Shared, body), make(Other, body))
        self.assertEqual(len(built), 1)
        self.assertEqual(ports[0], ports[1])
        self.assertNotEqual(ports[0], ports[2])

    def test_other_apps_and_other_options(self) -> None:
        ports: list[int] = []

        async def other(scope: Any, receive: Any, send: Any) -> None:
            await apps.hello(scope, receive, send)

        def body(case: Any) -> None:
            ports.append(case.server.port)

        base = LiveServerTestCase
        app = {"app": staticmethod(apps.hello)}
        self.assert_passes(
            make(base, body, **app),
            make(base, body, app=staticmethod(other)),
            make(base, body, **app, server_options={"shutdown_timeout": 1}),
            make(base, body, **app, server_options={"uvicorn_config": {"loop": "asyncio"}}),
            # These are the first again: what is said is the default.
            make(base, body, **app, server_options={"shutdown_timeout": 5, "uvicorn_config": None}),
            make(base, body, **app, server_options={"port": 0, "host": "127.0.0.1"}),
        )
        self.assertEqual(len(set(ports[:4])), 4)
        self.assertEqual(set(ports[4:]), {ports[0]})

    @each_base
    def test_one_that_a_test_stopped_is_started_again(self, base: Any) -> None:
        def stop(case: Any) -> None:
            case.server.stop()

        def use(case: Any) -> None:
            self.assertEqual(get(case.base_url).body, b"hello")

        app = {"app": staticmethod(apps.hello)}
        self.assert_passes(make(base, stop, **app), make(base, use, **app))

    @each_base
    def test_the_url_is_gone_from_the_class_after_its_tests(self, base: Any) -> None:
        cls = make(base, app=staticmethod(apps.hello))
        self.assert_passes(cls)
        self.assertFalse(hasattr(cls, "base_url"))


class VerdictTests(SharedTestCase):
    """What the app raises lands where it belongs."""

    @each_base
    def test_in_the_test_that_caused_it(self, base: Any) -> None:
        def ask(case: Any) -> None:
            get(case.base_url)

        async def broken(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            raise LookupError("mine")

        app = {"app": staticmethod(broken)}
        outcome = run_class(
            make(base, None, **app), make(base, ask, **app), make(base, None, **app)
        )
        (error,) = outcome.raised
        self.assertIsInstance(error, AppError)
        self.assertIn("test_it", str(outcome.errors[0][0]))
        self.assertEqual(outcome.testsRun, 3)

    @each_base
    def test_outside_of_all_tests_in_its_class(self, base: Any) -> None:
        async def broken(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                return await apps.lifespan(receive, send)
            raise LookupError("mine")

        class AsksEarly(base):  # type: ignore[misc]
            @classmethod
            def setUpClass(cls) -> None:
                super().setUpClass()
                get(cls.base_url)

        app = {"app": staticmethod(broken)}
        outcome = run_class(make(base, None, **app), make(AsksEarly, None, **app))
        (error,) = outcome.raised
        self.assertIsInstance(error, AppError)
        self.assertIn("tearDownClass", str(outcome.errors[0][0]))

    @each_base
    def test_outside_of_all_tests_where_nobody_waits_for_the_answer(self, base: Any) -> None:
        clients: list[Client] = []

        def tear_down_class(cls: Any) -> None:
            client = Client(cls.base_url)
            clients.append(client)
            client.send()

        async def raises_late(app: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.1)  # so that the class would be judged before
            raise apps.Trouble("out of order")

        app = apps.Faulty(handler=raises_late)
        cls = make(base, app=app, tearDownClass=classmethod(tear_down_class))
        (error,) = run_class(cls).raised
        clients[0].close()
        self.assertIsInstance(error, AppError)

    @each_base
    def test_a_start_that_fails_fails_each_class(self, base: Any) -> None:
        async def refuses(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            raise OSError("no database")

        made: list[Any] = []

        def create_app(cls: Any) -> Any:
            made.append(cls)
            return refuses

        app = {"create_app": classmethod(create_app)}
        classes = [make(base, None, **app), make(base, None, **app)]
        outcome = run_class(*classes)
        self.assertEqual([type(each) for each in outcome.raised], [StartupError] * 2)
        self.assertEqual(made, classes)  # each made a server of its own

    @each_base
    def test_a_wrong_option_names_the_class(self, base: Any) -> None:
        cls = make(base, app=staticmethod(apps.hello), server_options={"port": -1})
        (error,) = run_class(cls).raised
        self.assertIsInstance(error, ConfigurationError)
        self.assertIn("Tests.server_options: LiveServer: port=-1", str(error))


MODULE = """
import asyncio, atexit, unittest
from liveserver import LiveServerTestCase, IsolatedAsyncioLiveServerTestCase
from tests.helpers.support import get

starts = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        starts.append(1)
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        text = f"shut down after {len(starts)} start, {app.asked} requests"
        await asyncio.to_thread(write, text)
        LAST
        return await send({"type": "lifespan.shutdown.complete"})
    app.asked += 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})

app.asked = 0

def write(text):
    with open("ended.txt", "a") as file:
        file.write(text + "\\n")

def ask(self):
    assert get(self.base_url).status == 200

async def ask_later(self):
    ask(self)

kinds = [(LiveServerTestCase, ask), (IsolatedAsyncioLiveServerTestCase, ask_later)]
for number in range(CLASSES):
    base, test = kinds[number % 2]
    tests = {f"test_{i}": test for i in range(20)}
    body = {"app": staticmethod(app), "server_scope": "session", **tests}
    globals()[f"Tests{number}"] = type(f"Tests{number}", (base,), body)
del base, test  # which a runner would take for tests
"""

LATE = """
import asyncio
from liveserver import LiveServerTestCase
from tests.helpers.support import get

tasks = []

async def fail():
    await asyncio.sleep(0)
    while not app.over:
        await asyncio.sleep(0.001)
    raise ValueError("too late")

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    tasks.append(asyncio.create_task(fail()))
    tasks[0].add_done_callback(tasks.remove)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})

app.over = False

class Tests(LiveServerTestCase):
    app = app
    server_scope = "session"

    def test_it(self):
        assert get(self.base_url).status == 200

def tearDownModule():
    app.over = True
    while tasks:
        pass
"""

PYTEST = ("pytest", "-q", "-p", "no:cacheprovider")


class ProcessTests(StrictTestCase):
    """The server of a session ends with the process, its app's shutdown run."""

    seconds = 60  # a thousand tests under pytest, and more than one process of them

    def run_module(
        self, *command: str, classes: int = 50, last: str = "pass", module: str = MODULE
    ) -> tuple[int, str, list[str]]:
        code = module.replace("LAST", last).replace("CLASSES", str(classes))
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_module.py").write_text(code, "utf-8")
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=58,
                check=False,
            )
            ended = Path(folder, "ended.txt")
            lines = ended.read_text("utf-8").splitlines() if ended.exists() else []
            return done.returncode, done.stdout, lines

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
    def test_a_forked_child_has_one_of_its_own(self) -> None:
        code = """
import os, unittest, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
from liveserver import LiveServerTestCase
from tests.helpers.apps import hello
from tests.helpers.support import get, run_class

class Tests(LiveServerTestCase):
    app = hello
    server_scope = "session"
    def test_it(self):
        assert get(self.base_url).status == 200

assert run_class(Tests).wasSuccessful()
child = os.fork()
outcome = run_class(Tests)
if not child:
    os._exit(0 if outcome.wasSuccessful() else 7)
assert outcome.wasSuccessful(), outcome
print("child", os.waitpid(child, 0)[1])
"""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.assertEqual((done.stdout, done.stderr), ("child 0\n", ""))

    def test_under_unittest(self) -> None:
        status, out, ended = self.run_module("unittest", "test_module")
        self.assertEqual(status, 0, out)
        self.assertIn("Ran 1000 tests", out)
        self.assertEqual(ended, ["shut down after 1 start, 1000 requests"])

    @needs_pytest
    def test_under_pytest(self) -> None:
        status, out, ended = self.run_module(*PYTEST)
        self.assertEqual(status, 0, out)
        self.assertIn("1000 passed", out)
        self.assertEqual(ended, ["shut down after 1 start, 1000 requests"])

    @unittest.skipUnless(HAS_XDIST, "pytest-xdist is not installed")
    def test_one_for_each_worker_of_xdist(self) -> None:
        command = (*PYTEST, "-n", "2")
        status, out, ended = self.run_module(*command, classes=5)
        self.assertEqual(status, 0, out)
        self.assertIn("100 passed", out)
        self.assertEqual(len(ended), 2, ended)
        counts = [int(line.split()[-2]) for line in ended]
        self.assertEqual(sum(counts), 100, ended)
        self.assertTrue(all("after 1 start," in line for line in ended), ended)

    def test_an_app_has_its_time_to_shut_down(self) -> None:
        last = 'await asyncio.sleep(2); write("had its time")'
        code, said, lines = self.run_module("unittest", "test_module", classes=1, last=last)
        self.assertEqual(code, 0, said)
        self.assertEqual(lines[1:], ["had its time"], said)

    def check_late_failure(self, *command: str, last: str = "raise OSError('disk full')") -> str:
        status, out, _ = self.run_module(*command, classes=1, last=last)
        self.assertEqual(status, 1, out)
        self.assertIn("ShutdownError: The app's lifespan shutdown failed: OSError: disk full", out)
        self.assertRegex(out, r'test_module\.py", line \d+, in app')
        return out

    def test_an_app_that_fails_to_shut_down_under_unittest(self) -> None:
        out = self.check_late_failure("unittest", "test_module")
        self.assertRegex(out, r"(?m)^ERROR: session server of test_module")
        self.assertIn("FAILED (errors=1)", out)

    @needs_pytest
    def test_an_app_that_fails_to_shut_down_under_pytest(self) -> None:
        out = self.check_late_failure(*PYTEST, "--junit-xml=junit.xml")
        self.assertIn("ERROR session server of test_module", out)
        self.assertIn("20 passed, 1 error", out)

    @unittest.skipUnless(HAS_XDIST, "pytest-xdist is not installed")
    def test_an_app_that_fails_to_shut_down_under_xdist(self) -> None:
        out = self.check_late_failure(*PYTEST, "-n", "2")
        self.assertIn("20 passed, 2 errors", out)  # one of each worker

    @needs_pytest
    def test_a_run_that_failed_keeps_its_status(self) -> None:
        command = (*PYTEST, "--maxfail=1", "-k", "no_such_test")
        status, out, _ = self.run_module(*command, classes=1)
        self.assertEqual(status, 5, out)  # no test was run, and no server

    @unittest.skipUnless(importlib.util.find_spec("django"), "django is not installed")
    def test_an_app_that_fails_to_shut_down_under_djangos_runner(self) -> None:
        out = self.check_late_failure("django", "test", "--settings=tests.helpers.no_database")
        self.assertRegex(out, r"(?m)^ERROR: session server of test_module")

    def test_what_an_app_raises_after_the_last_test(self) -> None:
        """A request that nobody waits for, in the time of no test."""
        for command in (("unittest", "test_module"), PYTEST):
            if importlib.util.find_spec(command[0]):
                with self.subTest(command=command):
                    status, out, _ = self.run_module(*command, classes=1, module=LATE)
                    self.assertEqual(status, 1, out)
                    self.assertIn("raised ValueError: too late, at ", out)
