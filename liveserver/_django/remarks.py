"""Why Django refused a request: for the notes of failing tests."""

import contextlib
import logging
from collections.abc import Iterator

from liveserver._requests.middleware import current_record

__all__ = ["remarks"]

# What answers 400 for a wrong host, and 403 for a missing CSRF token, says there why.
_LOGGERS = ("django.security.DisallowedHost", "django.security.csrf")


def _remark(record: logging.LogRecord) -> bool:
    request = current_record.get()
    if request is not None:
        request.remark = record.getMessage()
    return True


@contextlib.contextmanager
def remarks() -> Iterator[None]:
    """Record in the block why Django refuses requests.

    By filters: `django.setup()`, which the import of a project's `asgi.py` calls again, takes the
    handlers of these loggers away.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_remark)
    try:
        yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(_remark)
