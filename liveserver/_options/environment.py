"""The environment variables, for a person who examines a test."""

import os

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["check_environment", "pauses", "timeouts_are_off"]

# Each name, and the value that switches it on. Unset or empty, it is off.
_SWITCHES = {"LIVESERVER_PAUSE": "1", "LIVESERVER_TIMEOUTS": "off"}


def pauses() -> bool:
    """Whether a failing test keeps its server until Enter is pressed."""
    return _is_set("LIVESERVER_PAUSE")


def timeouts_are_off() -> bool:
    """Whether waits have no bounds, for a person with a debugger."""
    return _is_set("LIVESERVER_TIMEOUTS")


def check_environment() -> None:
    """Refuse a value that has no meaning.

    Raises:
        ConfigurationError: A variable has another value than the one that it knows.
    """
    for name, on in _SWITCHES.items():
        value = os.environ.get(name)
        if value and value != on:
            raise ConfigurationError(
                f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
            ) from None


def _is_set(name: str) -> bool:
    return os.environ.get(name) == _SWITCHES[name]
