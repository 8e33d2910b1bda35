"""What users import is what is promised, documented and named after where they find it."""

import inspect
import pickle
import re
from pathlib import Path

import liveserver
from liveserver._options.server_options import Options, ServerOptions
from tests.helpers.support import StrictTestCase

ROOT = Path(__file__).parent.parent.parent


class PublicApiTests(StrictTestCase):
    def test_all_is_sorted_and_true(self) -> None:
        self.assertEqual(liveserver.__all__, sorted(liveserver.__all__))
        public = {name for name in dir(liveserver) if name.isidentifier() and name[0] != "_"}
        public -= {
            "django",
            "pytest_plugin",
            "testclient",
        }  # modules, if imported
        self.assertEqual(public, set(liveserver.__all__))

    def test_names_say_where_users_find_them(self) -> None:
        for name in liveserver.__all__:
            with self.subTest(name=name):
                thing = getattr(liveserver, name)
                self.assertEqual(f"{thing.__module__}.{thing.__qualname__}", f"liveserver.{name}")

    def test_a_name_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(AttributeError, "module 'liveserver' has no attribute 'Nope'"):
            liveserver.Nope  # type: ignore[attr-defined]  # noqa: B018

    def test_errors_survive_a_process_boundary(self) -> None:
        for error in (
            liveserver.ConfigurationError("what"),
            liveserver.StartupError("what"),
            liveserver.StartupTimeout("what", 1.5),
            liveserver.ShutdownTimeout("what", 1.5, ["GET /"]),
            liveserver.BusyTimeout("what", 1.5, ["GET /"]),
            liveserver.AppError("GET / raised", "Traceback ..."),
        ):
            with self.subTest(error=error):
                copy = pickle.loads(pickle.dumps(error))
                self.assertEqual((type(copy), str(copy)), (type(error), str(error)))
                self.assertEqual(vars(copy), vars(error))

    def test_errors_are_caught_as_what_they_are(self) -> None:
        for name in liveserver.__all__:
            thing = getattr(liveserver, name)
            if issubclass(thing, BaseException):
                with self.subTest(name=name):
                    self.assertTrue(issubclass(thing, liveserver.LiveServerError))
                    self.assertEqual(issubclass(thing, TimeoutError), name.endswith("Timeout"))
        self.assertTrue(issubclass(liveserver.StartupTimeout, liveserver.StartupError))
        self.assertTrue(issubclass(liveserver.ShutdownTimeout, liveserver.ShutdownError))
        self.assertTrue(issubclass(liveserver.NotRunningError, AttributeError))


class OptionsTests(StrictTestCase):
    """The same options stand in three places: the server, its checks, `server_options`."""

    def test_names_types_and_defaults_agree(self) -> None:
        signature = inspect.signature(liveserver.LiveServer)
        parameters = [each for each in signature.parameters.values() if each.name != "app"]
        names = [each.name for each in parameters]
        defaults = [each.default for each in parameters]
        self.assertEqual(defaults[:-1], [Options._field_defaults[each] for each in names[:-1]])
        self.assertIs(defaults[-1], None)  # uvicorn_config
        self.assertEqual([*names, "environment"], list(Options._fields))
        self.assertEqual(names, list(ServerOptions.__annotations__))
        annotations = inspect.get_annotations(ServerOptions)
        for each in parameters:
            with self.subTest(name=each.name):
                self.assertIs(each.kind, each.KEYWORD_ONLY)
                self.assertEqual(annotations[each.name], each.annotation)


class VersionTests(StrictTestCase):
    """The version is written once, and the changelog begins with it."""

    def test_the_changelog_begins_with_it(self) -> None:
        changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
        first = re.search(r"^## (\S+)", changelog, re.MULTILINE)
        assert first is not None
        self.assertEqual(first[1], liveserver.__version__)

    def test_it_is_written_once(self) -> None:
        places = [ROOT / name for name in ("setup.py", "pyproject.toml", "tox.ini")]
        places += (ROOT / "liveserver").glob("*.py")
        found = [
            path.name for path in places if f'"{liveserver.__version__}"' in path.read_text("utf-8")
        ]
        self.assertEqual(found, ["__init__.py"])
