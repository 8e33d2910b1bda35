"""Everything that a user can get wrong in a test class, one class each.

Not found by test discovery: `test_mistakes.py` runs it, and looks at what is said.
"""

import threading
from typing import Any

from liveserver import (
    IsolatedAsyncioLiveServerTestCase,
    LiveServerMixin,
    LiveServerTestCase,
)
from tests.helpers import apps
from tests.helpers.support import get, join_new_threads, open_sockets

SOCKETS = open_sockets()
THREADS = set(threading.enumerate())


class _Wrong:
    def test_is_never_run(self: Any) -> None:
        raise AssertionError(f"it ran, against {self.base_url}")


class NoApp(_Wrong, LiveServerTestCase):
    pass


class NoAppAsync(_Wrong, IsolatedAsyncioLiveServerTestCase):
    server_scope = "test"


class AppIsNone(_Wrong, LiveServerTestCase):
    app = None


class AppIsNotCallable(_Wrong, LiveServerTestCase):
    app = 42


class AppTakesOtherArguments(_Wrong, LiveServerTestCase):
    def app(one):  # type: ignore[no-untyped-def]
        pass


class AppIsAClass(_Wrong, LiveServerTestCase):
    app = LiveServerTestCase


class AppIsAFactory(_Wrong, LiveServerTestCase):
    app = "tests.helpers.mistakes:build_nothing"


class AppIsAFactoryWithDefaults(_Wrong, LiveServerTestCase):
    app = "tests.helpers.mistakes:build_with"


class CreateAppGivesAFactory(_Wrong, LiveServerTestCase):
    @classmethod
    def create_app(cls) -> Any:
        return build_with


class FactoryGivesNothing(_Wrong, LiveServerTestCase):
    app = "tests.helpers.mistakes:build_nothing"
    server_options = {"factory": True}


class FactoryIsNone(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_options = {"factory": True}


class CreateAppIsNoClassmethod(_Wrong, LiveServerTestCase):
    def create_app(self):  # type: ignore[no-untyped-def,override]
        return apps.hello


class CreateAppGivesNothing(_Wrong, LiveServerTestCase):
    @classmethod
    def create_app(cls) -> Any:
        pass


class CreateAppIsAsync(_Wrong, LiveServerTestCase):
    @classmethod
    async def create_app(cls) -> Any:
        return apps.hello


class CreateAppRaises(_Wrong, LiveServerTestCase):
    @classmethod
    def create_app(cls) -> Any:
        raise ZeroDivisionError("the user's own error")


class UnknownScope(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_scope = "module"


class ModuleMissing(_Wrong, LiveServerTestCase):
    app = "tests.no_such_module:app"


class AttributeMissing(_Wrong, IsolatedAsyncioLiveServerTestCase):
    app = "tests.helpers.apps:goodbye"


class ModuleRaises(_Wrong, LiveServerTestCase):
    app = "tests.helpers.broken_module:app"
    server_scope = "test"


class ModuleExits(_Wrong, LiveServerTestCase):
    app = "tests.helpers.exiting_module:app"


class NoColon(_Wrong, LiveServerTestCase):
    app = "tests.helpers.apps.hello"


class PathOfAFile(_Wrong, LiveServerTestCase):
    app = "tests/helpers/apps.py:hello"


class AppIsSetOnTheInstance(_Wrong, LiveServerTestCase):
    server_scope = "test"

    def setUp(self) -> None:
        self.app = apps.hello  # type: ignore[misc]
        super().setUp()


class OnlyAModule(_Wrong, LiveServerTestCase):
    app = "tests.helpers.apps"


class AttributeMisspelt(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_option = {"tls": True}


class _Misspelt(LiveServerTestCase):
    raises_server_errors = False


class AttributeMisspeltInTestScope(_Wrong, _Misspelt):
    app = apps.hello
    server_scope = "test"


class PlainTestInTheAsyncioClass(IsolatedAsyncioLiveServerTestCase):
    app = apps.hello

    def test_is_never_run(self) -> None:
        self.http  # noqa: B018


class OptionsAreNoMapping(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_options = ["host"]  # type: ignore[assignment]


class UnknownOption(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_options = {"startup_timeuot": 3}  # type: ignore[typeddict-unknown-key]


class BadPort(_Wrong, IsolatedAsyncioLiveServerTestCase):
    app = apps.hello
    server_scope = "test"
    server_options = {"port": 70000}


class OwnedUvicornOption(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_options = {"uvicorn_config": {"port": 8000}}


class ForgetsSuperInSetUpClass(_Wrong, LiveServerTestCase):
    app = apps.hello

    @classmethod
    def setUpClass(cls) -> None:
        pass

    def test_is_never_run(self) -> None:
        get(self.base_url)


class ForgetsSuperInBetween(ForgetsSuperInSetUpClass):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()

    def test_is_never_run(self) -> None:
        get(self.base_url)


class ForgetsSuperInSetUp(_Wrong, IsolatedAsyncioLiveServerTestCase):
    app = apps.hello
    server_scope = "test"

    def setUp(self) -> None:
        pass

    def test_is_never_run(self) -> None:
        get(self.base_url)


class AsksTheClassInTestScope(_Wrong, LiveServerTestCase):
    app = apps.hello
    server_scope = "test"

    def test_is_never_run(self) -> None:
        get(type(self).base_url)


class TestIsAsync(LiveServerTestCase):
    app = apps.hello

    async def test_is_never_run(self) -> None:
        raise AssertionError(f"it ran, against {self.base_url}")


class BasesTheWrongWayRound(IsolatedAsyncioLiveServerTestCase.__bases__[1], LiveServerMixin):
    app = apps.hello

    def test_is_never_run(self) -> None:
        get(self.base_url)


def build_nothing() -> None:
    """Build no app."""


def build_with(config: Any = None, debug: bool = False) -> Any:
    """Build an app, as it is configured."""
    return apps.hello


class ZRightAfterAllThat(LiveServerTestCase):
    app = apps.hello

    def test_works(self) -> None:
        self.assertEqual(get(self.base_url).body, b"hello")

    def test_nothing_is_left(self) -> None:
        threads = THREADS | {t for t in threading.enumerate() if str(self.server.port) in t.name}
        join_new_threads(threads)
        self.assertEqual(set(threading.enumerate()) - threads, set())
        listening_and_loop = 3  # this class's own server: its listener and its loop's pair
        self.assertLessEqual(len(open_sockets() - SOCKETS), listening_and_loop)
