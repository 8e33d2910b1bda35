"""Add notes about the server to the failures of a test."""

import unittest
from typing import Any

from liveserver._errors import LiveServerError
from liveserver._monitor.app_errors import is_app_error
from liveserver._monitor.monitor import TestMonitor
from liveserver._monitor.note import annotate
from liveserver._options.environment import pauses
from liveserver._reporting.frames import from_last_runner, up_to_users

__unittest = __tracebackhide__ = True

__all__ = ["AnnotatingResult"]


class AnnotatingResult:
    """A proxy of a `unittest.TestResult` that adds a note about the server to failures.

    The first failure of the test and each failure of a subtest get a note, and the pause of
    `LIVESERVER_PAUSE`.
    """

    def __init__(self, result: Any, monitor: TestMonitor) -> None:
        self._result = result
        self._monitor = monitor
        self._noted = self._paused = False
        # Only if the result has it: unittest and old versions of pytest check that.
        if hasattr(result, "addSubTest"):
            self.addSubTest = self._add_sub_test

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def addError(self, test: Any, err: Any) -> None:
        self._note_first(err)
        self._result.addError(test, self._trimmed(err))
        self._pause_first(test, err[1])

    def addFailure(self, test: Any, err: Any) -> None:
        self._note_first(err)
        self._result.addFailure(test, err)
        self._pause_first(test, err[1])

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self._note(err, tracebacks=False)
        self._result.addExpectedFailure(test, err)

    def _add_sub_test(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._note(err)
            err = self._trimmed(err)
        self._result.addSubTest(test, subtest, err)
        if err is not None:
            self._pause(subtest, err[1])

    def _trimmed(self, err: Any) -> Any:
        kind, error, traceback = err
        if not (isinstance(error, LiveServerError) or is_app_error(error)):
            return err
        # The cause has the app's frames. A traceback of ours is not shown; but pytest's result and
        # debuggers need one.
        of_unittest = isinstance(self._result, unittest.TestResult)
        users = up_to_users(traceback) if of_unittest else None
        traceback = users or from_last_runner(traceback)
        return kind, error.with_traceback(traceback), traceback

    def _note_first(self, err: Any) -> None:
        if not self._noted:
            self._note(err)

    def _note(self, err: Any, tracebacks: bool = True) -> None:
        note = self._monitor.note(tracebacks)
        if note:
            self._noted = True
            annotate(err[1], note)

    def _pause_first(self, test: Any, error: BaseException) -> None:
        if not self._paused:
            self._pause(test, error)

    def _pause(self, test: Any, error: BaseException) -> None:
        if not pauses():
            return
        from liveserver._testcase.pause import is_failure, pause  # few runs need it

        if is_failure(error, self._result):
            self._paused = True
            mark = self._monitor.mark()
            if pause(test, error, self._monitor.server):
                self._monitor.exclude_since(mark)
