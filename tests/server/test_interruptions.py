"""Ctrl-C at any moment of a start, a stop, a restart, a wait and a call."""

import os
import random
import signal
import sys
import threading
import time
import unittest
from collections import Counter
from collections.abc import Callable
from unittest import mock

from liveserver import LiveServer
from liveserver._server import process_hooks
from tests.helpers import apps
from tests.helpers.support import SECONDS_PER_TEST, StrictTestCase, loops, until, with_loop

# The suite tries a few of them; set it to 20000 for a search that takes minutes.
INTERRUPTIONS = int(os.environ.get("LIVESERVER_INTERRUPTIONS", "100"))

# Of seconds; longer than each of the methods takes.
LATEST = 0.0025

# Each is given a server that runs, but for the first two.
METHODS: dict[str, Callable[[LiveServer], object]] = {
    "start": LiveServer.start,
    "with": lambda server: server.__exit__(*[None] * 3) if server.__enter__() else None,
    "stop": LiveServer.stop,
    "restart": LiveServer.restart,
    "wait_idle": lambda server: server.wait_idle(5),
    "drop_connections": LiveServer.drop_connections,
    "call": lambda server: server.call(int),
}


@unittest.skipUnless(hasattr(signal, "setitimer"), "no such timers on this system")
class InterruptionTests(StrictTestCase):
    """Each is a KeyboardInterrupt, and nothing is left of the server after a stop."""

    seconds = max(SECONDS_PER_TEST, INTERRUPTIONS)

    def setUp(self) -> None:
        usual = signal.signal(signal.SIGALRM, self.on_signal)
        self.addCleanup(signal.signal, signal.SIGALRM, usual)
        # One that comes while the garbage collector calls a function is lost there.
        patch = mock.patch.object(sys, "unraisablehook")
        patch.start()
        self.addCleanup(patch.stop)
        self.seen: Counter[str] = Counter()
        self.armed = False

    def on_signal(self, *_: object) -> None:
        # The signal may reach another thread first, and this one late.
        if self.armed:
            raise KeyboardInterrupt

    def interrupt(self, name: str, loop: str) -> str:
        """Interrupt a method after a random time; say what is wrong."""
        server = LiveServer(apps.hello, **with_loop(loop))
        if name not in ("start", "with"):
            server.start()
        wrong = ""
        try:
            try:
                self.armed = True
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, LATEST))
                METHODS[name](server)
            finally:
                self.armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            self.seen[name] += 1
        except BaseException as error:
            wrong = f"{name}: {error!r}"
        began = time.monotonic()
        server.stop()
        took = time.monotonic() - began
        return wrong or (f"the stop after {name} took {took:.1f} s" if took > 4 else "")

    def test_at_any_moment(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                before = self.seen.total()
                while self.seen.total() - before < INTERRUPTIONS:
                    for name in METHODS:
                        self.assertEqual(self.interrupt(name, loop), "")
                # Those of other tests, the servers of the session, go on.
                until(lambda: not [run for run in self.runs() if not run.serves])  # type: ignore[attr-defined]
                until(lambda: not self.threads() - {run.thread for run in self.runs()})  # type: ignore[attr-defined]

    def runs(self) -> set[object]:
        return set(process_hooks._runs)

    def threads(self) -> set[threading.Thread]:
        """Those of servers; not those that a Ctrl-C has kept from starting, which Python lists."""
        return {
            each
            for each in threading.enumerate()
            if each.name.startswith("liveserver-") and each.ident is not None
        }
