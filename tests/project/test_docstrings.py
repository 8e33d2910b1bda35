"""Docstrings say what is so: what is public has one, and the names in them exist.

The rules are read from the source of the whole package, so they hold for the private rooms too.
"""

import ast
import builtins
import inspect
import re
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import liveserver
from liveserver._options.server_options import ServerOptions
from tests.helpers.support import StrictTestCase

PACKAGE = Path(liveserver.__file__).parent

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What the test cases override of unittest; its documentation says what they take.
HOOKS = {"run", "setUp", "setUpClass"}


class Documented(NamedTuple):
    """A class or a function of the package, and its docstring."""

    name: str  # _server.LiveServer.start
    node: ast.ClassDef | Function
    doc: str
    bases: list[ast.ClassDef]  # of a class, those of the same module

    def section(self, title: str) -> list[str]:
        """The names that a section of the docstring explains."""
        found = re.search(rf"^{title}:\n((?:(?:    .*)?\n)*)", f"{self.doc}\n", re.MULTILINE)
        return re.findall(r"^ {4}(\w+):", found[1], re.MULTILINE) if found else []


def documented(source: str, module: str) -> Iterator[Documented]:
    """Every class and function in some source code, nested ones included."""
    tree = ast.parse(source)
    classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}

    def visit(node: ast.AST, name: str) -> Iterator[Documented]:
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.ClassDef | Function):
                inner = f"{name}.{child.name}"
                bases = [ast.unparse(each) for each in getattr(child, "bases", ())]
                known = [classes[each] for each in bases if each in classes]
                yield Documented(inner, child, ast.get_docstring(child) or "", known)
            yield from visit(child, inner)

    return visit(tree, module)


def whole_package() -> Iterator[Documented]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from documented(path.read_text("utf-8"), path.stem)


def parameters(node: Function) -> list[str]:
    """The names of a function's parameters, without `self` and `cls`."""
    args = node.args
    every = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [each.arg for each in every if each is not None and each.arg not in ("self", "cls")]


def attributes(node: ast.ClassDef) -> dict[str, str]:
    """The public attributes of a class, and the docstrings that stand right below them."""
    found: dict[str, str] = {}
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        below = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            below = str(following.value.value)
        targets: list[ast.expr] = []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
            if isinstance(statement.value, ast.Call):  # base_url = _FromServer(..., "Its text.")
                below = below or str(getattr(statement.value.args[-1], "value", ""))
        elif isinstance(statement, Function):
            found |= dict.fromkeys(own_attributes(statement), "")
            if any("property" in ast.unparse(each) for each in statement.decorator_list):
                found[statement.name] = ast.get_docstring(statement) or ""
        found |= {each.id: below for each in targets if isinstance(each, ast.Name)}
    return {name: doc for name, doc in found.items() if not name.startswith("_")}


def own_attributes(method: Function) -> Iterator[str]:
    """What a method sets on its object."""
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] if ast.unparse(node.value) == "self" else []


def problems(thing: Documented) -> Iterator[str]:
    """What a docstring says that is not so."""
    for error in thing.section("Raises"):
        if error not in liveserver.__all__ and not hasattr(builtins, error):
            yield f"there is no exception {error}"
    signature = thing.node
    if isinstance(signature, ast.ClassDef):
        known = [name for each in (signature, *thing.bases) for name in attributes(each)]
        for name in thing.section("Attributes"):
            if name not in known:
                yield f"there is no attribute {name}"
        inits = [each for each in signature.body if getattr(each, "name", "") == "__init__"]
        if not inits or not thing.section("Args"):
            return
        assert isinstance(inits[0], Function)
        signature = inits[0]
        if signature.args.kwarg is not None:  # LiveServer's options
            expected = ["app", *ServerOptions.__annotations__]
            if thing.section("Args") != expected:
                yield f"its arguments are {expected}, not {thing.section('Args')}"
            return
    if thing.section("Args") and thing.section("Args") != parameters(signature):
        yield f"its arguments are {parameters(signature)}, not {thing.section('Args')}"


def gaps(thing: Documented) -> Iterator[str]:
    """What a user has to know and the docstring of something public does not say."""
    if not thing.doc:
        yield "has no docstring"
    elif not re.match(r".+\.(\n\n|$)", thing.doc):
        yield "does not begin with one line that is a sentence"
    if isinstance(thing.node, ast.ClassDef):
        said = thing.section("Attributes")
        hidden = [base for base in thing.bases if base.name.startswith("_")]
        for each in (thing.node, *hidden):
            for name, doc in attributes(each).items():
                if not doc and name not in said:
                    yield f"does not explain its attribute {name}"
        return
    name = thing.node.name
    if parameters(thing.node) and not thing.section("Args") and name not in HOOKS:
        yield "does not explain its arguments"
    for node in ast.walk(thing.node):
        error = ast.unparse(node.exc).partition("(")[0] if _raises(node) else ""
        kind = getattr(liveserver, error, None)
        if kind is not None and not _covered(kind, thing.section("Raises")):
            yield f"does not say that it raises {error}"


def _raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and node.exc is not None


def _covered(kind: type[BaseException], said: list[str]) -> bool:
    return any(base.__name__ in said for base in kind.__mro__)


def public() -> Iterator[Documented]:
    """What users see: the classes behind the public names, and their methods and properties.

    `ServerRaises` too, which `assertServerRaises` returns.
    """
    names = {*liveserver.__all__, "ServerRaises"}
    for thing in whole_package():
        _, *path = thing.name.split(".")
        overload = any("overload" in ast.unparse(each) for each in thing.node.decorator_list)
        if path[0] in names and not any(part.startswith("_") for part in path) and not overload:
            yield thing


class DocstringTests(StrictTestCase):
    """In the package."""

    def test_their_names_exist(self) -> None:
        for thing in whole_package():
            with self.subTest(name=thing.name):
                self.assertEqual(list(problems(thing)), [])

    def test_what_is_public_is_explained(self) -> None:
        for thing in public():
            if not _for_type_checkers(thing):
                with self.subTest(name=thing.name):
                    self.assertEqual(list(gaps(thing)), [])

    def test_all_that_is_public_was_looked_at(self) -> None:
        seen = {thing.name.partition(".")[2] for thing in public()}
        for name in liveserver.__all__:
            cls = getattr(liveserver, name)
            with self.subTest(name=name):
                self.assertIn(name, seen)
                values = {f"{name}.{key}": value for key, value in vars(cls).items()}
                functions = {
                    key
                    for key, value in values.items()
                    if inspect.isfunction(getattr(value, "__func__", value)) and "._" not in key
                }
                self.assertLessEqual(functions, seen)

    def test_texts_that_are_there_at_run_time(self) -> None:
        for name in ("base_url", "server", "http"):
            with self.subTest(name=name):
                self.assertTrue(vars(liveserver.LiveServerMixin)[name].__doc__)


def _for_type_checkers(thing: Documented) -> bool:
    """Whether it only narrows a type: `def http(self) -> requests.Session: ...`."""
    return ast.unparse(thing.node.body[-1]) == "..."


RIGHT = '''
class Thing:
    """A thing.

    Args:
        size: How large.

    Attributes:
        size: How large it is.
        weight: And how heavy.
    """

    depth: int = 1
    """How deep."""

    def __init__(self, size):
        self.size = size
        self.weight = self._own = 1

    @property
    def age(self):
        """How old it is."""

    def grow(self, by, *, times=1):
        """Grow.

        Args:
            by: How much.
            times: How often.

        Raises:
            StartupError: It is too large.
            ValueError: It is negative.
        """
        raise StartupTimeout("too large")
'''


class RulesTests(unittest.TestCase):
    """Each rule sees its mistake; the negative controls of the tests above."""

    def found(self, before: str, after: str) -> list[str]:
        self.assertIn(before, RIGHT)
        things = list(documented(RIGHT.replace(before, after), "room"))
        self.assertEqual(len(things), 4)
        found = [f"{each.name} {text}" for each in things for text in problems(each)]
        named = [each for each in things if not each.name.endswith("__")]
        return found + [f"{each.name} {text}" for each in named for text in gaps(each)]

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual(self.found("Grow", "Grow"), [])

    def test_each_mistake(self) -> None:
        for before, after, message in (
            ("StartupError:", "StartError:", "room.Thing.grow there is no exception StartError"),
            ("size: How large it", "width: How large it", "room.Thing there is no attribute width"),
            ("size: How large.", "width: How large.", "room.Thing its arguments are ['size']"),
            ("times: How", "time: How", "room.Thing.grow its arguments are ['by', 'times']"),
            ("            times: How often.\n", "", "room.Thing.grow its arguments are"),
            ('"""How old it is."""', "return 1", "room.Thing.age has no docstring"),
            ('"""How old it is."""', "return 1", "room.Thing does not explain its attribute age"),
            ('    """How deep."""\n', "", "room.Thing does not explain its attribute depth"),
            ("        weight: And how heavy.\n", "", "room.Thing does not explain its attrib"),
            ("StartupError:", "KeyError:", "room.Thing.grow does not say that it raises Startup"),
            (
                "Args:\n            by",
                "\n            by",
                "room.Thing.grow does not explain its arg",
            ),
        ):
            with self.subTest(before=before, after=after):
                found = self.found(before, after)
                self.assertTrue(any(text.startswith(message) for text in found), found)
