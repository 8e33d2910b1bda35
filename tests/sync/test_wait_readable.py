"""A wait for input in which no signal is missed."""

import os
import unittest
from unittest import mock

from liveserver._sync.threads import wait_readable
from tests.helpers.support import StrictTestCase


@unittest.skipUnless(os.name == "posix", "only sockets can be waited for here")
class UntilReadableTests(StrictTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.reader)

    def test_what_is_there(self) -> None:
        os.write(self.writer, b"x")
        wait_readable(self.reader)
        os.close(self.writer)
        self.assertEqual(os.read(self.reader, 1), b"x")

    def test_the_end(self) -> None:
        os.close(self.writer)
        wait_readable(self.reader)

    def test_a_signal_that_came_just_before_is_heeded_after_a_moment(self) -> None:
        self.addCleanup(os.close, self.writer)

        def handler(*_: object) -> tuple[list[int], list[int], list[int]]:
            os.write(self.writer, b"x")  # what is not done in the middle of the read
            return [], [], []

        with mock.patch("select.select", side_effect=[handler(), ([self.reader], [], [])]) as look:
            wait_readable(self.reader)
        self.assertEqual(look.call_count, 2)
        self.assertLess(look.call_args.args[3], 1)
