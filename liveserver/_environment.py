"""What the environment says: the two variables for a person who looks into a test."""

import os

from liveserver._errors import ConfigurationError

__all__ = ["check_environment", "pauses", "timeouts_are_off"]

# Name -> the value that switches it on. Unset and empty leave it as it is.
_SWITCHES = {"LIVESERVER_PAUSE": "1", "LIVESERVER_TIMEOUTS": "off"}


def pauses() -> bool:
    """Whether a failing test keeps its server until somebody presses Enter."""
    return _is_set("LIVESERVER_PAUSE")


def timeouts_are_off() -> bool:
    """Whether every wait lasts as long as it takes, for somebody with a debugger."""
    return _is_set("LIVESERVER_TIMEOUTS")


def check_environment() -> None:
    """Refuse a value that means nothing, as whoever set it meant something.

    Raises:
        ConfigurationError: A variable has another value than the one that it knows.
    """
    for name, on in _SWITCHES.items():
        value = os.environ.get(name, "")
        if value not in ("", on):
            raise ConfigurationError(
                f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
            )


def _is_set(name: str) -> bool:
    return os.environ.get(name) == _SWITCHES[name]
