"""The README, taken apart: its Python blocks, each as a file that can be run, and its tables.

A block is run in a process of its own, in a folder beside `readme_project`, which has the app that
the README speaks of. What it is decides how: test classes by unittest, test functions by
pytest, anything else as a script, in a coroutine if it awaits. It may use what blocks above it
import. One that cannot be run says so, and why, on the line above it:

    <!-- not run: it needs a browser -->
"""

import ast
import builtins
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
PROJECT = Path(__file__).parent / "readme_project"

# What a block may need beyond what liveserver requires: a sign of it, and the module.
OPTIONAL = {
    r"\bimport pytest\b": "pytest",
    r"\bimport httpx\b": "httpx",
    r'"tls": True|\btls=True': "trustme",
    r"\bstarlette\b": "starlette",
    r"\bliveserver\.testclient\b": "websockets",
    r"\bws_connect\(|\bimport websockets\b": "websockets",
}


class Block(NamedTuple):
    """A fenced block of Python."""

    line: int  # of its first line in the file, from 1
    code: str
    not_run: str  # why not, or an empty string

    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        needed = [name for sign, name in OPTIONAL.items() if re.search(sign, self.code)]
        return [name for name in needed if importlib.util.find_spec(name) is None]


def blocks(markdown: str, language: str = "python") -> list[Block]:
    """The fenced blocks of a language."""
    found = []
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for match in fence.finditer(markdown):
        above = markdown[: match.start()]
        mark = re.search(r"<!-- not run: (.+) -->\s*\Z", above)
        line = above.count("\n") + 2
        found.append(Block(line, match[1], mark[1] if mark else ""))
    return found


def imports(code: str) -> Iterator[tuple[str, str]]:
    """The names that a block imports, and the statement for each."""
    for node in ast.walk(parsed(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], ast.unparse(node)


def parsed(code: str) -> ast.Module:
    """Parse a block, which may await on its own level."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, "README.md", "exec", flags)
    assert isinstance(tree, ast.Module)
    return tree


def borrowed(code: str, above: list[Block]) -> list[str]:
    """The imports of earlier blocks that a block needs."""
    names = [node for node in ast.walk(parsed(code)) if isinstance(node, ast.Name)]
    known = {each.id for each in names if not isinstance(each.ctx, ast.Load)}
    known |= {name for name, _ in imports(code)} | set(vars(builtins))
    before = {name: statement for block in above for name, statement in imports(block.code)}
    used = sorted({each.id for each in names if isinstance(each.ctx, ast.Load)} - known)
    return list(dict.fromkeys(before[name] for name in used if name in before))


class Runnable(NamedTuple):
    """A block as a file, and how to run it."""

    code: str
    command: list[str]
    tests: int  # how many have to pass


def runnable(code: str, above: list[Block]) -> Runnable:
    """Make a file of a block."""
    tree = parsed(code)
    head = "".join(f"{statement}\n" for statement in borrowed(code, above))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if tests := sum(map(_tests, classes)):
        return Runnable(head + code, ["unittest", "test_block"], tests)
    if tests := _tests(tree):
        return Runnable(head + code, ["pytest", "-q", "-p", "no:cacheprovider"], tests)
    try:
        compile(code, "README.md", "exec")
    except SyntaxError:  # unless it awaits, this raises it again
        compile(code, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        body = textwrap.indent(code, "    ")
        code = f"import asyncio\nasync def main() -> None:\n{body}\nasyncio.run(main())\n"
    return Runnable(head + code, ["test_block"], 0)


def _tests(node: ast.ClassDef | ast.Module) -> int:
    """How many test functions stand in it."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(isinstance(each, functions) and each.name.startswith("test") for each in node.body)


def problem(block: Block, above: list[Block]) -> str:
    """Run a block; return what was wrong, or an empty string."""
    file = runnable(block.code, above)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_block.py").write_text(file.code, "utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", *file.command],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, PROJECT))),
                "NO_COLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
    passed = re.search(r"^Ran (\d+) tests?|^(\d+) passed", done.stdout, re.MULTILINE)
    count = int(passed[1] or passed[2]) if passed else 0
    if done.returncode == 0 and count == file.tests and "skipped" not in done.stdout:
        return ""
    return f"README.md:{block.line}: {count} of {file.tests} tests passed\n{done.stdout}"


def tables(markdown: str) -> list[list[list[str]]]:
    """The tables, as rows of cells; the first row is the head."""
    found: list[list[list[str]]] = []
    previous = ""
    for line in markdown.splitlines():
        if line.startswith("|"):
            if not previous.startswith("|"):
                found.append([])
            if not re.fullmatch(r"[|\-: ]+", line):
                cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
                found[-1].append([cell.strip() for cell in cells])
        previous = line
    return found


def table(markdown: str, head: str) -> dict[str, str]:
    """The table whose first column has this head: its first two columns."""
    (found,) = [each for each in tables(markdown) if each[0][0] == head]
    return {row[0].strip("`"): row[1] for row in found[1:]}
