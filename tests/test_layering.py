"""The modules of the package import each other in one direction, and each library in one place."""

import ast
import importlib
from pathlib import Path

import liveserver
from tests.support import StrictTestCase

PACKAGE = Path(liveserver.__file__).parent

# A module may import those that stand above it.
ROOMS = [
    "_errors",
    "_environment",
    "_values",
    "_options",
    "_asgi",
    "_wsgi",
    "_interface",
    "_apps",
    "_address",
    "_tls",
    "_aside",
    "_calls",
    "_latch",
    "_workers",
    "_logs",
    "_lifespan",
    "_handshakes",
    "_served",
    "_request",
    "_witness",
    "_diagnosis",
    "_uvicorn_config",
    "_members",
    "_uvicorn",
    "_serving",
    "_errands",
    "_process",
    "_run",
    "_server",
    "_by_hand",
    "_observe",
    "_console",
    "_readable",
    "_ending",
    "_clients",
    "_http",
    "_trimming",
    "_verdict",
    "_shared",
    "_belonging",
    "_making",
    "_pause",
    "_watch",
    "_case",
    "__init__",
    "_django",
    "_target",
    "_serve",
    "__main__",
]

ONLY_IN = {
    "uvicorn": {"_members", "_uvicorn", "_uvicorn_config"},
    "socket": {"_address", "_uvicorn", "_serving", "_run"},  # the others for its type
    "unittest": {"_belonging", "_case", "_http", "_target", "_serve"},
    "requests": {"_clients", "_case"},  # the other for its type
    "aiohttp": {"_clients", "_case"},
    "trustme": {"_tls"},
    "a2wsgi": {"_wsgi"},
}


# Imported inside functions: a suite waits only for those that it uses.
LATE = {
    "a2wsgi",
    "aiohttp",
    "requests",
    "trustme",
    "liveserver._handshakes",
    "liveserver._pause",
    "liveserver._shared",
    "liveserver._tls",
}


def parsed(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))


def imports(module: str, *, at_once: bool = False) -> set[str]:
    """The full names of the modules that a module of the package imports.

    Those which it imports at once stand outside of functions and `if TYPE_CHECKING`.
    """
    found = set()
    for node in parsed(module).body if at_once else ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found.add(node.module or "")
            if node.module == "liveserver":
                found |= {f"liveserver.{alias.name}" for alias in node.names}
    return found


def borrowed(module: str) -> set[tuple[str, str]]:
    """What a module uses of the package's other modules: pairs of a module and a name in it."""
    found: set[tuple[str, str]] = set()
    whole: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.ImportFrom) and node.module == "liveserver":
            whole |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("liveserver."):
            room = (node.module or "").removeprefix("liveserver.")
            found |= {(room, alias.name) for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {(node.value.id, node.attr)} if node.value.id in whole else set()
    return found


class LayeringTests(StrictTestCase):
    def test_every_module_has_its_place(self) -> None:
        self.assertEqual({path.stem for path in PACKAGE.glob("*.py")}, set(ROOMS))

    def test_arrows_point_one_way(self) -> None:
        for position, module in enumerate(ROOMS):
            for name in imports(module):
                if name.startswith("liveserver."):
                    with self.subTest(module=module, imports=name):
                        self.assertIn(name.removeprefix("liveserver."), ROOMS[:position])

    def test_each_library_has_one_place(self) -> None:
        for module in ROOMS:
            for name in imports(module):
                library = name.partition(".")[0]
                if library in ONLY_IN:
                    with self.subTest(module=module, library=library):
                        self.assertIn(module, ONLY_IN[library])

    def test_threads_are_made_in_few_places(self) -> None:
        makers = {
            module
            for module in ROOMS
            if "threading.Thread(" in (PACKAGE / f"{module}.py").read_text("utf-8")
        }
        self.assertEqual(makers, {"_process", "_run", "_aside"})

    def test_each_room_says_what_others_may_use(self) -> None:
        used = {module: borrowed(module) for module in ROOMS}
        offered = {
            (module, name)
            for module in ROOMS
            if module not in ("__init__", "__main__")  # the two doors
            for name in importlib.import_module(f"liveserver.{module}").__all__
        }
        for module in ROOMS:
            with self.subTest(module=module):
                self.assertLessEqual(used[module], offered)
        self.assertEqual(offered - set().union(*used.values()), set(), "nobody uses these")

    def test_reports_leave_out_those_that_tell_what_is_wrong(self) -> None:
        quiet = {
            module
            for module in ROOMS
            if "\n__unittest = __tracebackhide__ = True\n" in self.text(module)
        }
        for module in ROOMS[: ROOMS.index("__init__")]:  # what follows is the command line's
            if ("_errors", "ConfigurationError") in borrowed(module):
                with self.subTest(module=module):
                    self.assertIn(module, quiet)

    def text(self, module: str) -> str:
        return (PACKAGE / f"{module}.py").read_text("utf-8")

    def test_libraries_are_imported_when_they_are_needed(self) -> None:
        for module in ROOMS:
            with self.subTest(module=module):
                self.assertEqual(LATE & imports(module, at_once=True), set())
        self.assertLessEqual(LATE, set().union(*map(imports, ROOMS)))  # the negative control
