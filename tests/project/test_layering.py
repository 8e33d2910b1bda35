"""The rooms of the package: which folder imports which, and each library in its place."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import liveserver
from liveserver._options import bounds
from liveserver._server import lifecycle
from tests.helpers.support import StrictTestCase

PACKAGE = Path(liveserver.__file__).parent

# A file imports from its own folder, and from those above it in this list.
ROOMS = [
    "_errors",
    "_options",
    "_sync",
    "_app",
    "_requests",
    "_reporting",
    "_uvicorn",
    "_server",
    "_monitor",
    "_testcase",
    "__init__",
    "_cli",
    "__main__",
    "_django",
    "django",
    "_wire",
    "testclient",
    "pytest_plugin",
]

# Libraries that few files may import: a folder, or single files of it.
ONLY_IN = {
    "uvicorn": {"_uvicorn"},
    "unittest": {"_testcase", "_cli"},
    "pytest": {"pytest_plugin"},
    "starlette": {"_wire.transport", "_wire.websocket", "testclient"},
    "django": {"_django", "django"},
    "socket": {"_server", "_uvicorn.server", "_wire.websocket"},
    "requests": {"_server.sessions", "_testcase.cases", "django"},
    "aiohttp": {"_server.sessions", "_testcase.cases", "_testcase.http"},
    "trustme": {"_server.tls"},
    "a2wsgi": {"_app.wsgi"},
}

# Imported inside functions: a suite waits only for those that it uses.
LATE = {
    "a2wsgi",
    "aiohttp",
    "requests",
    "trustme",
    "liveserver._server.tls",
    "liveserver._testcase.pause",
    "liveserver._testcase.session_servers",
}

MAX_LINES = 320
MAX_FUNCTION_LINES = 40


def path_of(module: str) -> Path:
    return PACKAGE / f"{module.replace('.', '/')}.py"


# All files but those that make a folder a package: `_server.lifecycle`.
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py" or path.parent == PACKAGE
)


def text(module: str) -> str:
    return path_of(module).read_text("utf-8")


def parsed(module: str) -> ast.Module:
    return ast.parse(text(module))


def imports(module: str, *, at_once: bool = False) -> set[str]:
    """The full names of what a module imports: modules, and names of the package's modules.

    What it imports at once stands outside of functions and `if TYPE_CHECKING`.
    """
    found = set()
    for node in parsed(module).body if at_once else ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            name = node.module.removeprefix("liveserver.")
            if node.module.startswith("liveserver") and name not in MODULES:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}  # modules
            else:
                found.add(node.module)
    return found


def own(module: str) -> set[str]:
    """Which modules of the package a module imports."""
    names = {name for name in imports(module) if name.startswith("liveserver")}
    return {name.removeprefix("liveserver.") for name in names} & set(MODULES)


def borrowed(module: str) -> set[tuple[str, str]]:
    """What a module uses of the package's other modules: pairs of a module and a name in it."""
    found: set[tuple[str, str]] = set()
    whole: dict[str, str] = {}
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("liveserver"):
            room = (node.module or "").removeprefix("liveserver.")
            for alias in node.names:
                if room in MODULES:
                    found.add((room, alias.name))
                else:
                    whole[alias.name] = f"{room}.{alias.name}"
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {(whole[node.value.id], node.attr)} if node.value.id in whole else set()
    return found


def exported(module: str) -> list[str]:
    """The names that a module's `__all__` has; not imported, as it may need what is not there."""
    for node in parsed(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def room_of(module: str) -> str:
    return module.partition(".")[0]


class LayeringTests(StrictTestCase):
    def test_every_file_is_in_a_room(self) -> None:
        self.assertEqual({room_of(module) for module in MODULES}, set(ROOMS))
        for path in PACKAGE.rglob("__init__.py"):
            with self.subTest(path=path):
                self.assertLessEqual(len(path.relative_to(PACKAGE).parts), 2)

    def test_arrows_point_one_way(self) -> None:
        for module in MODULES:
            position = ROOMS.index(room_of(module))
            for other in own(module):
                with self.subTest(module=module, imports=other):
                    self.assertIn(room_of(other), ROOMS[: position + 1])

    def test_no_circle_inside_a_folder(self) -> None:
        for room in ROOMS:
            inside = {module for module in MODULES if room_of(module) == room}
            graph = {module: own(module) & inside for module in inside}
            with self.subTest(room=room):
                try:
                    TopologicalSorter(graph).prepare()
                except CycleError as error:
                    self.fail(error.args)

    def test_each_library_has_its_place(self) -> None:
        for module in MODULES:
            for name in imports(module):
                library = name.partition(".")[0]
                if library in ONLY_IN:
                    with self.subTest(module=module, library=library):
                        self.assertTrue({module, room_of(module)} & ONLY_IN[library])

    def test_others_use_the_internal_face_of_a_server(self) -> None:
        """Outside of its folder, `_control` is the only private attribute of another object."""
        for module in MODULES:
            # The command line runs a test without its body, so it knows the names of the case. A
            # named tuple has _replace(); _owner is of another property of the same class.
            allowed = {
                "_control",
                "_live_server_monitor",
                "_owner",
                "_replace",
                "_testMethodName",
            }
            for node in ast.walk(parsed(module)):
                if not isinstance(node, ast.Attribute):
                    continue
                private = node.attr.startswith("_") and not node.attr.startswith("__")
                of_other = isinstance(node.value, ast.Name | ast.Attribute) and not (
                    isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "super")
                )
                if room_of(module) in ("_monitor", "_testcase", "_cli") and private and of_other:
                    with self.subTest(module=module, line=node.lineno, attribute=node.attr):
                        self.assertIn(node.attr, allowed)

    def test_threads_are_made_in_few_places(self) -> None:
        made = re.compile(r"(threading\.|Daemon)Thread\(")
        makers = {module for module in MODULES if made.search(text(module))}
        expected = {"process_hooks", "lifecycle", "executor"}
        self.assertEqual(makers, {"_sync.threads", *(f"_server.{name}" for name in expected)})

    def test_each_module_says_what_others_may_use(self) -> None:
        used = {module: borrowed(module) for module in MODULES}
        offered = {
            (module, name)
            for module in MODULES
            if module not in ("__init__", "__main__", "pytest_plugin")
            for name in exported(module)
        }
        for module in MODULES:
            with self.subTest(module=module):
                self.assertLessEqual(used[module], offered)
        # The pytest plugin looks in sys.modules for what runs servers.
        used["pytest_plugin"].add(("_testcase.session_servers", "stop_session_servers"))
        unused = {each for each in offered if each[0] not in ("django", "testclient")}  # the doors
        self.assertEqual(unused - set().union(*used.values()), set(), "nothing uses these")

    def test_reports_leave_out_those_that_tell_what_is_wrong(self) -> None:
        for module in MODULES:
            if room_of(module) in ("_cli", "__init__", "__main__", "pytest_plugin"):
                continue
            if ("_errors", "ConfigurationError") in borrowed(module):
                with self.subTest(module=module):
                    self.assertIn("\n__unittest = __tracebackhide__ = True\n", text(module))

    def test_libraries_are_imported_when_they_are_needed(self) -> None:
        for module in MODULES:
            with self.subTest(module=module):
                self.assertEqual(LATE & imports(module, at_once=True), set())
        self.assertLessEqual(LATE, set().union(*map(imports, MODULES)))  # the negative control


class SizeTests(StrictTestCase):
    """A reader sees a file, and a function, at once."""

    def test_files(self) -> None:
        for module in MODULES:
            with self.subTest(module=module):
                self.assertLessEqual(len(text(module).splitlines()), MAX_LINES)

    def test_functions(self) -> None:
        for module in MODULES:
            for node in ast.walk(parsed(module)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno is not None
                    with self.subTest(module=module, function=node.name):
                        self.assertLessEqual(node.end_lineno - node.lineno + 1, MAX_FUNCTION_LINES)


class BoundsTests(StrictTestCase):
    """The page on how a server runs names each bound, with its number."""

    def test_the_table_is_true(self) -> None:
        assert lifecycle.__doc__ is not None
        table = re.findall(r"^    ([A-Z_]+) +([\d.]+) ", lifecycle.__doc__, re.MULTILINE)
        found = {name: float(seconds) for name, seconds in table}
        self.assertEqual(found, {name: getattr(bounds, name) for name in bounds.__all__})
