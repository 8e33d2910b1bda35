"""The environment variables, for debugging."""

import os

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["check_environment", "pauses", "timeouts_are_off"]

# The value that switches each one on. Unset or empty, it is off.
_SWITCHES = {"LIVESERVER_PAUSE": "1", "LIVESERVER_TIMEOUTS": "off"}


def pauses() -> bool:
    """Return whether a failing test keeps its server until Enter is pressed."""
    return _is_set("LIVESERVER_PAUSE")


def timeouts_are_off() -> bool:
    """Return whether waits have no bounds, for a debugger."""
    return _is_set("LIVESERVER_TIMEOUTS")


def check_environment() -> None:
    """Raise ConfigurationError if a value has no meaning."""
    for name in _SWITCHES:
        _is_set(name)


def _is_set(name: str) -> bool:
    value, on = os.environ.get(name), _SWITCHES[name]
    if value and value != on:
        raise ConfigurationError(
            f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
        )
    return value == on
