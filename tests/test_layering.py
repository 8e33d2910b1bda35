"""The modules of the package import each other in one direction, and each library in one place."""

import ast
from pathlib import Path

import liveserver
from tests.support import StrictTestCase

PACKAGE = Path(liveserver.__file__).parent

# A module may import those that stand above it.
ROOMS = [
    "_errors",
    "_options",
    "_asgi",
    "_wsgi",
    "_apps",
    "_address",
    "_tls",
    "_aside",
    "_calls",
    "_logs",
    "_lifespan",
    "_witness",
    "_diagnosis",
    "_uvicorn",
    "_serving",
    "_process",
    "_run",
    "_server",
    "_clients",
    "_verdict",
    "_shared",
    "_making",
    "_watch",
    "_case",
    "__init__",
]

ONLY_IN = {
    "uvicorn": {"_uvicorn"},
    "socket": {"_address", "_uvicorn", "_serving", "_run"},  # the others for its type
    "unittest": {"_case"},
    "requests": {"_clients", "_case"},  # the other for its type
    "aiohttp": {"_clients", "_case"},
    "trustme": {"_tls"},
    "a2wsgi": {"_wsgi"},
}


def imports(module: str) -> set[str]:
    """The full names of the modules that a module of the package imports."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found.add(node.module or "")
            if node.module == "liveserver":
                found |= {f"liveserver.{alias.name}" for alias in node.names}
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
