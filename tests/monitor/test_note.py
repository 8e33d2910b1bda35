"""The note of a failing test: the names of several servers."""

import contextlib
import re
import sys
from types import ModuleType
from typing import Any

from liveserver import LiveServer
from liveserver._monitor.monitor import TestMonitor
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get


class Site(apps.Recorder):
    """An app whose author gave it a title, or none."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        if title:
            self.title = title


def make_fine() -> Site:
    return Site()


class Sites:
    @staticmethod
    async def blog(scope: apps.Scope, receive: apps.Receive, send: apps.Send) -> None:
        await Site()(scope, receive, send)


class NamesTests(StrictTestCase):
    """A server's line begins with its app's name."""

    def setUp(self) -> None:
        for name in ("made_up", "made_up.orders"):
            sys.modules[name] = module = ModuleType(name)
            vars(module).update(app=Site("Not this"), create_app=Site)
            self.addCleanup(sys.modules.pop, name)

    def names(self, *given: Any, **options: Any) -> list[str]:
        """Return the names that servers of these apps have, `port` for the port of each."""
        monitor = TestMonitor()
        self.addCleanup(monitor.release)
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(LiveServer(app, **options)) for app in given]
            for server in servers:
                get(server.base_url)
            note = monitor.note()
            first = note.splitlines()[0]
            for server in servers:
                note = note.replace(f"{server.port}", "port")
        self.assertTrue(first.startswith("Servers in this test: "), first)
        return re.findall(r"(?m)^  (\S.*?) +GET / → 200", note)

    def test_of_strings_functions_and_objects(self) -> None:
        self.assertEqual(
            self.names("made_up.orders:app", Site("Stock of tea"), Site(), Sites.blog),
            ["orders", "Stock of tea", "Site", "blog"],
        )

    def test_of_factories(self) -> None:
        self.assertEqual(
            self.names("made_up.orders:create_app", make_fine, factory=True),
            ["orders", "make_fine"],
        )

    def test_the_same_one_twice(self) -> None:
        self.assertEqual(
            self.names("made_up.orders:app", "made_up:app", Site(), Site()),
            ["orders", "made_up", "Site:port", "Site:port"],
        )
