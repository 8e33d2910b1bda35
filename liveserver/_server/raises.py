"""The context in whose block an app is right to raise."""

import re
from typing import Any, Self

from liveserver._errors import describe_error, leaves_of, text_of
from liveserver._reporting.wording import listed
from liveserver._requests.record import RequestRecord
from liveserver._server.watch import Watch

__unittest = __tracebackhide__ = True

__all__ = ["ExceptionTypes", "ServerRaises", "check_exception_types"]

_MAX_SHOWN = 20

ExceptionTypes = type[BaseException] | tuple[type[BaseException], ...]


def check_exception_types(expected: object) -> None:
    """Raise TypeError if this is no type of exceptions, nor a tuple of them."""
    for kind in expected if isinstance(expected, tuple) else (expected,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"An exception type or a tuple of them is needed, not {kind!r}.")


class ServerRaises:
    """The context of `LiveServer.raises` and `assertServerRaises`, for `with` and `async with`.

    Attributes:
        exception: The exception that the app raised; after the block.
        request: The request in which it did, a `ServedRequest`; after the block.
    """

    def __init__(
        self,
        server: Any,  # a ServerControl; None looks at all servers
        expected: ExceptionTypes,
        pattern: "str | re.Pattern[str] | None",
        failure: type[BaseException],
    ) -> None:
        self._server = server
        self._expected = expected
        self._pattern = re.compile(pattern or "")
        self._failure = failure

    def __enter__(self) -> Self:
        self._watch = Watch(self._server)
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        watch = self._end()
        if exc_type is None:
            watch.finish_requests()
            self._check(watch)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        watch = self._end()
        if exc_type is None:
            await watch.afinish_requests()
            self._check(watch)

    def _end(self) -> Watch:
        watch = self._watch
        del self._watch  # the context may outlive its test, and the log keeps what is watched
        return watch

    def _check(self, watch: Watch) -> None:
        spans = list(watch.spans.values())
        records = sorted(
            (record for span in spans for record in span.requests()),
            key=lambda record: record.started,
        )
        raised = [record for record in records if record.exception is not None]
        of_type = [record for record in raised if self._leaves(record)]
        if not of_type:
            raise self._failure(f"{self._names()} was not raised by the app. {_instead(records)}")
        matching = [record for record in of_type if any(map(self._matches, self._leaves(record)))]
        if not matching:
            text = _text(self._leaves(of_type[0])[0])
            raise self._failure(f'"{self._pattern.pattern}" does not match "{text}"')
        first = matching[0]
        assert first.exception is not None
        self.exception = first.exception
        self.request = first.served()
        for record in matching:
            self._accept(record)

    def _matches(self, error: BaseException) -> bool:
        return isinstance(error, self._expected) and bool(self._pattern.search(_text(error)))

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
            rest = error.split(lambda each: self._matches(each))[1]  # Python 3.11 takes no method
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
        f"It was asked in the block:{listed(str(each.served()) for each in records[-_MAX_SHOWN:])}"
    )
