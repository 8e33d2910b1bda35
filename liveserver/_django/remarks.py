"""Why Django refused a request: for the notes of failing tests."""

import contextlib
import logging
from collections.abc import Iterator

from liveserver._requests.middleware import current_record

__all__ = ["remarks"]

# What answers 400 for a wrong host, and 403 for a missing CSRF token, says there why.
_LOGGERS = ("django.security.DisallowedHost", "django.security.csrf")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        request = current_record.get()
        if request is not None:
            request.remark = record.getMessage()


@contextlib.contextmanager
def remarks() -> Iterator[None]:
    """Record in the block why Django refuses requests."""
    handler = _Handler()
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(handler)
