"""A test without servers, and the end of a monitor."""

from liveserver import AppError, LiveServer
from liveserver._monitor.monitor import TestMonitor as Monitor
from liveserver._monitor.monitor import late_errors
from tests.helpers.observed import Shop
from tests.helpers.support import StrictTestCase, get


class WithoutServerTests(StrictTestCase):
    """A monitor that follows no server has nothing to say, and to wait for."""

    def test_it_does_nothing(self) -> None:
        monitor = Monitor()
        monitor.exclude_since(monitor.mark())
        monitor.finish_requests()
        monitor.raise_app_errors()
        monitor.release()
        self.assertEqual(monitor.note(), "")


class LateTests(StrictTestCase):
    """What apps raise while no test runs."""

    def test_each_server_that_is_judged(self) -> None:
        judged, other = LiveServer(Shop()), LiveServer(Shop(), raise_server_errors=False)
        for server in (judged, other):
            with server:
                get(server.base_url, "/raise")
        list(late_errors())  # those of this process's other tests are among them
        for server in (judged, other):
            with server:
                get(server.base_url, "/raise/again")
        found = [error for _, error in late_errors()]
        self.assertEqual([type(error) for error in found], [AppError])
        self.assertIn("/raise/again", str(found[0]))
        self.assertEqual(list(late_errors()), [])
