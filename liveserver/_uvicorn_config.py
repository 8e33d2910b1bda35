"""uvicorn's configuration: checked, made once for servers that are alike, copied for each."""

import asyncio
import logging
import threading
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import uvicorn
from uvicorn.logging import TRACE_LOG_LEVEL

from liveserver._asgi import ASGIApp, Receive, Scope, Send
from liveserver._environment import read
from liveserver._errors import ConfigurationError
from liveserver._options import plain_items
from liveserver._values import check_values

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["WITHOUT_TIMEOUTS", "Configuration", "configure"]

_T = TypeVar("_T")

_logger = logging.getLogger("uvicorn.error")

# A client that stands at a breakpoint answers no ping and sends nothing on an open connection.
WITHOUT_TIMEOUTS: Mapping[str, Any] = {
    "timeout_keep_alive": threading.TIMEOUT_MAX,
    "ws_ping_interval": None,
}


async def _placeholder(scope: Scope, receive: Receive, send: Send) -> None:
    """Be the app of a configuration that several servers share; each puts its own in its place.

    uvicorn has nothing to guess about it: its interface is given, and as it does not come without
    arguments it is not taken for a factory.
    """


def _put_in_place(wrapped: Any, app: ASGIApp) -> Any:
    """Copy the middleware that uvicorn's configuration put around the placeholder."""
    if wrapped is _placeholder:
        return app
    middleware = _copy(wrapped)
    middleware.app = _put_in_place(wrapped.app, app)
    return middleware


def _copy(thing: _T) -> _T:
    """Do what copy.copy() does with a plain object, in a tenth of the time."""
    copied = object.__new__(type(thing))
    vars(copied).update(vars(thing))
    return copied


class Configuration:
    """uvicorn's configuration, loaded and checked."""

    def __init__(
        self,
        config: uvicorn.Config,
        make_loop: Callable[[], asyncio.AbstractEventLoop],
        changes_loggers: bool,
    ) -> None:
        self.config = config
        self.make_loop = make_loop
        self.changes_loggers = changes_loggers

    def copy(self, app: ASGIApp) -> uvicorn.Config:
        """Return a copy for one server, with its app."""
        config = _copy(self.config)
        config.loaded_app = _put_in_place(config.loaded_app, app)
        return config


# What uvicorn imports only where an option asks for it, by the name of the module.
_PACKAGES = {
    "dotenv": "python-dotenv",
    "httptools": "httptools",
    "uvloop": "uvloop",
    "websockets": "websockets",
    "wsproto": "wsproto",
    "zttp": "zttp",
}

# Making a configuration is the most expensive part of a start, and most servers of a suite have
# the same. One is shared if its values are plain and name nothing that is read anew each time.
_READ_ANEW = ("ssl_", "env_file", "log_config")

# These change loggers of the whole process as soon as uvicorn.Config sees them.
_LOG_OPTIONS = ("log_config", "log_level", "access_log", "use_colors")


def configure(given: Mapping[str, Any]) -> Configuration:
    """Make uvicorn's configuration for a server.

    Args:
        given: uvicorn's options, by name.

    Raises:
        ConfigurationError: `uvicorn_config` holds an unknown name or a value that uvicorn refuses.
    """
    allowed_proxies = read("FORWARDED_ALLOW_IPS")
    trace = _logger.getEffectiveLevel() <= TRACE_LOG_LEVEL
    items = plain_items(given)
    if items is None:
        return _configure(given)
    for name in given:
        if name.startswith(_READ_ANEW):
            return _configure(given)
    return _configure_once(trace, allowed_proxies, *items)


# By type too, as 1 and True are equal.
@lru_cache(maxsize=32, typed=True)
def _configure_once(trace: bool, allowed_proxies: str | None, *items: Any) -> Configuration:
    # The first two are what uvicorn looks at besides its arguments.
    return _configure(dict(zip(items[::2], items[1::2], strict=True)))


def _configure(given: Mapping[str, Any]) -> Configuration:
    check_values(given, _parameters(), "uvicorn_config")
    logs = {name: given[name] for name in _LOG_OPTIONS if name in given}
    others = {name: value for name, value in given.items() if name not in logs}
    try:
        config = uvicorn.Config(
            _placeholder, interface="asgi3", workers=1, log_config=None, **others
        )
        config.load()
        make_loop = config.get_loop_factory() or asyncio.new_event_loop
    except (Exception, SystemExit) as error:
        values = ", ".join(f"{name}={value!r}" for name, value in others.items())
        raise ConfigurationError(_refusal(error, values)) from error
    for name, value in logs.items():
        setattr(config, name, value)
    return Configuration(config, make_loop, bool(logs))


def _refusal(error: BaseException, values: str) -> str:
    package = _PACKAGES.get(getattr(error, "name", None) or "")
    if isinstance(error, ModuleNotFoundError) and package is not None:
        return (
            f"uvicorn needs the package {package} for {values}, and that is not installed. "
            f"Install it: pip install {package}"
        )
    text = str(error).rstrip(".")
    return (
        f"uvicorn refuses its configuration, {values}: {type(error).__name__}: {text}. "
        "Correct it; uvicorn's documentation says what it takes."
    )


@lru_cache(maxsize=1)
def _parameters() -> dict[str, Any]:
    """The names and types of uvicorn's options, a little more exact than it says itself."""
    hints = typing.get_type_hints(uvicorn.Config.__init__)
    hints.pop("return", None)
    hints["log_level"] = typing.Literal[tuple(uvicorn.config.LOG_LEVELS)] | int | None
    # It says int where asyncio takes any number of seconds.
    floats = {name: float for name in hints if name.startswith("timeout_") and hints[name] is int}
    return hints | floats
