"""The code of the documentation, run as a reader would run it.

Each Python block is run in a process of its own, in an empty folder. What it is decides how: test
classes by unittest (those of Django by its runner), test functions by pytest, anything else as a
script, in a coroutine if it awaits. It stands alone, but for files: a block that opens with the
comment `# prices.py` is that file, for the blocks below it on the page.

Each command of a console block that has an output is run too, in the folder of those files, and
prints what is written: `...` on a line of its own stands for any lines, and ports, times and
folders are those of another day. A file with tests is run by such a command, if one comes next.

What cannot be run says so, and why, on the line above it:

    <!-- not run: it needs a browser -->
"""

import ast
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.helpers.markdown import ROOT, Block

DJANGO_PROJECT = ROOT / "examples" / "django_notes"

# What a block may need beyond what liveserver requires: the module, and a sign of it.
OPTIONAL = {
    "a2wsgi": r"\bflask\b",
    "anyio": r"\bmark\.anyio\b",
    "django": r"\bdjango\b",
    "fastapi": r"\bfastapi\b|\bexamples\.(shop|failing|services)\b",
    "flask": r"\bflask\b",
    "httpx": r"\bimport httpx\b",
    "httpx2": r"\b(liveserver|starlette|fastapi)\.testclient\b",
    "playwright": r"\bplaywright\b",
    "pytest": r"\bpytest\b",
    "pytest_asyncio": r"\bmark\.asyncio\b",
    "schemathesis": r"\bschemathesis\b",
    "selenium": r"\bselenium\b",
    "starlette": r"\bstarlette\b|\bliveserver\.testclient\b",
    "trustme": r'"tls": True|\btls=True',
    "websockets": r"\bliveserver\.testclient\b|\bws_connect\(|\bwebsockets?\b",
}

PROGRAMS = {"chromedriver": r"\bwebdriver\.Chrome\(", "chromium": r"\bplaywright\b"}


def missing(code: str) -> list[str]:
    """What a block needs and is not installed."""
    modules = [name for name, sign in OPTIONAL.items() if re.search(sign, code)]
    programs = [name for name, sign in PROGRAMS.items() if re.search(sign, code)]
    return [name for name in modules if importlib.util.find_spec(name) is None] + [
        name for name in programs if shutil.which(name) is None
    ]


def files_above(above: Sequence[Block]) -> dict[str, str]:
    """The files that the blocks above leave, by name; a later one replaces an earlier one."""
    return {block.file: block.code for block in above if block.file}


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a console block that have an output, with it."""
    for part in re.split(r"^\$ ", block.code, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        if output.strip():
            yield command, output


def is_run_below(block: Block, below: Sequence[Block]) -> bool:
    """Whether a command comes next that runs this file."""
    for each in below:
        if each.language == "console" and any(commands(each)):
            return bool(block.file) and not each.not_run
        if each.file == block.file:
            return False
    return False


class Runnable(NamedTuple):
    """A block as a file, and how to run it."""

    name: str
    code: str
    command: list[str]
    tests: int  # how many have to pass


def runnable(block: Block) -> Runnable:
    """Make a file of a Python block."""
    code = block.code
    tree = parsed(code)
    name = block.file or "test_block.py"
    module = name.removesuffix(".py").replace("/", ".")
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if tests := sum(map(_tests, classes)):
        runner = ["django", "test"] if "liveserver.django" in code else ["unittest"]
        return Runnable(name, code, [*runner, module], tests)
    if tests := _tests(tree):
        return Runnable(name, code, ["pytest", "-q", "-p", "no:cacheprovider", name], tests)
    try:
        compile(code, name, "exec")
    except SyntaxError:  # unless it awaits, this raises it again
        compile(code, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        body = textwrap.indent(code, "    ")
        code = f"import asyncio\nasync def main() -> None:\n{body}\nasyncio.run(main())\n"
    return Runnable(name, code, [module], 0)


def parsed(code: str) -> ast.Module:
    """Parse a block, which may await on its own level."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, "block", "exec", flags)
    assert isinstance(tree, ast.Module)
    return tree


def _tests(node: ast.ClassDef | ast.Module) -> int:
    """How many test functions stand in it."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(isinstance(each, functions) and each.name.startswith("test") for each in node.body)


def run_in(folder: str | Path, *command: str) -> tuple[int, str]:
    """Run Python in a folder; return its status and what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIVESERVER_")}
    env |= {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, DJANGO_PROJECT))),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    return done.returncode, done.stdout


def write(folder: str, files: dict[str, str]) -> None:
    """Write files into a folder, those in folders of their own too."""
    for name, code in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, "utf-8")


def problem(block: Block, above: Sequence[Block] = ()) -> str:
    """Run a Python block; return what was wrong, or an empty string."""
    file = runnable(block)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files_above(above) | {file.name: file.code})
        status, output = run_in(folder, "-W", "error", "-m", *file.command)
    passed = re.search(r"^Ran (\d+) tests?|^(\d+) passed", output, re.MULTILINE)
    count = int(passed[1] or passed[2]) if passed else 0
    if status == 0 and count == file.tests and "skipped" not in output:
        return ""
    return f"{count} of {file.tests} tests ran, with status {status}\n{output}"


def problem_of_commands(block: Block, above: Sequence[Block] = ()) -> str:
    """Run the commands of a console block; return what was wrong, or an empty string."""
    files = files_above(above)
    for command, written in commands(block):
        python, *arguments = shlex.split(command, comments=True)
        if python != "python":
            return f"`{command}` shows an output and is not run"
        with tempfile.TemporaryDirectory() as folder:
            write(folder, files)
            _, output = run_in(folder if files else ROOT, *arguments)
        if not re.fullmatch(pattern(written), normal(output)):
            return f"`{command}` prints\n{output}\nand not\n{written}"
    return ""


def pattern(written: str) -> str:
    """What an output has to look like; a line of three dots stands for any lines."""
    lines = normal(written).splitlines()
    parts = [r"(.*\n)*?" if line.strip() == "..." else re.escape(f"{line}\n") for line in lines]
    return "".join(parts)


def normal(output: str) -> str:
    """An output without what changes from run to run, and from one Python to another."""
    output = re.sub(r"^[ E]*[~^][~^ ]*\n", "", output.strip() + "\n", flags=re.MULTILINE)
    changes: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:54321"),
        (r"\b\d+(\.\d+)? m?s\b", "1.2 ms"),
        (r"\bin \d+\.\d+ ?s\b", "in 0.12s"),
        (r"^=+( .* in 0\.12s )=+$", lambda line: line[1].center(80, "=")),
        (r'File "[^"\n]*/', 'File "'),
        (r"[ \t]+$", ""),
    ]
    for changing, same in changes:
        output = re.sub(changing, same, output, flags=re.MULTILINE)
    return output
