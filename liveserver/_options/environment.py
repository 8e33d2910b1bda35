"""The environment variables, for debugging."""

import logging
import os
from typing import NamedTuple

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["Environment", "pauses", "read_environment"]

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


class Environment(NamedTuple):
    """What the variables say of a server.

    Attributes:
        log_level: The level from which on notes have what was logged; None if they have nothing.
        unbounded: Whether waits have no bounds, for a debugger.
    """

    log_level: int | None = None
    unbounded: bool = False


def read_environment() -> Environment:
    """Read the variables that a server needs, and check all.

    Raises:
        ConfigurationError: A value has no meaning.
    """
    pauses()
    return Environment(_log_level(), _is_set("LIVESERVER_TIMEOUTS"))


def pauses() -> bool:
    """Return whether a failing test keeps its server until Enter is pressed."""
    return _is_set("LIVESERVER_PAUSE")


def _log_level() -> int | None:
    given = os.environ.get("LIVESERVER_LOG")
    if not given:
        return None
    level = _LEVELS.get(given.upper())
    if level is None:
        raise ConfigurationError(
            f"The environment variable LIVESERVER_LOG is {given!r}. Set it to "
            f"{', '.join(map(str.lower, _LEVELS))}, or unset it."
        )
    return level


def _is_set(name: str) -> bool:
    value, on = os.environ.get(name), _SWITCHES[name]
    if value and value != on:
        raise ConfigurationError(
            f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
        )
    return value == on
