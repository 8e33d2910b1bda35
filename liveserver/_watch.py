"""One test and its server: what is judged at its end, and noted and shown when it fails."""

import contextlib
from typing import Any

from liveserver._aside import AT_ONCE, aside
from liveserver._environment import pauses
from liveserver._errors import LiveServerError
from liveserver._server import LiveServer
from liveserver._trimming import from_last_runner, up_to_users
from liveserver._verdict import NOTE, Span, is_verdict, raise_app_errors

__all__ = ["Noting", "Watch"]

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True


class Watch:
    """Follows the server of one test from its beginning to its end."""

    def __init__(self, server: LiveServer | None, raises: bool) -> None:
        self._raises = raises
        self._span: Span | None = None
        self._server: LiveServer | None = None
        self._outlives = server is not None  # the test
        if server is not None:
            self.follow(server)

    def follow(self, server: LiveServer) -> None:
        """Take what the server is asked from now on for this test's."""
        self._server = server
        self._span = Span(server)

    def note(self) -> str:
        """Say what the server did in this test, and that it is gone where it should not be."""
        if self._span is None or self._server is None:
            return ""
        note = self._span.note()
        if self._outlives and not self._server.running:
            url = self._server.base_url
            gone = f"{NOTE} {url} runs no more: it was stopped, or ended by itself."
            note = f"{note}\n{gone}" if note else gone
        return note

    def pause(self, test: object, error: BaseException) -> None:
        """Show a failure, and wait for somebody who may ask the server by hand."""
        from liveserver._pause import pause

        mark = None if self._server is None else self._server._journal.last()
        if pause(test, error, self._server) and self._span is not None:
            self._span.disown(mark)

    def settle(self) -> None:
        """Wait until the test's requests have ended.

        Raises:
            ResourceWarning: Some have not, and the user makes warnings errors.
        """
        if self._span is not None:
            self._span.settle()

    async def settle_aside(self) -> None:
        """Wait for them without blocking the test's loop, on which its clients live."""
        if self._span is not None and not self._span.settles(AT_ONCE):
            await aside(self._span.settle)

    def judge(self) -> None:
        """Raise what the app raised.

        Raises:
            AppError: One request raised.
            ExceptionGroup: Several did.
        """
        if self._raises and self._span is not None:
            raise_app_errors(self._span.requests())

    def dismiss(self) -> None:
        """Judge what was asked so far, and follow the server no longer.

        Raises:
            AppError: One request raised.
            ExceptionGroup: Several did.
        """
        try:
            self.judge()
        finally:
            self._span = None

    def release(self) -> None:
        """Keep nothing alive that belonged to the test."""
        if self._span is not None:
            self._span.release()


def _add_note(error: BaseException, note: str) -> None:
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list):
        # The same exception object may have failed another test before.
        notes[:] = [each for each in notes if not str(each).startswith(NOTE)]
    error.add_note(note)


class Noting:
    """A result that adds the note about the server to what it is told first, and to subtests.

    At the same ones it pauses, where the environment says so.
    """

    def __init__(self, result: Any, watch: Watch, trims: bool) -> None:
        self._result = result
        self._watch = watch
        self._trims = trims  # unittest's own results show an exception that has no traceback
        self._noted = self._paused = False
        # Only where the result has it: unittest and old versions of pytest look.
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
        self._note_first(err)
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
        if not (isinstance(error, LiveServerError) or is_verdict(error)):
            return err
        # The app's frames are in its cause.
        traceback = up_to_users(traceback) if self._trims else from_last_runner(traceback)
        return kind, error.with_traceback(traceback), traceback

    def _note_first(self, err: Any) -> None:
        if not self._noted:
            self._note(err)

    def _note(self, err: Any) -> None:
        note = self._watch.note()
        if note:
            self._noted = True
            with contextlib.suppress(Exception):  # it may refuse, as a frozen dataclass does
                _add_note(err[1], note)

    def _pause_first(self, test: Any, error: BaseException) -> None:
        if not self._paused:
            self._pause(test, error)

    def _pause(self, test: Any, error: BaseException) -> None:
        if not pauses():
            return
        from liveserver._pause import is_failure  # which few runs need

        if is_failure(error, self._result):
            self._paused = True
            self._watch.pause(test, error)
