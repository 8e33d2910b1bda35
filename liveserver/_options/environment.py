"""The environment variables, for debugging."""

import logging
import os

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["check_environment", "log_level", "pauses", "timeouts_are_off"]

# The value that switches each one on. Unset or empty, it is off.
_SWITCHES = {"LIVESERVER_PAUSE": "1", "LIVESERVER_TIMEOUTS": "off"}

# uvicorn's levels; `trace` is its own.
_LEVELS = {
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


def pauses() -> bool:
    """Return whether a failing test keeps its server until Enter is pressed."""
    return _is_set("LIVESERVER_PAUSE")


def timeouts_are_off() -> bool:
    """Return whether waits have no bounds, for a debugger."""
    return _is_set("LIVESERVER_TIMEOUTS")


def log_level() -> int | None:
    """Return the level from which on notes have what was logged; None if they have nothing."""
    name = os.environ.get("LIVESERVER_LOG", "").upper()
    level = _LEVELS.get(name)
    if name and level is None:
        raise ConfigurationError(
            f"The environment variable LIVESERVER_LOG is {os.environ['LIVESERVER_LOG']!r}. Set it "
            f"to {', '.join(map(str.lower, _LEVELS))}, or unset it."
        )
    return level


def check_environment() -> None:
    """Raise ConfigurationError if a value has no meaning."""
    log_level()
    for name in _SWITCHES:
        _is_set(name)


def _is_set(name: str) -> bool:
    value, on = os.environ.get(name), _SWITCHES[name]
    if value and value != on:
        raise ConfigurationError(
            f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
        )
    return value == on
