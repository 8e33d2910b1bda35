"""What a user of `liveserver.django` reads when a test fails; nothing is left of a failed start."""

import logging
import os
import re
import subprocess
import sys
import tempfile
import unittest
from importlib.util import find_spec
from logging.config import dictConfig
from pathlib import Path
from unittest import mock

from liveserver._requests.middleware import current_record
from tests.helpers import postgresql
from tests.helpers.django_project import needs_django
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent
PROJECT = "tests.helpers.django_project"

FAILED = {
    "AppErrorTests.test_1_raises": r"AppError: GET /raising → 500 in .* at \S+:\d+ in raising",
    "AppErrorTests.test_2_raises_in_an_async_view": r"AppError: GET /raising_async → 500 in ",
    "AsyncTests.test_1_fails": r"  GET /refused/404 → 404 in ",
    "AsyncTests.test_2_the_app_raises": r"AppError: GET /raising_async → 500 in ",
    "HostNoteTests.test_host": r"  GET /sync → 400 in .*, Invalid HTTP_HOST header: 'other.test'",
    "NoteTests.test_csrf": r"  POST /sync → 403 in .*, Forbidden \(CSRF cookie not set\.\): /sync",
    "SubTests.test_sub (path='/refused/404')": r"GET /refused/404 → 404 in ",
    "SubTests.test_sub (path='/raising')": r"GET /raising → 500 in .* at \S+urls.py:\d+ in raising",
    "InTestCase": r"ConfigurationError: InTestCase is a django\.test\.TestCase\..* Use l",
    "NoStaticURLTests": r"ImproperlyConfigured: You're using the staticfiles app without",
    "WrongOptionsTests": r"ConfigurationError: WrongOptionsTests\.server_options is \['tls'\]",
    "RefusingAppTests": r"StartupError: .*no database server",
    "TakenPortTests": r"OSError: \[Errno \d+\] Address already in use\nCannot listen on 'localh",
    "WSGIStaticHandlerTests": r"static_handler is <class .*Use a subclass of \S+ASGIStaticFilesH",
}


@needs_django
class FailureTests(StrictTestCase):
    """Each fault fails its test or its class, once, and says what was wrong."""

    seconds = 110

    def run_tests(
        self, tests: str, *options: str, typed: str = "", **env: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run tests with Django's runner."""
        return subprocess.run(
            [sys.executable, "-m", f"{PROJECT}.manage", "test", f"{PROJECT}.{tests}", *options],
            cwd=ROOT,
            env={**os.environ, "DJANGO_DATABASE": "memory", **env},
            input=typed,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def failures(self, *options: str, **env: str) -> dict[str, str]:
        """Run the failing tests; return what failed, with the text."""
        done = self.run_tests("failing_tests", *options, **env)
        self.assertEqual(done.returncode, 1, done.stderr)
        parts = re.split(r"(?m)^={70}$", done.stderr.partition("\n\nRan ")[0])
        found = {}
        for part in parts[1:]:
            title = re.match(r"\n(?:FAIL|ERROR): (\w+) \((\S+)\)(.*)\n", part)
            assert title is not None, part
            name, place, sub = title.groups()
            # unittest knows the lack of a message by an object, which is another one elsewhere.
            sub = re.sub(r" \[<object object at \w+>\]", "", sub)
            place = place.rpartition("failing_tests.")[2]
            name = place if name == "setUpClass" else place + sub
            self.assertNotIn(name, found, "it is reported twice")
            found[name] = part
        return found

    def check(self, *options: str, **env: str) -> None:
        found = self.failures(*options, **env)
        self.assertEqual(set(found), set(FAILED), "\n".join(found.values()))
        for name, pattern in FAILED.items():
            with self.subTest(name=name):
                self.assertRegex(found[name], pattern)

    def test_in_one_process(self) -> None:
        self.check()

    def test_in_parallel(self) -> None:
        if not find_spec("tblib"):
            self.skipTest("tblib is not installed")
        for method in ("fork", "spawn"):
            with self.subTest(method=method):
                self.check("--parallel", "2", START_METHOD=method)

    def test_in_a_file(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.check(DJANGO_DATABASE=f"file:{folder}/test.sqlite3")

    @unittest.skipIf(postgresql.missing(), postgresql.missing())
    def test_on_postgresql(self) -> None:
        folder = self.enterContext(postgresql.cluster())
        self.check(DJANGO_DATABASE=f"postgresql:{folder}")

    def test_in_the_debugger_the_server_answers(self) -> None:
        typed = 'p "it said", self.http.get("/refused/403").status_code\ncontinue\n'
        done = self.run_tests("failing_tests.NoteTests", "--pdb", typed=typed)
        self.assertIn("('it said', 403)", done.stdout)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"Ran 1 test in [\d.]+s\n\nFAILED \(failures=1\)")

    def test_tags(self) -> None:
        for option, number in (("--tag", "1 test"), ("--exclude-tag", "3 tests")):
            done = self.run_tests("live_tests.AddressTests", option, "async")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"Ran {number} in ", done.stderr)


@needs_django
class ImportTests(StrictTestCase):
    """The module can be imported before Django is set up, and says so where Django is missing."""

    def run_code(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=50
        )
        return done.stdout + done.stderr

    def test_before_the_set_up(self) -> None:
        code = "import liveserver.django; print(liveserver.django.LiveServerTestCase.host)"
        self.assertEqual(self.run_code(code), "localhost\n")

    def test_without_django(self) -> None:
        code = "import sys; sys.modules['django'] = None; import liveserver.django"
        self.assertIn(
            "ModuleNotFoundError: liveserver.django needs Django. Install it: "
            'pip install "liveserver[django]"',
            self.run_code(code),
        )

    def test_the_package_does_not_import_it(self) -> None:
        code = (
            "import sys, liveserver; liveserver.LiveServerTestCase; print('django' in sys.modules)"
        )
        self.assertEqual(self.run_code(code), "False\n")


@needs_django
class RemarkTests(StrictTestCase):
    """Why Django refuses a request."""

    def test_it_is_recorded_although_the_logs_are_configured_meanwhile(self) -> None:
        from liveserver._django.remarks import remarks

        record = mock.Mock()
        logger = logging.getLogger("django.security.csrf")
        token = current_record.set(record)
        self.addCleanup(current_record.reset, token)
        with remarks():
            # As django.setup() does, which the import of a project's asgi.py calls again.
            dictConfig({"version": 1, "disable_existing_loggers": False, "loggers": {"django": {}}})
            with self.assertLogs(logger):
                logger.warning("Forbidden: %s", "/sync")
        self.assertEqual(record.remark, "Forbidden: /sync")
        with self.assertLogs(logger):
            logger.warning("outside")
        self.assertEqual(record.remark, "Forbidden: /sync")
