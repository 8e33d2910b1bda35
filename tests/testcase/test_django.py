"""Django's own test runner with a server of ours: what is left of its test database."""

import importlib.util
import os
import subprocess
import sys
import unittest
from pathlib import Path

from tests.helpers.support import StrictTestCase

PROJECT = Path(__file__).parent.parent.parent / "examples" / "django_notes"

# Runs the tests of the example, and prints who holds the test database when it is to be removed.
SCRIPT = """
import os, sqlite3, sys
from django.core.management import execute_from_command_line
from django.db.backends.sqlite3.creation import DatabaseCreation

remove = DatabaseCreation._destroy_test_db

def look_and_remove(self, name, verbosity):
    if "hold it" in sys.argv:
        sys.connection = sqlite3.connect(name)
        sys.connection.execute("PRAGMA schema_version")
    held = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    print("held", held.count(os.path.realpath(name)))
    remove(self, name, verbosity)

DatabaseCreation._destroy_test_db = look_and_remove
sys.path.insert(0, os.getcwd())
execute_from_command_line(["manage.py", "test", "notes"])
"""


@unittest.skipUnless(importlib.util.find_spec("django"), "django is not installed")
@unittest.skipUnless(os.path.isdir("/proc/self/fd"), "the system does not tell who holds a file")
class DatabaseTests(StrictTestCase):
    """Each connection that a server's thread opened is closed before the database is removed."""

    def connections_left(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            cwd=PROJECT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
            capture_output=True,
            text=True,
            timeout=19,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("OK", done.stderr)
        return next(line for line in done.stdout.splitlines() if line.startswith("held"))

    def test_none_is_left(self) -> None:
        self.assertEqual(self.connections_left(), "held 0")

    def test_one_that_is_left_would_be_seen(self) -> None:
        self.assertEqual(self.connections_left("hold it"), "held 1")
