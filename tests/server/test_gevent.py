"""gevent, which makes greenlets of threads."""

import importlib.util
import sys
import unittest
from unittest import mock

from liveserver import ConfigurationError, LiveServer
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, loops
from tests.server.test_process import ProcessTestCase

SCRIPT = """
import gevent.monkey
import liveserver
if AFTER:
    import liveserver._server.live_server
gevent.monkey.patch_all(thread=THREAD)
from tests.helpers import apps
from tests.helpers.support import get
with liveserver.LiveServer(apps.hello, startup_timeout=5, uvicorn_config={"loop": LOOP}) as server:
    print(get(server.base_url).body.decode())
"""


class PatchedThreadsTests(StrictTestCase):
    """A process whose threads are none."""

    def test_a_server_is_refused_before_it_takes_a_port(self) -> None:
        server = LiveServer(apps.hello)
        monkey = mock.Mock()
        with (
            mock.patch.dict(sys.modules, {"gevent.monkey": monkey}),
            self.assertRaisesRegex(ConfigurationError, r"patch_all\(thread=False\)"),
        ):
            server.start()
        monkey.is_module_patched.assert_called_once_with("threading")
        self.assertFalse(server.running)
        with server:
            self.assertEqual(get(server.base_url).body, b"hello")

    def test_a_gevent_that_has_patched_other_modules_is_none_of_its_business(self) -> None:
        monkey = mock.Mock()
        monkey.is_module_patched.return_value = False
        patched = mock.patch.dict(sys.modules, {"gevent.monkey": monkey})
        with patched, LiveServer(apps.hello) as server:
            self.assertEqual(get(server.base_url).body, b"hello")


@unittest.skipUnless(importlib.util.find_spec("gevent"), "gevent is not installed")
class GeventTests(ProcessTestCase):
    """A patched process, before and after the import, on each loop."""

    seconds = 100

    def run_patched(self, thread: bool, after: bool, loop: str) -> tuple[int, str, str]:
        names = {"THREAD": thread, "AFTER": after, "LOOP": loop}
        code = "".join(f"{name} = {value!r}\n" for name, value in names.items()) + SCRIPT
        return self.run_script(code)

    def test_without_threads_it_is_patched_as_one_likes(self) -> None:
        for loop in loops():
            for after in (False, True):
                with self.subTest(loop=loop, after=after):
                    status, out, err = self.run_patched(False, after, loop)
                    self.assertEqual((status, out), (0, "hello\n"), err)

    def test_with_threads_a_server_is_refused(self) -> None:
        for loop in loops():
            for after in (False, True):
                with self.subTest(loop=loop, after=after):
                    status, out, err = self.run_patched(True, after, loop)
                    self.assertEqual((status, out), (1, ""))
                    self.assertIn("ConfigurationError: gevent has patched the threads", err)
