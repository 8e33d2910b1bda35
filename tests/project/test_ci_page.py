"""The page about CI is true: its workflow can be read, and its commands run on a project."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path
from typing import Any

from tests.helpers.markdown import ROOT, Block, blocks
from tests.helpers.support import StrictTestCase
from tests.project.test_docs import keywords_of_setup

PAGE = (ROOT / "docs" / "howto" / "ci.md").read_text("utf-8")
HAS_YAML = importlib.util.find_spec("yaml") is not None
NEEDED = ["coverage", "pytest", "xdist"]
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

SHOP = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"OK"})


def not_tested():
    print("not")
    print("covered")
"""

TESTS = """\
from liveserver import LiveServerTestCase


class ShopTests(LiveServerTestCase):
    app = "shop.main:app"

    def test_health(self):
        self.assertEqual(self.http.get("/health").status_code, 201)


def test_function():
    assert True
"""


def only(language: str) -> Block:
    (found,) = blocks(PAGE, language)
    return found


@unittest.skipUnless(HAS_YAML, "pyyaml is not installed")
class WorkflowTests(StrictTestCase):
    """The workflow, as GitHub would read it."""

    seconds = 200

    def setUp(self) -> None:
        super().setUp()
        import yaml

        workflow: dict[Any, Any] = yaml.safe_load(only("yaml").code)
        self.assertEqual(list(workflow), ["name", True, "permissions", "jobs"])  # True is "on"
        self.job = workflow["jobs"]["tests"]
        self.kept = self.job["steps"][-1]["with"]["path"].split()
        self.commands = {each["name"]: each["run"] for each in self.job["steps"] if "run" in each}

    def test_steps_and_matrix(self) -> None:
        pythons = self.job["strategy"]["matrix"]["python"]
        supported = [name for name in keywords_of_setup()["classifiers"] if ":: 3." in name]
        for python in pythons:
            with self.subTest(python=python):
                self.assertIn(f"Programming Language :: Python :: {python}", supported)
        for step in self.job["steps"]:
            with self.subTest(step=step):
                self.assertEqual(len({"run", "uses"} & set(step)), 1)
                self.assertRegex(step.get("uses", "actions/checkout@v4"), r"^actions/[\w-]+@v\d+$")

    def test_what_it_installs(self) -> None:
        words = shlex.split(self.commands["Install"])
        self.assertEqual(words[:6], ["python", "-m", "pip", "install", "-e", "."])
        extras = re.fullmatch(r"liveserver\[(.*)\]", words[6])
        assert extras is not None
        self.assertLessEqual(set(extras[1].split(",")), set(keywords_of_setup()["extras_require"]))
        self.assertEqual([name.removeprefix("pytest-") for name in words[7:]], NEEDED)

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
    def test_its_commands_run_on_a_project(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "shop").mkdir()
        (folder / "shop" / "main.py").write_text(SHOP, "utf-8")
        (folder / "pyproject.toml").write_text(only("toml").code, "utf-8")
        (folder / "tests").mkdir()
        (folder / "tests" / "test_shop.py").write_text(TESTS, "utf-8")
        out = self.run_command(folder, self.commands["Test"], status=1)
        self.assertIn("1 failed, 1 passed", out)
        self.assertNotIn("CoverageWarning", out)
        report = (folder / "junit.xml").read_text("utf-8")
        self.assertIn('failures="1" skipped="0" tests="2"', report)
        self.assertIn("GET /health → 200", report)  # the note
        self.assertRegex(report, "INFO +uvicorn.access")  # the log
        combine, xml, verdict = self.commands["Coverage"].splitlines()
        self.run_command(folder, combine)
        self.run_command(folder, xml)
        out = self.run_command(folder, verdict, status=2)
        self.assertRegex(out, r"shop/main\.py +\d+ ")
        self.assertRegex(out, r"Coverage failure: total of [\d.]+ is less than fail-under=80")
        for name in self.kept:
            self.assertTrue((folder / name).exists(), name)

    def run_command(self, folder: Path, command: str, status: int = 0) -> str:
        python, *words = shlex.split(command)
        self.assertEqual(python, "python")
        # Without those of a run that is measured itself.
        environment = {name: os.environ[name] for name in os.environ if "COVERAGE" not in name}
        done = subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT), **self.job["env"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout


class ConfigurationTests(StrictTestCase):
    def test_the_pyproject_can_be_read(self) -> None:
        tools = tomllib.loads(only("toml").code)["tool"]
        self.assertEqual(list(tools), ["pytest", "coverage"])
