"""coverage.py counts the lines of the app that ran in the server's thread, by its own defaults."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tests.helpers.support import StrictTestCase, loops

ROOT = Path(__file__).parent.parent.parent

APP = """\
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    status = 200
    if scope["path"] == "/never":
        status = 404  # never asked for
    if scope["path"] == "/worker":
        await asyncio.to_thread(work)
    if scope["path"] == "/raise":
        raise ValueError("asked for")
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    await asyncio.sleep(0)
    after = status  # in the background

def work():
    return 1 + 1  # in a worker

def unused():
    return None  # never called
"""

TESTS = """\
import unittest
import urllib.error
import urllib.request

from liveserver import LiveServerTestCase

class Tests(LiveServerTestCase):
    app = "shop_app:app"
    server_scope = SCOPE
    server_options = {"uvicorn_config": {"loop": LOOP}}

    def get(self, path):
        with urllib.request.urlopen(self.base_url + path, timeout=10) as response:
            return response.status

    def test_it(self):
        self.assertEqual(self.get("/"), 200)
        self.assertEqual(self.get("/worker"), 200)
        with self.assertServerRaises(ValueError):
            with self.assertRaises(urllib.error.HTTPError):
                self.get("/raise")

if __name__ == "__main__":
    unittest.main()
"""

MISSED = {"status = 404  # never asked for", "return None  # never called"}


def line(code: str) -> int:
    """The number of a line of the app."""
    return next(n for n, each in enumerate(APP.splitlines(), 1) if code in each)


@unittest.skipUnless(importlib.util.find_spec("coverage"), "coverage is not installed")
class CoverageTests(StrictTestCase):
    """What `coverage run` says of the app, without any configuration."""

    seconds = 100

    def coverage(self, folder: Path, *arguments: str) -> str:
        environment = {name: os.environ[name] for name in os.environ if "COVERAGE" not in name}
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *arguments],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            encoding="utf-8",
            timeout=40,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def measure(self, scope: str, loop: str, *runner: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tests = TESTS.replace("SCOPE", repr(scope)).replace("LOOP", repr(loop))
            (folder / "shop_app.py").write_text(APP, "utf-8")
            (folder / "test_shop.py").write_text(tests, "utf-8")
            self.coverage(folder, "run", *runner)
            self.coverage(folder, "json", "-q", "-o", "report.json")
            report = json.loads((folder / "report.json").read_text("utf-8"))
        found: dict[str, Any] = report["files"]["shop_app.py"]
        return found

    def test_lines_of_the_server_thread_count(self) -> None:
        for loop in loops():
            for scope in ("class", "test"):
                with self.subTest(loop=loop, scope=scope):
                    found = self.measure(scope, loop, "-m", "unittest", "test_shop")
                    # Those that nothing ran are the negative control.
                    self.assertEqual(set(found["missing_lines"]), set(map(line, MISSED)))
                    for code in ("# in a worker", "# in the background", "raise Value", "shutdown"):
                        self.assertIn(line(code), found["executed_lines"])

    def test_a_script(self) -> None:
        found = self.measure("class", "asyncio", "test_shop.py")
        self.assertEqual(set(found["missing_lines"]), set(map(line, MISSED)))

    @unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
    def test_under_pytest(self) -> None:
        found = self.measure("test", "asyncio", "-m", "pytest", "-q", "-p", "no:cacheprovider")
        self.assertEqual(set(found["missing_lines"]), set(map(line, MISSED)))
