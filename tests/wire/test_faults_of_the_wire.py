"""Faults that a client in process hides: each app passes quietly there, and fails on the wire."""

import contextlib
import unittest
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from tests.helpers.markdown import table
from tests.helpers.support import StrictTestCase

HAS_ALL = all(map(find_spec, ("starlette", "httpx2", "websockets")))

if HAS_ALL:
    from starlette.testclient import TestClient as InProcess

    from liveserver import testclient
    from tests.wire.faults import BEHAVIOUR, HTTP, LOOKS, Fault, outcome
    from tests.wire.socket_faults import SOCKETS

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "howto" / "testclient.md").read_text("utf-8")


@unittest.skipUnless(HAS_ALL, "starlette, httpx2 or websockets is not installed")
class FaultTests(StrictTestCase):
    """Each app and its use, with both clients."""

    seconds = 100

    def outcome(self, cls: Any, fault: "Fault", raises: bool = True) -> str:
        app = fault.make()
        with contextlib.closing(cls(app, raise_server_exceptions=raises)) as client:
            return outcome(client, fault)

    def test_in_process_all_is_quiet(self) -> None:
        for fault in HTTP + BEHAVIOUR + SOCKETS:
            with self.subTest(fault.name):
                self.assertEqual(self.outcome(InProcess, fault), fault.quiet)

    def check(self, faults: "list[Fault]", **config: Any) -> None:
        changed = {**testclient._CONFIG, **config}
        with mock.patch.object(testclient, "_CONFIG", changed):
            for fault in faults:
                with self.subTest(fault.name, **config):
                    shown = self.outcome(testclient.TestClient, fault)
                    self.assertRegex(shown, fault.shown)
                    self.assertNotEqual(shown, fault.quiet)
                    if fault.seen in LOOKS:
                        seen = self.outcome(testclient.TestClient, fault, raises=False)
                        self.assertRegex(seen, LOOKS[fault.seen])

    def test_the_wire_shows_faults_of_http(self) -> None:
        for http in filter(find_spec, ("h11", "httptools")):
            self.check(HTTP, http=http)

    def test_the_wire_shows_faults_of_behaviour(self) -> None:
        self.check(BEHAVIOUR)

    def test_the_wire_shows_faults_of_sockets(self) -> None:
        self.check(SOCKETS)

    def test_the_table_has_each_of_them(self) -> None:
        faults = {each.name: each.seen for each in HTTP + BEHAVIOUR + SOCKETS}
        self.assertGreater(len(faults), 20)
        self.assertEqual(table(PAGE, "what an app does"), faults)
