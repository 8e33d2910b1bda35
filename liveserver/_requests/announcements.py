"""Exceptions that a framework turns into a 500 by itself.

Flask, Quart and Django catch what a handler raises, and announce it by a signal. Other frameworks
have a setting; `SETTINGS` has the hint for the note of a failing test.
"""

import sys
from typing import Any

from liveserver._requests.middleware import current_record

__all__ = ["SETTINGS", "subscribe"]

# Of each framework: the module and the name of its signal.
_SIGNALS = (
    ("flask.signals", "got_request_exception"),
    ("quart.signals", "got_request_exception"),
    ("django.core.signals", "got_request_exception"),
)

# Of each framework without a signal: what makes its exceptions leave the app.
SETTINGS = {
    "falcon": "add an error handler for Exception that raises it: app.add_error_handler()",
    "litestar": "pass exception_handlers={Exception: <a function that raises it>}",
}


def subscribe() -> None:
    """Listen to the signals of the frameworks that are imported; a second time changes nothing."""
    for module, name in _SIGNALS:
        signal: Any = getattr(sys.modules.get(module), name, None)
        if signal is not None:
            signal.connect(_on_exception if "quart" not in module else _on_exception_async)


def _on_exception(sender: Any, exception: BaseException | None = None, **_: Any) -> None:
    """Record what the handler of the current request raised."""
    record = current_record.get()
    error = exception or sys.exception()  # Django says it in this way
    if record is not None and error is not None:
        record.announced = error


async def _on_exception_async(sender: Any, exception: BaseException, **_: Any) -> None:
    _on_exception(sender, exception)
