"""What the app raised in a test, as an error of the test."""

from collections.abc import Iterable

from liveserver._errors import AppError
from liveserver._reporting.tracebacks import chain, plain_traceback
from liveserver._reporting.wording import raised_at
from liveserver._requests.log import Failure
from liveserver._requests.record import RequestRecord

__unittest = __tracebackhide__ = True

__all__ = ["failure_line", "is_app_error", "raise_app_errors"]


def raise_app_errors(failures: Iterable[Failure]) -> None:
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


def failure_line(failure: Failure) -> str:
    """Say what raised what, and where."""
    text = failure.served() if isinstance(failure, RequestRecord) else failure
    place = "" if failure.exception is None else f", {raised_at(failure.exception)}"
    return f"{text}{place}"
