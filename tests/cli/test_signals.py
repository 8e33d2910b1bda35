"""What serving by hand does with signals, in the process itself."""

import os
import signal
import unittest
from unittest import mock

from liveserver._cli.signals import SignalWait
from tests.helpers.support import StrictTestCase


@unittest.skipUnless(hasattr(signal, "SIGALRM"), "signals work otherwise on Windows")
class EndingTests(StrictTestCase):
    """It heeds a signal, whatever else comes, and leaves the process as it was."""

    def test_a_signal_after_so_many_others_that_the_pipe_is_full(self) -> None:
        with SignalWait() as ending, mock.patch("sys.stderr", None):
            with self.assertRaises(BlockingIOError):
                while True:  # as the timer of a fixture would, while nobody waits
                    os.write(ending._writer, bytes([signal.SIGALRM]))
            signal.raise_signal(signal.SIGINT)
            self.assertFalse(ending.wait())

    def test_afterwards(self) -> None:
        handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        with SignalWait() as ending:
            pass
        ending.server_ended()  # nobody waits for it any more
        self.assertEqual(signal.set_wakeup_fd(-1), -1)
        self.assertEqual(
            [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)], handlers
        )
