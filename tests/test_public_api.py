"""What users import is what is promised, documented and named after where they find it."""

import builtins
import inspect
import pickle
import re
import unittest
from pathlib import Path

import liveserver
from tests.support import StrictTestCase

ROOT = Path(__file__).parent.parent


def public_functions() -> list[tuple[str, object]]:
    """Every public class and its public methods, hooks of unittest included."""
    found: list[tuple[str, object]] = []
    for name in liveserver.__all__:
        thing = getattr(liveserver, name)
        found.append((name, thing))
        for attribute, value in vars(thing).items():
            if not attribute.startswith("_") and (callable(value) or hasattr(value, "__func__")):
                found.append((f"{name}.{attribute}", value))
    return found


class PublicApiTests(StrictTestCase):
    def test_all_is_sorted_and_true(self) -> None:
        self.assertEqual(liveserver.__all__, sorted(liveserver.__all__))
        public = {name for name in vars(liveserver) if not name.startswith("_")}
        self.assertEqual(public, set(liveserver.__all__))

    def test_names_say_where_users_find_them(self) -> None:
        for name in liveserver.__all__:
            with self.subTest(name=name):
                thing = getattr(liveserver, name)
                self.assertEqual(f"{thing.__module__}.{thing.__qualname__}", f"liveserver.{name}")

    def test_everything_public_has_a_docstring(self) -> None:
        for name, thing in public_functions():
            with self.subTest(name=name):
                self.assertTrue(inspect.getdoc(thing))

    def test_errors_that_docstrings_name_exist(self) -> None:
        for name, thing in public_functions():
            raises = (inspect.getdoc(thing) or "").partition("Raises:")[2]
            for error in re.findall(r"^ {4}(\w+):", raises, re.MULTILINE):
                with self.subTest(name=name, error=error):
                    self.assertTrue(error in liveserver.__all__ or hasattr(builtins, error))

    def test_errors_survive_a_process_boundary(self) -> None:
        for error in (
            liveserver.ConfigurationError("what"),
            liveserver.StartupError("what"),
            liveserver.StartupTimeout("what", 1.5),
            liveserver.ShutdownTimeout("what", 1.5, ["GET /"]),
            liveserver.BusyTimeout("what", 1.5, ["GET /"]),
            liveserver.AppError("GET / raised", "Traceback ..."),
        ):
            with self.subTest(error=error):
                copy = pickle.loads(pickle.dumps(error))
                self.assertEqual((type(copy), str(copy)), (type(error), str(error)))
                self.assertEqual(vars(copy), vars(error))

    def test_timeouts_are_timeout_errors(self) -> None:
        self.assertTrue(issubclass(liveserver.StartupTimeout, TimeoutError))
        self.assertTrue(issubclass(liveserver.ShutdownTimeout, TimeoutError))

    def test_the_changelog_has_the_version(self) -> None:
        self.assertIn(f"## {liveserver.__version__}", (ROOT / "CHANGELOG.md").read_text("utf-8"))


class ReadmeTests(unittest.TestCase):
    def test_its_python_blocks_compile(self) -> None:
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
        self.assertTrue(blocks)
        for number, block in enumerate(blocks):
            with self.subTest(block=number):
                compile(block, f"README.md, block {number}", "exec")
