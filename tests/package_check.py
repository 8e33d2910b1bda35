"""Build the package and try what was built, as a user would: python -m tests.package_check

It needs `build` and `twine`, and prints what it finds. The wheel is installed in an empty
environment, where a test class and its negative control run; there the tests of the unpacked source
distribution run too, without any of the packages that they know what to do with but do not need.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

ROOT = Path(__file__).parent.parent

REQUIRED = {"uvicorn", "requests", "aiohttp"}

# What a checkout has and a source distribution needs not.
NOT_SHIPPED = {".gitignore", ".ci/run"}

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""

TEST = """
from liveserver import LiveServerTestCase

class GreetingTests(LiveServerTestCase):
    app = "shop:app"

    def test_path(self):
        self.assertEqual(self.http.get("/hello").text, "/hello")
"""

ASYNCIO_TEST = """
from liveserver import IsolatedAsyncioLiveServerTestCase

class GreetingTests(IsolatedAsyncioLiveServerTestCase):
    app = "shop:app"

    async def test_path(self):
        async with self.http.get("/hello") as response:
            self.assertEqual(await response.text(), "/hello")
"""

# Which distributions there are, and which of them the package asks for, directly or not.
CLOSURE = """
from importlib.metadata import distributions, requires
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

def needed(name, found):
    if name not in found:
        found.add(name)
        for each in map(Requirement, requires(name) or ()):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                needed(canonicalize_name(each.name), found)
    return found

print(*{canonicalize_name(each.name) for each in distributions()} - {"pip", "setuptools"})
print(*needed("liveserver", set()))
"""

# The head of the list that the own tests end with.
SKIPPED = "\n\nSkipped:"


def say(what: str) -> None:
    """Print a line at once, so that it stands before what a process prints."""
    print(what, flush=True)


def need(condition: object, what: str) -> None:
    """End with a message unless something is so."""
    if not condition:
        raise SystemExit(f"package_check: {what}")


def run(*command: str | Path, cwd: Path = ROOT, status: int = 0) -> str:
    """Run a program that sees nothing of this checkout but its folder; return what it prints."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    text = " ".join(map(str, command))
    need(done.returncode == status, f"{text} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def build(folder: Path) -> tuple[Path, Path]:
    """Build both distributions, the wheel from the source distribution."""
    run(sys.executable, "-m", "build", "--outdir", folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    for path in (sdist, wheel):
        say(f"built {path.name}, {path.stat().st_size / 1024:.0f} KiB")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    say("twine check --strict has nothing to say")
    return sdist, wheel


def files_of_sdist(sdist: Path) -> dict[str, bytes]:
    """The files of a source distribution, without its first folder."""
    found = {}
    with tarfile.open(sdist) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                found[member.name.partition("/")[2]] = file.read()
    return found


def files_of_wheel(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_files(sdist: dict[str, bytes], wheel: dict[str, bytes]) -> None:
    """The source distribution has what the checkout has, the wheel the package alone."""
    if (ROOT / ".git").exists():
        tracked = set(run("git", "ls-files").split("\n")) - NOT_SHIPPED - {""}
        missing = sorted(tracked - sdist.keys())
        need(not missing, f"not in the source distribution, see MANIFEST.in: {missing}")
        say(f"the source distribution has all {len(tracked)} files of the project")
    strays = [name for name in sdist if "__pycache__" in name or name.startswith(".")]
    need(not strays, f"in the source distribution by mistake: {strays}")
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "liveserver").rglob("*.py")}
    package = {*modules, "liveserver/py.typed"}
    code = {name for name in wheel if ".dist-info/" not in name}
    need("liveserver/py.typed" in code, "the wheel has no py.typed, so type checkers ignore it")
    need(code == package, f"the wheel has other files than the package: {code ^ package}")
    need(package <= sdist.keys(), f"not in the source distribution: {package - sdist.keys()}")
    need(all(wheel[name] == sdist[name] for name in code), "the two have different code")
    licenses = [name for name in wheel if name.endswith(".dist-info/licenses/LICENSE")]
    need(licenses and wheel[licenses[0]] == sdist["LICENSE"], "the wheel has no LICENSE")
    say(f"the wheel has the package's {len(code)} files, py.typed among them, and the licence")


def check_metadata(sdist: dict[str, bytes], wheel: dict[str, bytes]) -> None:
    """What an index shows and pip reads."""
    (name,) = [each for each in wheel if each.endswith(".dist-info/METADATA")]
    data: Message = BytesParser().parsebytes(wheel[name])
    text = sdist["liveserver/__init__.py"].decode()
    version = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    need(version and version[1] == data["Version"], f"the version is {data['Version']}")
    need(data["Name"] == "liveserver", f"the name is {data['Name']}")
    need(data["License-Expression"] == "MIT", "the licence is not named")
    need(data["Requires-Python"] == ">=3.11", f"it needs Python {data['Requires-Python']}")
    readme = data.get_payload(decode=True)
    need(readme == sdist["README.md"], "its description is not the README")
    every = [str(each) for each in data.get_all("Requires-Dist", [])]
    always = {re.split(r"[<>=!~ ;]", each)[0] for each in every if "extra ==" not in each}
    need(always == REQUIRED, f"it requires {always}")
    say(f"version {data['Version']}, {data['License-Expression']}, requires {', '.join(every)}")


def install(folder: Path, wheel: Path) -> Path:
    """Install the wheel in an empty environment; return its Python."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", wheel)
    run(python, "-m", "pip", "check")
    installed, needed = (set(line.split()) for line in run(python, "-c", CLOSURE).splitlines())
    need(installed == needed, f"more is installed than is needed: {installed ^ needed}")
    need(needed >= REQUIRED, f"{REQUIRED - needed} is not installed")
    others = sorted(needed - REQUIRED - {"liveserver"})
    say(f"installed with {', '.join(sorted(REQUIRED))} and what these need: {', '.join(others)}")
    return python


def check_first_tests(python: Path, folder: Path) -> None:
    """A test class of each kind passes there, and fails when it should."""
    folder.mkdir()
    (folder / "shop.py").write_text(APP, "utf-8")
    for kind, code in (("plain", TEST), ("asyncio", ASYNCIO_TEST)):
        for wanted, status, word in (("/hello", 0, "OK"), ("/bye", 1, "FAILED (failures=1)")):
            wrong = code.replace('"/hello")\n', f'"{wanted}")\n')
            (folder / "test_greeting.py").write_text(wrong, "utf-8")
            command = (python, "-W", "error", "-m", "unittest")
            report = run(*command, cwd=folder, status=status)
            need("Ran 1 test" in report and word in report, report)
        say(f"a file with one {kind} test class passes there, and fails when it should")


def check_own_tests(python: Path, folder: Path, sdist: Path) -> None:
    """The source distribution's own tests pass."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    report = run(python, "-W", "error", "-m", "tests.suite", cwd=source)
    summary = re.search(r"^(Ran (\d+) tests in .*, (\d+) of them skipped\.)\nOK", report, re.M)
    if summary is None or int(summary[2]) - int(summary[3]) < 100:
        raise SystemExit(f"package_check: too few tests ran:\n{report}")
    say(f"the source distribution's own tests pass:{report[report.rindex(SKIPPED) :].rstrip()}")


def main() -> None:
    """Go through all of it; end with a message and status 1 where something is not so."""
    started = time.perf_counter()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sdist, wheel = build(folder / "dist")
        source, package = files_of_sdist(sdist), files_of_wheel(wheel)
        check_files(source, package)
        check_metadata(source, package)
        python = install(folder / "environment", wheel)
        check_first_tests(python, folder / "first")
        check_own_tests(python, folder / "source", sdist)
    say(f"all of it in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
