"""What a user gets of `server.requests`."""

import pickle
from unittest import mock

from liveserver import LiveServer
from liveserver._requests.record import RequestRecord
from tests.helpers import apps
from tests.helpers.support import StrictTestCase


class ServedRequestsTests(StrictTestCase):
    """`server.requests`, a sequence that makes each request when it is looked at."""

    def setUp(self) -> None:
        self.server = LiveServer(apps.hello)
        self.server.start()
        self.addCleanup(self.server.stop)

    def ask(self, *paths: str) -> None:
        with self.server.session() as http:
            for path in paths:
                http.get(path)
        self.server.wait_idle(5)

    def test_it_has_what_was_asked_by_then(self) -> None:
        self.ask("/1", "/2")
        before = self.server.requests
        self.ask("/3")
        self.assertEqual([each.path for each in before], ["/1", "/2"])
        self.assertEqual([each.path for each in self.server.requests[len(before) :]], ["/3"])
        self.assertEqual([each.path for each in reversed(self.server.requests[:2])], ["/2", "/1"])

    def test_it_equals_a_sequence_of_the_same_requests(self) -> None:
        self.assertEqual(self.server.requests, ())
        self.ask("/1", "/2")
        found = self.server.requests
        self.assertEqual(found, list(found))
        self.assertNotEqual(found, found[1:])
        self.assertNotEqual(found, 2)

    def test_it_is_shown_and_pickled_as_a_tuple(self) -> None:
        self.ask("/1")
        self.assertEqual(repr(self.server.requests), repr((self.server.requests[0],)))
        self.assertEqual(pickle.loads(pickle.dumps(self.server.requests)), self.server.requests)

    def test_the_last_of_many_is_made_alone(self) -> None:
        self.ask(*map(str, range(20)))
        with mock.patch.object(RequestRecord, "served", autospec=True) as served:
            self.assertIs(self.server.requests[-1], served.return_value)
        self.assertEqual(served.call_count, 1)
