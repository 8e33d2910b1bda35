"""The errors of the app in a test: raised, or expected."""

import re
from typing import Self

from liveserver._errors import AppError, describe_error, leaves_of, text_of
from liveserver._monitor.span import MAX_SHOWN, RequestSpan, failure_line
from liveserver._reporting.tracebacks import chain, plain_traceback
from liveserver._reporting.wording import listed
from liveserver._requests.log import Failure
from liveserver._requests.record import RequestRecord
from liveserver._server.live_server import LiveServer
from liveserver._sync.threads import run_in_thread

__unittest = __tracebackhide__ = True

__all__ = ["ServerRaises", "is_app_error", "raise_app_errors"]


def raise_app_errors(failures: list[Failure]) -> None:
    """Raise what the app raised, once.

    Raises:
        AppError: One request raised, and no test was told yet.
        ExceptionGroup: Several did; it holds an `AppError` for each.
    """
    errors = []
    for failure in failures:
        if failure.exception is not None and not failure.reported:
            failure.reported = True
            errors.append(_app_error(failure, failure.exception))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"The app raised in {len(errors)} requests", errors)


def is_app_error(error: BaseException) -> bool:
    """Whether `raise_app_errors` raised it."""
    several = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return all(isinstance(each, AppError) for each in several)


def _app_error(failure: Failure, cause: BaseException) -> AppError:
    error = AppError(failure_line(failure), plain_traceback(cause))
    chain(error, cause)
    return error


class ServerRaises:
    """The context of `assertServerRaises`.

    Attributes:
        exception: The exception that the app raised; after the block.
        request: The request in which it did, a `ServedRequest`; after the block.
    """

    def __init__(
        self,
        server: LiveServer,
        expected: type[BaseException] | tuple[type[BaseException], ...],
        pattern: "str | re.Pattern[str] | None",
        failure: type[BaseException],
    ) -> None:
        self._server = server
        self._expected = expected
        self._pattern = pattern
        self._failure = failure

    def __enter__(self) -> Self:
        self._span = RequestSpan(self._server)
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            self._span.finish_requests()
            self._check()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None:
            await run_in_thread(self._span.finish_requests)
            self._check()

    def _check(self) -> None:
        records = self._span.requests()
        raised = [record for record in records if record.exception is not None]
        of_type = [record for record in raised if self._leaves(record)]
        if not of_type:
            raise self._failure(f"{self._names()} was not raised by the app. {_instead(records)}")
        pattern = re.compile(self._pattern or "")
        matching = [
            record
            for record in of_type
            if any(pattern.search(_text(each)) for each in self._leaves(record))
        ]
        if not matching:
            text = _text(self._leaves(of_type[0])[0])
            raise self._failure(f'"{pattern.pattern}" does not match "{text}"')
        first = matching[0]
        assert first.exception is not None
        self.exception = first.exception
        self.request = first.served()
        for record in matching:
            self._accept(record)

    def _leaves(self, record: RequestRecord) -> list[BaseException]:
        """Return what a request raised that is of the expected type: itself, or leaves of it."""
        error = record.exception
        assert error is not None  # of those that raised nothing, nobody asks
        if isinstance(error, self._expected):
            return [error]
        return [each for each in leaves_of(error) if isinstance(each, self._expected)]

    def _accept(self, record: RequestRecord) -> None:
        """Take an exception as expected; other leaves of its group still fail the test."""
        error = record.exception
        rest = None
        if isinstance(error, BaseExceptionGroup) and not isinstance(error, self._expected):
            rest = error.split(self._expected)[1]
        record.reported = rest is None
        record.exception = rest or error

    def _names(self) -> str:
        expected = self._expected if isinstance(self._expected, tuple) else (self._expected,)
        return " or ".join(kind.__name__ for kind in expected)


def _text(error: BaseException) -> str:
    """Return what a pattern is searched in: for a group, the names of its leaves too."""
    return describe_error(error) if isinstance(error, BaseExceptionGroup) else text_of(error)


def _instead(records: list[RequestRecord]) -> str:
    if not records:
        return "It was not asked anything in the block."
    return (
        f"It was asked in the block:{listed(str(each.served()) for each in records[-MAX_SHOWN:])}"
    )
