"""A test without servers, and the end of a monitor."""

from liveserver._monitor.monitor import TestMonitor as Monitor
from tests.helpers.support import StrictTestCase


class WithoutServerTests(StrictTestCase):
    """A monitor that follows no server has nothing to say, and to wait for."""

    def test_it_does_nothing(self) -> None:
        monitor = Monitor()
        monitor.exclude_since(monitor.mark())
        monitor.finish_requests()
        monitor.raise_app_errors()
        monitor.release()
        self.assertEqual(monitor.note(), "")
