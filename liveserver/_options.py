"""What the user asked for: a frozen object, checked when it is made."""

import difflib
import math
import threading
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, TypedDict

from liveserver._environment import check_environment, environment, timeouts_are_off
from liveserver._errors import ConfigurationError

# unittest leaves the frames of a module that says this out of its reports.
__unittest = True

__all__ = [
    "Options",
    "ServerOptions",
    "check_names",
    "check_values",
    "fits",
    "make_options",
    "plain_items",
]

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


@dataclass(frozen=True, slots=True)
class Options:
    """The checked options of one server; see `LiveServer` for what each one means."""

    factory: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    public_host: str | None = None
    tls: bool = False
    startup_timeout: float = 10.0
    shutdown_timeout: float = 5.0
    uvicorn_config: Mapping[str, Any] = field(default_factory=dict)

    # Of the environment, not of the user's code; for as long as the server lives.
    unbounded: bool = field(init=False, default_factory=timeouts_are_off)

    def __post_init__(self) -> None:
        check_environment()
        for name, value in (("factory", self.factory), ("tls", self.tls)):
            if not isinstance(value, bool):
                raise _wrong(name, value, "True or False")
        _check_host("host", self.host)
        if self.public_host is not None:
            _check_host("public_host", self.public_host)
        if not fits(self.port, int) or not 0 <= self.port <= 65535:
            raise _wrong("port", self.port, "0 (any free port) or a port number up to 65535")
        _check_seconds("startup_timeout", self.startup_timeout, least="more than 0")
        _check_seconds("shutdown_timeout", self.shutdown_timeout, least="0 or more")
        # A copy, so that what was checked is what is used.
        object.__setattr__(self, "uvicorn_config", _checked_uvicorn_config(self.uvicorn_config))
        if self.tls:
            _refuse_certificates(self.uvicorn_config)

    def bound(self, seconds: float) -> float:
        """Return the seconds that a wait may last. Every wait between two threads asks here."""
        return threading.TIMEOUT_MAX if self.unbounded else seconds


# How many values stand before uvicorn_config.
_OTHERS = [each.name for each in fields(Options)].index("uvicorn_config")


def make_options(*values: Any) -> Options:
    """Do what `Options` does. Servers that are asked for alike share one object.

    Args:
        values: Those of `Options`, all of them and in its order.

    Raises:
        ConfigurationError: A value is wrong.
    """
    uvicorn_config = values[_OTHERS]
    items = plain_items(uvicorn_config) if type(uvicorn_config) is dict else None
    if items is not None:
        try:
            return _make_once(environment(), *values[:_OTHERS], *items)
        except TypeError:
            pass  # a value cannot be hashed, and is wrong
    return Options(*values)


# By type too, as 1 and True are equal. What raises is not kept.
@lru_cache(maxsize=32, typed=True)
def _make_once(_environment: object, *flat: Any) -> Options:
    items = flat[_OTHERS:]
    return Options(*(*flat[:_OTHERS], dict(zip(items[::2], items[1::2], strict=True))))


def plain_items(given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return name, value, name, value, as a key for a cache; None if a value is not plain."""
    for value in given.values():
        if type(value) not in _PLAIN:
            return None
    return tuple(chain.from_iterable(given.items()))


def check_names(given: Iterable[object], known: Collection[str], what: str) -> None:
    """Refuse a name that is not known, and say which one may have been meant.

    Raises:
        ConfigurationError: A name in `given` is not in `known`.
    """
    for name in given:
        if name not in known:
            names = sorted(known)
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(names)}."
            raise ConfigurationError(f"{what} has no option {name!r}. {hint}")


def check_values(given: Mapping[str, Any], hints: Mapping[str, Any], what: str) -> None:
    """Refuse a name that is not known, and a value that is not of its annotation.

    Raises:
        ConfigurationError: A name or a value in `given` is not as `hints` say.
    """
    check_names(given, hints, what)
    for name, value in given.items():
        if not fits(value, hints[name]):
            raise ConfigurationError(
                f"{what}: {name}={value!r} is not valid. Use {_in_words(hints[name])}."
            )


def _in_words(annotation: Any) -> str:
    """Write an annotation as its author did: `int`, `Literal['auto', 'on', 'off']`.

    Old versions of uvicorn say `Optional[int]` where later ones say `int | None`.
    """
    if isinstance(annotation, type):
        return annotation.__name__
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " | ".join("None" if one is type(None) else _in_words(one) for one in arguments)
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def fits(value: object, annotation: Any) -> bool:
    """Tell whether a value is what a type annotation of an option says.

    It knows the annotations that occur on options. One that it does not know fits everything,
    as the value's user then is the better judge.
    """
    if annotation in (int, float):
        # bool is an int to Python, and a mistake to everybody else.
        number = int if annotation is int else (int, float)
        return isinstance(value, number) and not isinstance(value, bool)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list | tuple) and all(fits(each, arguments[0]) for each in value)
    if origin is tuple:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(arguments)
            and all(map(fits, value, arguments))
        )
    if origin is Callable or annotation is Callable:
        return callable(value)
    if origin is typing.IO:
        return hasattr(value, "read")
    if isinstance(origin or annotation, type) and annotation is not Any:
        return isinstance(value, origin or annotation)
    return True


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
    return MappingProxyType(dict(value))


def _refuse_certificates(uvicorn_config: Mapping[str, Any]) -> None:
    for name in ("ssl_certfile", "ssl_keyfile", "ssl_keyfile_password"):
        if name in uvicorn_config:
            raise ConfigurationError(
                f"uvicorn_config cannot hold {name!r} beside tls=True, which brings a certificate "
                "of its own. Leave out one of the two."
            )
