"""The README is true: its code runs, its tables agree with the code, what it names exists."""

import ast
import contextlib
import importlib.util
import inspect
import json
import re
from pathlib import Path
from typing import Any

import liveserver
from liveserver import LiveServer, LiveServerError, LiveServerMixin, ServedRequest
from tests.helpers.readme import Block, blocks, problem, runnable, table
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")


class CodeTests(StrictTestCase):
    """Its Python blocks do what they show."""

    seconds = 100

    def test_each_block_runs(self) -> None:
        found = blocks(README)
        self.assertGreater(len(found), 3)
        for index, block in enumerate(found):
            with self.subTest(line=block.line):
                compile(runnable(block.code, found[:index]).code, f"README.md:{block.line}", "exec")
                if block.not_run:
                    self.skipTest(f"it says that it is not run: {block.not_run}")
                if missing := block.missing():
                    self.skipTest(f"not installed: {', '.join(missing)}")
                self.assertEqual(problem(block, found[:index]), "")

    def test_most_blocks_are_run(self) -> None:
        found = blocks(README)
        self.assertLess(sum(bool(block.not_run) for block in found), len(found) / 3)


TEST_CLASS = """\
class Tests(LiveServerTestCase):
    app = "shop.main:app"

    def test_it(self):
        self.assertEqual(self.http.get("/health").status_code, 200)
"""

HEAD = "from liveserver import LiveServer, LiveServerTestCase\n"


class HarnessTests(StrictTestCase):
    """A block that does not do what it shows is found: the negative controls."""

    seconds = 60

    def problem(self, code: str, *above: str) -> str:
        return problem(Block(7, code, ""), [Block(1, each, "") for each in above])

    def test_test_classes(self) -> None:
        self.assertEqual(self.problem(HEAD + TEST_CLASS), "")
        for code, message in (
            (HEAD + TEST_CLASS.replace("/health", "/nowhere"), "500 != 200"),
            (f"{HEAD}import unittest\n@unittest.skip('')\n{TEST_CLASS}", "skipped"),
            (f"{HEAD}{TEST_CLASS}del Tests", "0 of 1"),
        ):
            with self.subTest(message=message):
                self.assertIn(message, self.problem(code))

    def test_it_may_use_the_imports_above_it(self) -> None:
        self.assertEqual(self.problem(TEST_CLASS, "import os", HEAD), "")
        self.assertIn("NameError", self.problem(TEST_CLASS, "import os"))

    def test_scripts(self) -> None:
        code = HEAD + "server = LiveServer('shop.main:app')\n"
        self.assertEqual(self.problem(f"{code}with server:\n    assert server.running"), "")
        self.assertEqual(self.problem(f"{code}async with server:\n    assert server.running"), "")
        self.assertIn("AssertionError", self.problem(f"{code}assert server.running"))
        with self.assertRaises(SyntaxError):
            self.problem(f"{code}return")

    def test_a_mark_says_why_a_block_is_not_run(self) -> None:
        text = (
            "Text.\n\n<!-- not run: because -->\n```python\nraise\n```\n\n```python\nprint()\n```\n"
        )
        self.assertEqual(blocks(text), [Block(5, "raise\n", "because"), Block(9, "print()\n", "")])


class TablesTests(StrictTestCase):
    """Its tables and lists have what there is, with its defaults."""

    def test_class_attributes(self) -> None:
        rows = table(README, "name")
        own = {name for name in vars(LiveServerMixin) if not name.startswith("_")}
        own |= {name for name in inspect.get_annotations(LiveServerMixin) if name[0] != "_"}
        own -= {"run", "setUp", "setUpClass"}  # unittest's
        self.assertEqual({name.partition("(")[0] for name in rows}, own)
        for name, text in rows.items():
            default = getattr(LiveServerMixin, name, {}) if name in ATTRIBUTES else {}
            if default != {}:
                with self.subTest(name=name):
                    self.assertIn(as_written(default), text)

    def test_arguments_of_the_server(self) -> None:
        signature = inspect.signature(LiveServer)
        self.assertEqual(list(table(README, "argument")), list(signature.parameters))
        written = re.findall(r"LiveServer\(app, \*,.*?\)", README, re.DOTALL)
        self.assertTrue(written, "the signature is not there")
        plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
        expected = f"LiveServer{inspect.Signature(plain)}".replace("'", '"')
        for each in written:
            self.assertEqual(" ".join(each.split()), expected)

    def test_methods_and_attributes_of_the_server(self) -> None:
        rows = "` ".join(table(README, "method or attribute")) + "`"
        written = set(re.findall(r"\w+(?=`|\()", rows)) - {"with"}
        own = {name for name in dir(LiveServer) if not name.startswith("_")}
        self.assertEqual(written, own)

    def test_errors(self) -> None:
        errors = {
            name
            for name in liveserver.__all__
            if issubclass(getattr(liveserver, name), LiveServerError)
        }
        self.assertEqual(set(table(README, "error")), errors - {"LiveServerError"})

    def test_fields_of_a_served_request(self) -> None:
        fields = list(ServedRequest._fields)
        self.assertEqual(list(table(README, "field")), fields)

    def test_every_public_name_is_in_it(self) -> None:
        names = set(liveserver.__all__)
        for cls in (LiveServer, LiveServerMixin):
            names |= {name for name in vars(cls) if not name.startswith("_")}
        for name in names - {"run"}:
            with self.subTest(name=name):
                self.assertRegex(README, rf"\b{name}\b")


ATTRIBUTES = inspect.get_annotations(LiveServerMixin)


def as_written(default: Any) -> str:
    """A default as the README has it: `"class"`, `True`, `30`."""
    if isinstance(default, float):
        return f"{default:g}"
    return f"`{default if isinstance(default, bool) else json.dumps(default)}`"


class NamesTests(StrictTestCase):
    """What it names is there."""

    def test_modules_that_it_runs(self) -> None:
        named = set(re.findall(r"-m ((?:tests|liveserver|examples)[\w.]*)", README))
        self.assertTrue(named)
        for name in named:
            with self.subTest(name=name):
                self.assertIsNotNone(importlib.util.find_spec(name))

    def test_files(self) -> None:
        named = set(re.findall(r"`((?:tests|examples|liveserver)/[\w./]*)", README))
        named |= {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", README) if "://" not in link}
        self.assertTrue(named)
        for name in named:
            with self.subTest(name=name):
                self.assertTrue((ROOT / name).exists())

    def test_what_can_be_installed(self) -> None:
        setup = keywords_of_setup()
        for extra in re.findall(r"liveserver\[(\w+)\]", README):
            with self.subTest(extra=extra):
                self.assertIn(extra, setup["extras_require"])
        self.assertIn(f"Python {setup['python_requires'].removeprefix('>=')} or later", README)


def keywords_of_setup() -> dict[str, Any]:
    """The arguments of setup() that are written out in `setup.py`."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup":
            for keyword in node.keywords:
                with contextlib.suppress(ValueError):  # it is worked out
                    found[str(keyword.arg)] = ast.literal_eval(keyword.value)
    return found
