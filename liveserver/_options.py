"""What the user asked for: a frozen object, checked when it is made."""

import math
import threading
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

from liveserver._environment import check_environment, environment, timeouts_are_off
from liveserver._errors import ConfigurationError
from liveserver._values import fits

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["GRACE", "Options", "ServerOptions", "make_options", "plain_items"]

# Seconds for what takes less than a millisecond unless something is wrong: that a cut request
# ends, that a cancelled task ends, that a stopped loop is closed.
GRACE = 0.5

# Values of these types can stand in the key of a cache, and mean the same for ever.
_PLAIN = {str, int, float, bool, type(None)}


class ServerOptions(TypedDict, total=False):
    """The keyword arguments of `LiveServer`, as `server_options` on a test class takes them."""

    factory: bool
    host: str
    port: int
    public_host: str | None
    tls: bool
    startup_timeout: float
    shutdown_timeout: float
    uvicorn_config: Mapping[str, Any] | None


class Options(NamedTuple):
    """The checked options of one server, made by `make_options`.

    See `LiveServer` for what each one means.
    """

    factory: bool
    host: str
    port: int
    public_host: str | None
    tls: bool
    startup_timeout: float
    shutdown_timeout: float
    uvicorn_config: Mapping[str, Any]

    # Of the environment, not of the user's code; for as long as the server lives.
    unbounded: bool

    def bound(self, seconds: float) -> float:
        """Return the seconds that a wait may last. Every wait between two threads asks here."""
        return threading.TIMEOUT_MAX if self.unbounded else seconds


# How many of them stand before uvicorn_config.
_VALUES = Options._fields.index("uvicorn_config")


def make_options(
    *,
    factory: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
    public_host: str | None = None,
    tls: bool = False,
    startup_timeout: float = 10.0,
    shutdown_timeout: float = 5.0,
    uvicorn_config: Mapping[str, Any] | None = None,
) -> Options:
    """Check the options of a server. Servers that are asked for alike share one object.

    Raises:
        ConfigurationError: A value is wrong.
    """
    config = {} if uvicorn_config is None else uvicorn_config
    values = (factory, host, port, public_host, tls, startup_timeout, shutdown_timeout)
    items = plain_items(config) if type(config) is dict else None
    if items is not None:
        try:
            return _make_once(environment(), *values, *items)
        except TypeError:
            pass  # a value cannot be hashed, and is wrong
    return _make(values, config)


# By type too, as 1 and True are equal. What raises is not kept.
@lru_cache(maxsize=32, typed=True)
def _make_once(_environment: object, *flat: Any) -> Options:
    items = flat[_VALUES:]
    return _make(flat[:_VALUES], dict(zip(items[::2], items[1::2], strict=True)))


def _make(values: tuple[Any, ...], uvicorn_config: object) -> Options:
    """Make the options of their values, those up to `uvicorn_config`, and of that."""
    check_environment()
    config = _checked_uvicorn_config(uvicorn_config)
    options = Options._make((*values, config, timeouts_are_off()))
    for name in ("factory", "tls"):
        value = getattr(options, name)
        if not isinstance(value, bool):
            raise _wrong(name, value, "True or False")
    _check_host("host", options.host)
    if options.public_host is not None:
        _check_host("public_host", options.public_host)
    if not fits(options.port, int) or not 0 <= options.port <= 65535:
        raise _wrong("port", options.port, "0 (any free port) or a port number up to 65535")
    _check_seconds("startup_timeout", options.startup_timeout, least="more than 0")
    _check_seconds("shutdown_timeout", options.shutdown_timeout, least="0 or more")
    if options.tls:
        _refuse_certificates(config)
    return options


def plain_items(given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return name, value, name, value, as a key for a cache; None if a value is not plain."""
    for value in given.values():
        if type(value) not in _PLAIN:
            return None
    return tuple(chain.from_iterable(given.items()))


def _wrong(name: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"LiveServer: {name}={value!r} is not valid. Use {wanted}.")


def _check_host(name: str, value: object) -> None:
    if not isinstance(value, str) or not value or value != value.strip():
        raise _wrong(name, value, 'a host name or an IP address, such as "127.0.0.1"')
    if value.startswith("["):
        raise _wrong(name, value, f"the address without brackets: {value.strip('[]')!r}")
    if any(sign in value for sign in "/@?# ") or (value.count(":") == 1):
        raise _wrong(name, value, "a host alone, without scheme, port or path")


def _check_seconds(name: str, value: object, least: str) -> None:
    wanted = f"a number of seconds, {least}"
    if not fits(value, float):
        raise _wrong(name, value, wanted)
    assert isinstance(value, int | float)
    if math.isnan(value) or value < 0 or (value == 0 and least != "0 or more"):
        raise _wrong(name, value, wanted)
    if value > threading.TIMEOUT_MAX:
        raise _wrong(name, value, f"{wanted} and at most {threading.TIMEOUT_MAX:.0f}")


# The options of uvicorn that liveserver sets itself, and what to do instead.
_OWNED: Mapping[str, str] = {
    "app": 'Give the app as the first argument of LiveServer, or as "app" on the test class.',
    "host": 'Use the option "host" of LiveServer, beside uvicorn_config.',
    "port": 'Use the option "port" of LiveServer, beside uvicorn_config.',
    "uds": 'liveserver listens on TCP: use the options "host" and "port" of LiveServer.',
    "fd": 'liveserver opens the socket: use the options "host" and "port" of LiveServer.',
    "workers": "liveserver runs one server in a thread of this process. Leave it out.",
    "factory": 'Use the option "factory" of LiveServer, or create_app() on the test class.',
    "interface": "liveserver finds out the app's interface itself. Leave it out.",
    "timeout_graceful_shutdown": 'Use the option "shutdown_timeout" of LiveServer.',
}


def _checked_uvicorn_config(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong("uvicorn_config", value, 'a mapping, such as {"loop": "asyncio"}')
    for name in value:
        if not isinstance(name, str):
            raise _wrong("uvicorn_config", value, f"names of uvicorn's options; {name!r} is none")
        place = _OWNED.get(name)
        if name.startswith("reload"):
            place = "A test's server does not reload. Leave it out."
        if place is not None:
            raise ConfigurationError(f"uvicorn_config cannot hold {name!r}. {place}")
    return MappingProxyType(dict(value))  # a copy, so that what was checked is what is used


def _refuse_certificates(uvicorn_config: Mapping[str, Any]) -> None:
    for name in ("ssl_certfile", "ssl_keyfile", "ssl_keyfile_password"):
        if name in uvicorn_config:
            raise ConfigurationError(
                f"uvicorn_config cannot hold {name!r} beside tls=True, which brings a certificate "
                "of its own. Leave out one of the two."
            )
