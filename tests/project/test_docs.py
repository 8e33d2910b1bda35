"""The documentation is true: its code runs, its commands print what it says, its links lead on."""

import ast
import contextlib
import importlib.util
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.helpers.markdown import PAGES, ROOT, anchors, blocks, broken_links, links, name_of
from tests.helpers.runs import (
    commands,
    is_run_below,
    missing,
    normal,
    problem,
    problem_of_commands,
    runnable,
)
from tests.helpers.support import StrictTestCase
from tests.picture import PICTURE, report, text_of

TEXTS = {page: page.read_text("utf-8") for page in PAGES}


def check(markdown: str, name: str) -> list[tuple[str, str, str]]:
    """Run a page's code: the place, what was wrong and why it was skipped, for each block."""
    found = blocks(markdown)
    results = []
    for index, block in enumerate(found):
        if block.language not in ("python", "console"):
            continue
        if block.language == "console" and not any(commands(block)):
            continue
        wrong, skipped = "", f"it is not run: {block.not_run}" if block.not_run else ""
        above = found[:index]
        needed = "".join(each.code for each in above if each.file) + block.code
        if not skipped and (absent := missing(needed)):
            skipped = f"not installed: {', '.join(absent)}"
        if block.language == "python":
            compile(runnable(block).code, f"{name}:{block.line}", "exec")
            if not skipped and not is_run_below(block, found[index + 1 :]):
                wrong = problem(block, above)
        elif not skipped:
            wrong = problem_of_commands(block, above)
        results.append((f"{name}:{block.line}", wrong, skipped))
    return results


class CodeTests(StrictTestCase):
    """Its Python blocks do what they show, and its commands print it."""

    seconds = 600

    def test_each_block_runs(self) -> None:
        with ThreadPoolExecutor(1 + (os.cpu_count() or 1)) as pool:
            pages = pool.map(lambda page: check(TEXTS[page], name_of(page)), PAGES)
            results = [result for page in pages for result in page]
        self.assertGreater(len(results), 30)
        for place, wrong, skipped in results:
            with self.subTest(place=place):
                if skipped:
                    self.skipTest(skipped)
                if wrong:
                    self.fail(wrong)

    def test_most_blocks_are_run(self) -> None:
        found = [block for text in TEXTS.values() for block in blocks(text, "python")]
        self.assertLess(sum(bool(block.not_run) for block in found), len(found) / 6)


TEST_CLASS = """\
from liveserver import LiveServerTestCase

class Tests(LiveServerTestCase):
    app = "hello:app"

    def test_it(self):
        self.assertEqual(self.http.get("/").text, "hello")
"""

APP = """\
# hello.py
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
"""

REPORT = """\
F
...
FAIL: test_it (test_hello.Tests.test_it)
...
  GET / → 500 in 1 ms, raised KeyError: 'no', at hello.py:4 in app
...
Ran 1 test in 0.0s

FAILED (failures=1)
"""


class HarnessTests(StrictTestCase):
    """A block that does not do what it shows is found: the negative controls."""

    seconds = 120

    def problems(self, *fences: str) -> str:
        page = "\n".join(f"```{each}\n```\n" for each in fences)
        return "\n".join(wrong for _, wrong, _ in check(page, "page") if wrong)

    def test_test_classes(self) -> None:
        app = f"python\n{APP}"
        self.assertEqual(self.problems(app, f"python\n{TEST_CLASS}"), "")
        for code, message in (
            (TEST_CLASS.replace('"hello")', '"bye")'), "'hello' != 'bye'"),
            (f"import unittest\n{TEST_CLASS}\nTests = unittest.skip('')(Tests)", "skipped"),
            (f"{TEST_CLASS}del Tests", "0 of 1"),
            (TEST_CLASS.partition("\n")[2], "NameError"),  # the import stands above it
        ):
            with self.subTest(message=message):
                self.assertIn(message, self.problems(app, f"python\n{code}"))

    def test_a_file_is_there_for_the_blocks_below_it(self) -> None:
        self.assertIn("No module named 'hello'", self.problems(f"python\n{TEST_CLASS}"))
        later = APP.replace('b"hello"', 'b"bye"')
        self.assertIn(
            "'bye' != 'hello'",
            self.problems(f"python\n{APP}", f"python\n{later}", f"python\n{TEST_CLASS}"),
        )

    def test_scripts(self) -> None:
        code = "python\nfrom liveserver import LiveServer\nserver = LiveServer('hello:app')\n"
        app = f"python\n{APP}"
        self.assertEqual(self.problems(app, f"{code}with server:\n    server.base_url"), "")
        self.assertEqual(self.problems(app, f"{code}async with server:\n    server.base_url"), "")
        self.assertIn("AssertionError", self.problems(app, f"{code}assert server.running"))
        with self.assertRaises(SyntaxError):
            self.problems(f"{code}return")

    def test_commands(self) -> None:
        broken = APP.replace('"status": 200', '"status": {}["no"]')
        files = (f"python\n{broken}", f"python\n# test_hello.py\n{TEST_CLASS}")
        command = "console\n$ python -m unittest\n"
        self.assertEqual(self.problems(*files, command + REPORT), "")
        for wrong in (
            REPORT.replace("'no'", "'yes'"),
            REPORT.replace("Ran 1 test", "Ran 2 tests"),
            REPORT.replace("F\n", ".\n", 1),
            REPORT.replace("FAILED (failures=1)\n", ""),
        ):
            with self.subTest(wrong=wrong):
                self.assertIn("KeyError: 'no'", self.problems(*files, command + wrong))
        self.assertIn("is not run", self.problems("console\n$ ls\nREADME.md"))
        self.assertEqual(self.problems("console\n$ ls"), "")

    def test_a_file_of_tests_is_run_by_the_next_command_or_alone(self) -> None:
        files = (
            f"python\n{APP}",
            f"python\n# test_hello.py\n{TEST_CLASS}".replace('"hello")', "1)"),
        )
        command = "console\n$ python -m unittest\n...\nFAILED (failures=1)"
        self.assertEqual(self.problems(*files, command), "")
        self.assertIn("'hello' != 1", self.problems(*files))
        later = files[1].replace("1)", '"hello")')
        self.assertIn("'hello' != 1", self.problems(*files, later, command))

    def test_a_mark_says_why_a_block_is_not_run(self) -> None:
        text = "<!-- not run: because -->\n```python\nraise\n```\n\n```python\nprint()\n```\n"
        results = [(place, skipped) for place, _, skipped in check(text, "page")]
        self.assertEqual(results, [("page:3", "it is not run: because"), ("page:7", "")])


class PictureTests(StrictTestCase):
    """The picture of the README has the text of a real report."""

    seconds = 60

    def test_its_text_is_what_a_run_prints(self) -> None:
        if absent := missing("import pytest, fastapi"):
            self.skipTest(f"not installed: {', '.join(absent)}")
        drawn = normal(text_of(PICTURE.read_text("utf-8")))
        self.assertEqual(drawn, normal(report()))
        self.assertIn("raised KeyError: 'coffee', at prices.py:10 in price", drawn)

    def test_it_loads_nothing_and_names_no_folder(self) -> None:
        svg = PICTURE.read_text("utf-8")
        self.assertNotRegex(svg, r"@font-face|url\((?!#)|href|/(home|root|tmp|Users)/")


class LinksTests(StrictTestCase):
    """Links and images inside the repository lead somewhere; every page can be found."""

    def test_each_link_leads_somewhere(self) -> None:
        self.assertGreater(sum(len(links(text)) for text in TEXTS.values()), 50)
        for page, text in TEXTS.items():
            with self.subTest(page=name_of(page)):
                self.assertEqual(broken_links(page, text), [])

    def test_links_that_lead_nowhere_are_found(self) -> None:
        text = (
            "# A `b`, and *c*\n\n[a](#a-b-and-c) [b](README.md#liveserver) ![c](docs/README.md)\n"
            "```text\n# no heading\n[no link](nowhere)\n```\n`[code](nowhere)` [d](https://a.b/c)\n"
        )
        page = ROOT / "page.md"
        self.assertEqual(broken_links(page, text), [])
        wrong = "\n[a](#no-heading)\n[b](README.md#no)\n[c](nope.md)\n[d](../out)\n![](README.md)\n"
        found = [each.partition(" ")[0] for each in broken_links(page, text + wrong)]
        self.assertEqual(found, [f"page.md:{line}:" for line in range(10, 15)])

    def test_headings_of_the_same_name(self) -> None:
        self.assertEqual(anchors("# A b\n## A b\n### A-b?\n"), {"a-b", "a-b-1", "a-b-2"})

    def test_the_indexes_name_every_page(self) -> None:
        index = ROOT / "docs" / "README.md"
        named = reached([index])
        for page in PAGES:
            with self.subTest(page=name_of(page)):
                self.assertIn(page, named)
        self.assertIn(index, reached([ROOT / "README.md"]))
        self.assertIn(index, reached([ROOT / "examples" / "README.md"]))


def reached(pages: Iterable[Path]) -> set[Path]:
    """The files that these pages link to, and they themselves."""
    targets = [(page, link.target) for page in pages for link in links(TEXTS[page])]
    return {*pages} | {
        (page.parent / target.partition("#")[0]).resolve()
        for page, target in targets
        if "://" not in target
    }


class NamesTests(StrictTestCase):
    """What it names is there."""

    def test_modules_that_it_runs(self) -> None:
        named = set()
        for text in TEXTS.values():
            named |= set(re.findall(r"-m ((?:tests|liveserver|examples)[\w.]*)", text))
        self.assertGreater(len(named), 5)
        for name in named - {"tests.test_shop"}:
            with self.subTest(name=name):
                self.assertIsNotNone(importlib.util.find_spec(name))

    def test_files(self) -> None:
        named = {
            name
            for text in TEXTS.values()
            for name in re.findall(r"`((?:tests|examples|liveserver|docs)/[\w./]*)`", text)
        }
        self.assertGreater(len(named), 3)
        for name in named:
            with self.subTest(name=name):
                self.assertTrue((ROOT / name).exists())

    def test_what_can_be_installed(self) -> None:
        setup = keywords_of_setup()
        for page, text in TEXTS.items():
            for extras in re.findall(r"(?:liveserver|\.)\[([a-z,]+)\]", text):
                with self.subTest(page=name_of(page), extras=extras):
                    self.assertLessEqual(set(extras.split(",")), set(setup["extras_require"]))
        python = setup["python_requires"].removeprefix(">=")
        self.assertIn(f"Python {python}", TEXTS[ROOT / "README.md"])


def keywords_of_setup() -> dict[str, Any]:
    """The arguments of setup() that are written out in `setup.py`."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup":
            for keyword in node.keywords:
                with contextlib.suppress(ValueError):  # it is worked out
                    found[str(keyword.arg)] = ast.literal_eval(keyword.value)
    return found
