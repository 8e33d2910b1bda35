"""What the command line does when it cannot say what it has to say."""

import contextlib
import io
from unittest import mock

from liveserver import ShutdownTimeout
from liveserver._cli.console import Console
from tests.helpers.support import StrictTestCase


class SayTests(StrictTestCase):
    def test_an_error_of_a_stop_in_the_middle_is_not_a_reader_that_has_gone(self) -> None:
        # As a signal handler may raise it, and it is an OSError too, as a TimeoutError.
        error = ShutdownTimeout("The server was not down within 5 s.", 5, ())
        with contextlib.redirect_stdout(io.StringIO()):
            console = Console(over=lambda: None)
            with (
                mock.patch("builtins.print", side_effect=error),
                self.assertRaises(ShutdownTimeout) as caught,
            ):
                console.say("a line")
        self.assertIs(caught.exception, error)
