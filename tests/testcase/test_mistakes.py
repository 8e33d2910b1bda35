"""Whatever is wrong with a test class, the report names the class and the next step."""

import importlib.util
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from liveserver import ConfigurationError, LiveServerTestCase, NotRunningError
from tests.helpers.support import StrictTestCase, run_class

ROOT = Path(__file__).parent.parent.parent

# Class name -> what its error is, and what it says. The class's own name is expected besides.
EXPECTED: dict[str, tuple[type[BaseException], str]] = {
    "NoApp": (ConfigurationError, r'Set app = "module:attribute" or override create_app\(\)'),
    "NoAppAsync": (ConfigurationError, r'Set app = "module:attribute" or override create_app\(\)'),
    "AppIsNone": (
        ConfigurationError,
        r"app is None, which is not an app.*Set app to an ASGI or WSGI app.*or override",
    ),
    "AppIsNotCallable": (
        ConfigurationError,
        r"app is 42, which is not an app.*Set app to an ASGI or WSGI app.*or override",
    ),
    "AppTakesOtherArguments": (
        ConfigurationError,
        r"cannot be called.*Set app to an ASGI or",
    ),
    "AppIsAClass": (ConfigurationError, r"it is a class\. Give an instance"),
    "AppIsAFactory": (
        ConfigurationError,
        r"function that builds the app.*Override create_app\(\) to call it, or set server_options",
    ),
    "AppIsAFactoryWithDefaults": (
        ConfigurationError,
        r"function that builds the app.*Override create_app\(\) to call it, or set server_options",
    ),
    "CreateAppGivesAFactory": (
        ConfigurationError,
        r"create_app\(\) returned .*, which looks like a function .*Call it, and return the app",
    ),
    "AppIsSetOnTheInstance": (ConfigurationError, r"sets self.app.*Set app on the class"),
    "FactoryGivesNothing": (
        ConfigurationError,
        r"build_nothing returned None.*Return an ASGI or WSGI app",
    ),
    "FactoryIsNone": (ConfigurationError, r"factory=True.*Give a function that takes none"),
    "CreateAppIsNoClassmethod": (ConfigurationError, r"not a classmethod\. Put @classmethod"),
    "CreateAppGivesNothing": (ConfigurationError, r"create_app\(\) returned None.*Return an ASGI"),
    "CreateAppIsAsync": (ConfigurationError, r"create_app\(\) returned a coroutine.*Write def"),
    "CreateAppRaises": (ZeroDivisionError, r"the user's own error"),
    "UnknownScope": (ConfigurationError, r"server_scope is 'module'\. Use one of 'class', 'test'"),
    "ModuleMissing": (ConfigurationError, r"no module 'tests.no_such_module'\. Check the part be"),
    "AttributeMissing": (ConfigurationError, r"no attribute 'goodbye'\. Check the part after the"),
    "ModuleRaises": (ConfigurationError, r"ZeroDivisionError: broken on purpose\. Fix the module"),
    "ModuleExits": (ConfigurationError, r"raised SystemExit: 7\. Fix the module"),
    "NoColon": (
        ConfigurationError,
        r'Write "module:attribute".*such as "tests.helpers.apps:hello"',
    ),
    "OnlyAModule": (
        ConfigurationError,
        r'Write "module:attribute".*such as "tests.helpers.apps:app"',
    ),
    "PathOfAFile": (
        ConfigurationError,
        r'Write "module:attribute".*such as "tests.helpers.apps:hello"',
    ),
    "AttributeMisspelt": (
        ConfigurationError,
        r"AttributeMisspelt\.server_option is no attribute .* Did you mean 'server_options'\?",
    ),
    "AttributeMisspeltInTestScope": (
        ConfigurationError,
        r"InTestScope\.raises_server_errors is no attribute .* mean 'raise_server_errors'\?",
    ),
    "PlainTestInTheAsyncioClass": (
        ConfigurationError,
        r"http is an aiohttp session.* an async def test .*in a LiveServerTestCase it is a req",
    ),
    "OptionsAreNoMapping": (ConfigurationError, r"server_options is \['host'\]\. Use a mapping"),
    "UnknownOption": (ConfigurationError, r"no option 'startup_timeuot'\. Did you mean 'startup_t"),
    "BadPort": (ConfigurationError, r"port=70000 is not valid\. Use 0"),
    "OwnedUvicornOption": (ConfigurationError, r"cannot hold 'port'\. Use the option \"port\""),
    "ForgetsSuperInSetUpClass": (NotRunningError, r"call super\(\)\.setUpClass\(\) there"),
    "ForgetsSuperInBetween": (NotRunningError, r"InBetween and ForgetsSuperInSetUpClass override"),
    "ForgetsSuperInSetUp": (NotRunningError, r"call super\(\)\.setUp\(\) there"),
    "AsksTheClassInTestScope": (NotRunningError, r"belongs to the instance\. Use self\.base_url"),
    "TestIsAsync": (
        ConfigurationError,
        r"TestIsAsync\.test_is_never_run is async def, but LiveServerTestCase does not await it\. "
        r"Use IsolatedAsyncioLiveServerTestCase, or a plain def\.",
    ),
    "BasesTheWrongWayRound": (NotRunningError, r"Name the live server class before"),
}

# Errors that come from the server, which does not know the class.
WITHOUT_CLASS_NAME = {"CreateAppRaises", "FactoryGivesNothing"}


class WordsTests(StrictTestCase):
    """Each mistake has its error, with its cause, and harms no other class."""

    def test_each_mistake_is_told(self) -> None:
        from tests.helpers import mistakes

        wrong = {
            name for name, kind in vars(mistakes).items() if hasattr(kind, "test_is_never_run")
        }
        self.assertEqual(wrong - {"_Wrong"}, set(EXPECTED))
        for name, (kind, words) in EXPECTED.items():
            with self.subTest(mistake=name):
                outcome = run_class(getattr(mistakes, name))
                self.assertEqual([type(error) for error in outcome.raised], [kind], outcome)
                self.assertRegex(str(outcome.raised[0]), words)
                if name not in WITHOUT_CLASS_NAME:
                    self.assertIn(name, str(outcome.raised[0]))

    def test_the_cause_of_a_failed_import_is_chained(self) -> None:
        from tests.helpers import mistakes

        for name, cause in (
            ("ModuleMissing", ModuleNotFoundError),
            ("AttributeMissing", AttributeError),
            ("ModuleRaises", ZeroDivisionError),
            ("ModuleExits", SystemExit),
        ):
            with self.subTest(mistake=name):
                outcome = run_class(getattr(mistakes, name))
                self.assertIsInstance(outcome.raised[0].__cause__, cause)


class RunnersTests(unittest.TestCase):
    """A file full of mistakes runs to its end, and nothing is left."""

    def report(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "NO_COLOR": "1"},
            check=False,
        )
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def assert_complete(self, report: str) -> None:
        for name in EXPECTED:
            self.assertIn(name, report)
        self.assertNotIn("it ran, against", report)
        self.assertNotIn("AssertionError", report)

    def test_under_unittest(self) -> None:
        report = self.report("unittest", "-v", "tests.helpers.mistakes")
        self.assert_complete(report)
        self.assertRegex(report, r"test_works .*ok")
        self.assertRegex(report, r"test_nothing_is_left .*ok")
        self.assertIn(f"errors={len(EXPECTED)}", report)

    @unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
    def test_under_pytest(self) -> None:
        report = self.report("pytest", "-v", "-p", "no:cacheprovider", "tests/helpers/mistakes.py")
        self.assert_complete(report)
        summary = re.search(r"=+ (.*) in [\d.]+s", report.splitlines()[-1])
        assert summary is not None, report
        self.assertIn("2 passed", summary[1])
        # Whoever made a mistake reads of it, and not how the package found out.
        self.assertNotRegex(report, r"liveserver[/\\]_\w+\.py")


class DjangoHintTests(StrictTestCase):
    """A class without an app in a Django project."""

    def test_it_is_told_of_the_class_for_django(self) -> None:
        class Tests(LiveServerTestCase):
            def test_it(self) -> None: ...

        for name, told in (("django.test", True), ("another.module", False)):
            others = {each: sys.modules[each] for each in sys.modules if each != "django.test"}
            modules = mock.patch.dict(sys.modules, others | {name: mock.Mock()}, clear=True)
            with modules, self.assertRaises(ConfigurationError) as caught:
                Tests.create_app()
            self.assertEqual("class of liveserver.django" in str(caught.exception), told)
