"""The errors and notes in the reports of unittest and pytest, run as processes."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import TracebackType
from typing import Any

from liveserver import LiveServerTestCase
from tests.helpers import apps
from tests.helpers.observed import (
    HAS_XDIST,
    ROOT,
    needs_pytest,
)
from tests.helpers.support import (
    StrictTestCase,
)

RAISING_SCRIPT = """
import unittest
from liveserver import LiveServerTestCase
from tests.helpers import apps
from tests.helpers.support import get

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    if scope["path"].startswith("/raise"):
        marker = "a local of the handler"
        raise ValueError(f"nothing at {scope['path']}")
    await apps.answer(send, b"fine")

class Base(LiveServerTestCase):
    @classmethod
    def create_app(cls):
        return app
"""

RAISING_TESTS = (
    RAISING_SCRIPT
    + """
class Tests(Base):
    def test_fails(self):
        print("printed by the test")
        self.assertEqual(get(self.base_url, "/fine/fails").status, 404)

    def test_raises(self):
        get(self.base_url, "/raise/raises")

class Quiet(Base):
    raise_server_errors = False

    def test_passes(self):
        get(self.base_url, "/raise/passes")
"""
)


class ScriptTestCase(StrictTestCase):
    seconds = 60

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_script(self, code: str, *runner: str) -> "subprocess.CompletedProcess[str]":
        (self.folder / "test_script.py").write_text(code, "utf-8")
        return subprocess.run(
            [sys.executable, *runner],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "NO_COLOR": "1",
            },
            capture_output=True,
            encoding="utf-8",
            timeout=50,
            check=False,
        )

    def pytest(self, code: str, *options: str) -> "subprocess.CompletedProcess[str]":
        return self.run_script(
            code, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *options
        )


class UnittestReportTests(ScriptTestCase):
    """What unittest prints, as a process of its own."""

    def report(self, *options: str) -> str:
        done = self.run_script(
            RAISING_TESTS, "-W", "error", "-m", "unittest", *options, "test_script"
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("Ran 3 tests", done.stderr)
        self.assertRegex(done.stderr, r"FAILED \(failures=1, errors=1\)")
        for name in ("fails", "raises"):
            self.assertRegex(done.stderr, rf"(GET /\w+/{name}) ")
        self.assertEqual(done.stderr.count("The server at http://"), 2, done.stderr)
        self.assertIn("test_script.py", done.stderr)
        return done.stderr

    def test_nothing_on_stderr_but_the_report(self) -> None:
        report = self.report()
        self.assertNotIn("Exception in ASGI application", report)
        self.assertNotIn("/raise/passes", report)
        self.assertEqual(report.count("""raise ValueError(f"nothing at"""), 1, report)
        first = report.splitlines()[0]
        self.assertEqual(sorted(first), sorted(".FE"), report)

    def test_nothing_at_all_when_all_pass(self) -> None:
        code = RAISING_TESTS.replace("404", "200").replace("/raise/raises", "/fine")
        done = self.run_script(code, "-W", "error", "-m", "unittest", "test_script")
        self.assertRegex(done.stderr, r"\A\.\.\.\n-+\nRan 3 tests in \S+\n\nOK\n\Z")

    def test_buffered(self) -> None:
        report = self.report("-b")
        self.assertIn("printed by the test", report)
        self.assertNotIn("Exception in ASGI application", report)

    def test_with_locals(self) -> None:
        report = self.report("--locals")
        self.assertIn("marker = 'a local of the handler'", report)

    def test_fail_fast(self) -> None:
        done = self.run_script(RAISING_TESTS, "-m", "unittest", "-f", "test_script.Tests")
        self.assertIn("Ran 1 test", done.stderr)
        self.assertEqual(done.stderr.count("The server at http://"), 1, done.stderr)

    def test_the_error_of_a_class_fails_the_run(self) -> None:
        code = (
            RAISING_SCRIPT
            + """
class Tests(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        get(cls.base_url, "/raise/outside")

    def test_it(self):
        pass
"""
        )
        done = self.run_script(code, "-m", "unittest", "test_script")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ERROR: tearDownClass (test_script.Tests)", done.stderr)
        self.assertIn("GET /raise/outside", done.stderr)


@needs_pytest
class PytestReportTests(ScriptTestCase):
    """The same under pytest."""

    def test_errors_and_notes(self) -> None:
        for options in ((), ("-p", "no:logging")):
            with self.subTest(options=options):
                done = self.pytest(RAISING_TESTS, *options)
                self.assertRegex(done.stdout, r"2 failed, 1 passed", done.stdout + done.stderr)
                self.assertEqual(done.stdout.count("The server at http://"), 2, done.stdout)
                self.assertIn("liveserver.AppError: GET /raise/raises", done.stdout)
                self.assertEqual(
                    len(re.findall(r"(?m)^> +raise ValueError\(f", done.stdout)), 1, done.stdout
                )

    def test_the_traceback_is_visible_once(self) -> None:
        done = self.pytest(RAISING_TESTS)
        # Its log section is pytest's own; the report itself says it once.
        report, _, _ = done.stdout.partition("Captured log")
        self.assertEqual(report.count('raise ValueError(f"nothing at'), 1, done.stdout)

    def test_stop_at_the_first(self) -> None:
        done = self.pytest(RAISING_TESTS, "-x")
        self.assertRegex(done.stdout, "1 failed", done.stdout)
        self.assertEqual(done.stdout.count("The server at http://"), 1, done.stdout)

    def test_the_error_of_a_class_fails_the_run(self) -> None:
        code = (
            RAISING_SCRIPT
            + """
class Tests(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        get(cls.base_url, "/raise/outside")

    def test_it(self):
        pass
"""
        )
        done = self.pytest(code)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("GET /raise/outside", done.stdout)

    def test_subtests(self) -> None:
        code = (
            RAISING_SCRIPT
            + """
class Tests(Base):
    def test_it(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertEqual(get(self.base_url, f"/fine/{number}").status, 200 + number)
"""
        )
        done = self.pytest(code)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("GET /fine/1", done.stdout)
        self.assertNotIn("AttributeError", done.stdout)

    def test_caplog_sees_the_records(self) -> None:
        code = (
            RAISING_SCRIPT
            + """
import gc, pytest, weakref

class Tests(Base):
    raise_server_errors = False

    @pytest.fixture(autouse=True)
    def _caplog(self, caplog):
        self.caplog = caplog

    def test_it(self):
        get(self.base_url, "/raise/1")
        (record,) = [r for r in self.caplog.records if r.name == "uvicorn.error"]
        assert record.exc_info is None
        assert "ValueError: nothing at /raise/1" in record.exc_text
        assert "ValueError: nothing at /raise/1" in self.caplog.text
"""
        )
        done = self.pytest(code)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_no_report_or_record_keeps_frames(self) -> None:
        code = """
import gc, pytest, weakref
from liveserver import LiveServerTestCase
from tests.helpers import apps
from tests.helpers.support import get

things, records = [], []

class Thing:
    pass

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    thing = Thing()
    things.append(weakref.ref(thing))
    if scope["path"].startswith("/after"):
        await apps.answer(send, b"fine")
    raise ValueError(scope["path"])

class Tests(LiveServerTestCase):
    server_scope = SCOPE
    raise_server_errors = RAISES

    @classmethod
    def create_app(cls):
        return app

    @pytest.fixture(autouse=True)
    def _caplog(self, caplog):
        yield
        records.extend(caplog.get_records("call"))

    def test_1(self):
        get(self.base_url, "/raise")

    def test_2(self):
        get(self.base_url, "/after")

    def test_3(self):
        gc.collect()
        assert len(things) == 2
        assert [thing() for thing in things] == [None, None]
        assert len(records) == 2, records
"""
        for scope in ("class", "test"):
            for raises in (True, False):
                with self.subTest(scope=scope, raises=raises):
                    script = code.replace("SCOPE", repr(scope)).replace("RAISES", repr(raises))
                    done = self.pytest(script)
                    expected = "2 failed, 1 passed" if raises else "3 passed"
                    self.assertIn(expected, done.stdout, done.stdout + done.stderr)

    @unittest.skipUnless(HAS_XDIST, "pytest-xdist is not installed")
    def test_under_xdist(self) -> None:
        code = (
            RAISING_SCRIPT
            + """
class Tests(Base):
    def test_several(self):
        get(self.base_url, "/raise/several/1")
        get(self.base_url, "/raise/several/2")

    def test_fine(self):
        get(self.base_url)

for index in range(20):
    def test(self, index=index):
        get(self.base_url, f"/raise/{index}/")
    setattr(Tests, f"test_raises_{index}", test)
"""
        )
        done = self.pytest(code, "-n", "2")
        self.assertIn("21 failed, 1 passed", done.stdout, done.stdout + done.stderr)
        for index in range(20):
            found = re.findall(rf"liveserver\.AppError: GET /raise/{index}/ ", done.stdout)
            self.assertTrue(found, done.stdout)
        for path in ("several/1", "several/2"):
            self.assertIn(f"AppError: GET /raise/{path}", done.stdout)
        self.assertNotIn("INTERNALERROR", done.stdout)


class DebuggingResultTests(StrictTestCase):
    """A result that opens a debugger, as that of Django's `--pdb`."""

    def test_an_app_error_has_a_traceback_for_it(self) -> None:
        given: list[object] = []

        class Result(unittest.TestResult):
            def addError(self, test: object, err: Any) -> None:
                given.append(err[2])

        class Tests(LiveServerTestCase):
            @classmethod
            def create_app(cls) -> object:
                return apps.Faulty(handler=apps.raise_trouble)

            def test_it(self) -> None:
                self.http.get("/")

        unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(Result())
        self.assertEqual([type(each) for each in given], [TracebackType])
