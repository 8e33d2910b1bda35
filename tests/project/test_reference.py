"""`docs/reference.md` has all that is public, as the code has it."""

import inspect
import json
import re
from typing import Any

import liveserver
from liveserver import LiveServer, LiveServerError, LiveServerMixin, ServedRequest
from liveserver._cli import main as command_line
from liveserver._options import environment
from tests.helpers.markdown import ROOT, table
from tests.helpers.support import StrictTestCase

REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
ATTRIBUTES = inspect.get_annotations(LiveServerMixin)


def public(thing: Any) -> set[str]:
    """The names of a module or class that have no underscore, as its source has them."""
    names = set(vars(thing)) | set(inspect.get_annotations(thing))
    return {name for name in names if not name.startswith("_")}


def as_written(default: Any) -> str:
    """A default as the reference has it: `"class"`, `True`, `30`."""
    if isinstance(default, float):
        return f"{default:g}"
    return f"`{default if isinstance(default, bool) else json.dumps(default)}`"


class TablesTests(StrictTestCase):
    """Its tables have what there is, with its defaults."""

    def test_class_attributes(self) -> None:
        rows = table(REFERENCE, "name")
        own = public(LiveServerMixin) - {"run", "setUp", "setUpClass"}  # unittest's
        self.assertEqual({name.partition("(")[0] for name in rows}, own)
        for name, text in rows.items():
            default = getattr(LiveServerMixin, name, {}) if name in ATTRIBUTES else {}
            if default != {}:
                with self.subTest(name=name):
                    self.assertIn(as_written(default), text)

    def test_arguments_of_the_server(self) -> None:
        signature = inspect.signature(LiveServer)
        self.assertEqual(list(table(REFERENCE, "argument")), list(signature.parameters))
        (written,) = re.findall(r"LiveServer\(app, \*,.*?\)", REFERENCE, re.DOTALL)
        plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
        expected = f"LiveServer{inspect.Signature(plain)}".replace("'", '"')
        self.assertEqual(" ".join(written.split()), expected)

    def test_methods_and_attributes_of_the_server(self) -> None:
        rows = "` ".join(table(REFERENCE, "method or attribute")) + "`"
        written = set(re.findall(r"\w+(?=`|\()", rows)) - {"with"}
        self.assertEqual(written, {name for name in dir(LiveServer) if not name.startswith("_")})

    def test_errors(self) -> None:
        errors = {
            name
            for name in liveserver.__all__
            if issubclass(getattr(liveserver, name), LiveServerError)
        }
        self.assertEqual(set(table(REFERENCE, "error")), errors - {"LiveServerError"})

    def test_fields_of_a_served_request(self) -> None:
        self.assertEqual(list(table(REFERENCE, "field")), list(ServedRequest._fields))

    def test_variables_of_the_environment(self) -> None:
        source = inspect.getsource(environment)
        read = set(re.findall(r'"(LIVESERVER_\w+)"', source))
        self.assertEqual(len(read), 3)
        written = {name.partition("=")[0] for name in table(REFERENCE, "variable")}
        self.assertEqual(written, read)

    def test_options_of_the_command_line(self) -> None:
        actions = command_line._parser()._actions
        options = {option for each in actions for option in each.option_strings} - {"-h"}
        written = {name.partition(" ")[0] for name in table(REFERENCE, "option")}
        self.assertEqual(written, options)


class NamesTests(StrictTestCase):
    """Every public name is in it."""

    def test_the_package(self) -> None:
        self.assertWritten({*liveserver.__all__, "__version__"})

    def test_django(self) -> None:
        try:
            from liveserver import django
        except ImportError:
            self.skipTest("django is not installed")
        self.assertWritten(set(django.__all__))
        rows = set(table(REFERENCE, "name for Django"))
        self.assertEqual(rows, public(django.LiveServerTestCase) - {"create_app", "http"})

    def test_the_test_client(self) -> None:
        try:
            from liveserver import testclient
        except ImportError:
            self.skipTest("starlette or httpx2 is not installed")
        self.assertWritten({"liveserver.testclient", "TestClient"})
        own = public(testclient.TestClient) - {"close"}  # of its base
        self.assertEqual(own, {"stop"})
        self.assertWritten(own)

    def test_options_and_markers_of_pytest(self) -> None:
        try:
            from liveserver import pytest_plugin as plugin
        except ImportError:
            self.skipTest("pytest is not installed")
        names = {name for name in vars(plugin).values() if str(name).startswith("liveserver_")}
        names -= {plugin._KEY}
        self.assertEqual(len(names), 3)
        self.assertEqual(set(table(REFERENCE, "for pytest")), names)

    def assertWritten(self, names: set[str]) -> None:
        for name in names:
            with self.subTest(name=name):
                self.assertRegex(REFERENCE, rf"`{re.escape(name)}\b|\b{re.escape(name)}`")
