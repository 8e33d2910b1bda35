"""The outcome of what one thread does for another."""

from collections.abc import Callable
from typing import Any

from liveserver._sync.latches import Outcome
from tests.helpers.support import StrictTestCase


class OutcomeTests(StrictTestCase):
    """It is decided once, and its callbacks hear of it."""

    def test_the_first_decides(self) -> None:
        outcome: Outcome[int] = Outcome()
        self.assertTrue(outcome.set_result(1))
        self.assertFalse(outcome.set_result(2))
        self.assertFalse(outcome.set_exception(ValueError()))
        self.assertFalse(outcome.cancel())
        self.assertEqual(outcome.result(), 1)

    def test_an_exception_is_raised(self) -> None:
        outcome: Outcome[int] = Outcome()
        self.assertTrue(outcome.set_exception(ValueError("no")))
        self.assertRaisesRegex(ValueError, "no", outcome.result)

    def test_one_that_is_cancelled_is_not_set(self) -> None:
        outcome: Outcome[int] = Outcome()
        heard: list[str] = []
        outcome.add_done_callback(lambda: heard.append("cancelled"))
        self.assertTrue(outcome.cancel())
        self.assertTrue(outcome.cancel())
        self.assertFalse(outcome.set_result(1))
        self.assertFalse(outcome.done())
        self.assertEqual(heard, ["cancelled"])

    def test_a_callback_that_comes_too_late_is_called(self) -> None:
        outcome: Outcome[int] = Outcome()
        outcome.set_result(1)
        heard: list[str] = []
        outcome.add_done_callback(lambda: heard.append("late"))
        self.assertEqual(set(heard), {"late"})

    def test_a_callback_that_is_added_while_another_thread_takes_the_list(self) -> None:
        outcome: Outcome[int] = Outcome()

        class SetMeanwhile(list[Any]):
            def append(self, callback: Callable[[], object]) -> None:
                outcome.set_result(1)
                super().append(callback)

        outcome._callbacks = SetMeanwhile()
        heard: list[str] = []
        outcome.add_done_callback(lambda: heard.append("just now"))
        self.assertEqual(set(heard), {"just now"})
