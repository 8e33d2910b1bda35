"""The internal face of a server."""

from unittest import mock

from liveserver import LiveServer
from tests.helpers import apps
from tests.helpers.support import StrictTestCase


class StoppedTests(StrictTestCase):
    """A server that does not run."""

    def test_its_observer_hears_that_it_is_over(self) -> None:
        observer = mock.Mock()
        server = LiveServer(apps.hello)
        server._control.observe(observer)
        observer.over.assert_called_once_with()
        server._control.abort()  # nothing
        record = mock.Mock()
        self.assertEqual(server._control.place(record), "")
        server._control.finish_requests()  # nothing
