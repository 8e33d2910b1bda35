"""What the environment says: the two variables for a person who looks into a test."""

import os
from functools import lru_cache

from liveserver._errors import ConfigurationError

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["check_environment", "environment", "pauses", "read", "timeouts_are_off"]

# Name -> the value that switches it on. Unset and empty leave it as it is.
_SWITCHES = {"LIVESERVER_PAUSE": "1", "LIVESERVER_TIMEOUTS": "off"}


def pauses() -> bool:
    """Whether a failing test keeps its server until somebody presses Enter."""
    return _is_set("LIVESERVER_PAUSE")


def timeouts_are_off() -> bool:
    """Whether every wait lasts as long as it takes, for somebody with a debugger."""
    return _is_set("LIVESERVER_TIMEOUTS")


def read(name: str) -> str | None:
    """Do what `os.environ.get` does, which takes 3 microseconds for a name that is not set.

    Each server asks for several, and they hardly ever are.
    """
    kept = getattr(os.environ, "_data", None)  # by the system's own form of the name
    if kept is not None and _encoded(name) not in kept:
        return None
    return os.environ.get(name)


@lru_cache(maxsize=8)
def _encoded(name: str) -> str | bytes:
    return os.fsencode(name) if os.name == "posix" else name


def environment() -> tuple[str | None, ...]:
    """Return what the variables are now, as a key for what depends on them."""
    return tuple(map(read, _SWITCHES))


def check_environment() -> None:
    """Refuse a value that means nothing, as whoever set it meant something.

    Raises:
        ConfigurationError: A variable has another value than the one that it knows.
    """
    for (name, on), value in zip(_SWITCHES.items(), environment(), strict=True):
        if value and value != on:
            raise ConfigurationError(
                f"The environment variable {name} is {value!r}. Set it to {on!r}, or unset it."
            ) from None


def _is_set(name: str) -> bool:
    return read(name) == _SWITCHES[name]
