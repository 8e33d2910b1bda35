"""`liveserver.django` on each kind of database, in Django's own test runner."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.helpers import postgresql
from tests.helpers.django_project import needs_django
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent
PROJECT = "tests.helpers.django_project"

# Prints which connections are left when the test database is to be removed.
RUN = """
import os, sys, time
from django.core.management import execute_from_command_line
from django.db import connection
from django.db.backends.base.creation import BaseDatabaseCreation

def connections_to(creation, name):
    creation.connection.close()
    if creation.connection.vendor == "postgresql":
        import psycopg
        host = creation.connection.settings_dict["HOST"]
        with psycopg.connect(host=host, user="postgres") as own:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            # A backend ends some time after its client has closed; DROP DATABASE waits 5 s for it.
            own.autocommit = True
            end = time.monotonic() + 5
            while (left := own.execute(query, [name]).fetchone()[0]) and time.monotonic() < end:
                time.sleep(0.01)
            return left
    paths = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    return paths.count(os.path.realpath(name))

def destroy(self, *args, suffix=None, **kwargs):
    settings = self.connection.settings_dict
    name = (self.get_test_db_clone_settings(suffix) if suffix else settings)["NAME"]
    print("left open:", connections_to(self, name), flush=True)
    original(self, *args, suffix=suffix, **kwargs)

original = BaseDatabaseCreation.destroy_test_db
BaseDatabaseCreation.destroy_test_db = destroy
execute_from_command_line(["manage.py", "test", *sys.argv[1:]])
"""


@needs_django
@unittest.skipUnless(os.path.isdir("/proc/self/fd"), "the system does not tell who holds a file")
class DatabaseTests(StrictTestCase):
    """All tests of the project pass, and no connection is left."""

    seconds = 110
    __test__ = False
    database = ""

    def django(self, tests: str, *options: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run tests with Django's runner."""
        return subprocess.run(
            [sys.executable, "-c", RUN, f"{PROJECT}.{tests}", "--noinput", *options],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
                "DJANGO_DATABASE": self.database,
                "PYTHONWARNINGS": "default",
                **env,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def check(self, tests: str, *options: str, left: int = 0, **env: str) -> int:
        """Run tests that pass; return how many there are."""
        done = self.django(tests, *options, **env)
        report = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, report)
        self.assertNotIn("is being accessed", report)
        found = re.findall(r"left open: (\d+)", done.stdout)
        self.assertTrue(found, report)
        self.assertEqual({int(each) for each in found}, {left}, report)
        match = re.search(r"Ran (\d+) tests", report)
        assert match is not None
        return int(match[1])


class _EachDatabase:
    check: Any
    django: Any
    skipTest: Any

    def test_everything(self) -> None:
        self.check("live_tests")

    def test_connections_that_stay(self) -> None:
        self.check("live_tests.LeftTests", CONN_MAX_AGE="600", DEBUG_PROPAGATE_EXCEPTIONS="1")
        self.check("live_tests.DatabaseTests", CONN_MAX_AGE="600")

    def test_in_parallel(self) -> None:
        self.check("live_tests", "--parallel", "2")

    def test_several_databases(self) -> None:
        self.check("several_tests")

    def test_serialized_rollback(self) -> None:
        for name in ("SerializedRollbackTests", "WithoutTests"):
            self.check(f"serialized_tests.{name}")

    def test_channels(self) -> None:
        if not all(map(find_spec, ("channels", "websockets"))):
            self.skipTest("Channels and websockets are not installed")
        self.check("channels_tests")
        self.check("channels_tests.ConsumerTests", CONN_MAX_AGE="600")

    def test_keepdb(self) -> None:
        for _ in range(2):
            self.check("live_tests.DatabaseTests", "--keepdb")


class InMemoryTests(_EachDatabase, DatabaseTests):
    """SQLite in memory, whose connections are shared."""

    database = "memory"


class InAFileTests(_EachDatabase, DatabaseTests):
    """SQLite in a file."""

    def setUp(self) -> None:
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.database = f"file:{folder}/test.sqlite3"


@unittest.skipIf(postgresql.missing(), postgresql.missing())
class PostgreSQLTests(_EachDatabase, DatabaseTests):
    """PostgreSQL, which removes no database to which somebody is connected."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.database = f"postgresql:{cls.enterClassContext(postgresql.cluster())}"

    def test_many_tests_in_parallel(self) -> None:
        self.assertEqual(self.check("many_tests", "--parallel", "2"), 300)


if __name__ == "__main__":
    unittest.main()
