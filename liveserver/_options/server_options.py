"""The options of one server, checked and frozen."""

import inspect
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

from liveserver._errors import ConfigurationError
from liveserver._options.environment import Environment, read_environment
from liveserver._options.validation import check_names, is_seconds, matches_annotation

__unittest = __tracebackhide__ = True

__all__ = ["Options", "ServerOptions", "make_options", "server_signature"]


class ServerOptions(TypedDict, total=False):
    """The keyword arguments of `LiveServer`, and the type of `server_options` on a test class."""

    factory: bool
    host: str
    port: int
    public_host: str | None
    tls: bool
    startup_timeout: float
    shutdown_timeout: float
    raise_server_errors: bool
    uvicorn_config: Mapping[str, Any] | None


class Options(NamedTuple):
    """The checked options of one server, with their defaults. `LiveServer` documents each."""

    factory: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    public_host: str | None = None
    tls: bool = False
    startup_timeout: float = 10.0
    shutdown_timeout: float = 5.0
    raise_server_errors: bool = True
    uvicorn_config: Mapping[str, Any] = MappingProxyType({})
    environment: Environment = Environment()

    def bound(self, seconds: float) -> float:
        """Return how many seconds a wait between threads may last."""
        most = threading.TIMEOUT_MAX
        return most if self.environment.unbounded else min(seconds, most)


def make_options(given: ServerOptions) -> Options:
    """Check the options of a server, and add the defaults.

    Raises:
        ConfigurationError: A name or a value is wrong.
    """
    environment = read_environment()  # a wrong value is an error for each server
    check_names(given, _CHECKS, "LiveServer")
    values: dict[str, Any] = {**given}
    for name, value in given.items():
        _CHECKS[name](name, value)
    if values.get("uvicorn_config") is None:
        values.pop("uvicorn_config", None)
    else:
        # A copy, so that later changes of the mapping have no effect.
        values["uvicorn_config"] = MappingProxyType(without_owned(values["uvicorn_config"]))
        if values.get("tls"):
            _refuse_certificates(values["uvicorn_config"])
    return Options(**values, environment=environment)


def server_signature() -> inspect.Signature:
    """Return the signature of `LiveServer`, for `inspect` and `help`."""
    defaults = {**Options._field_defaults, "uvicorn_config": None}
    kind = inspect.Parameter.KEYWORD_ONLY
    options = (
        inspect.Parameter(name, kind, default=defaults[name], annotation=hint)
        for name, hint in ServerOptions.__annotations__.items()
    )
    app = inspect.Parameter("app", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=object)
    return inspect.Signature([app, *options])


def _wrong(name: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"LiveServer: {name}={value!r} is not valid. Use {wanted}.")


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")


def _check_host(name: str, value: object) -> None:
    if not (isinstance(value, str) and value and value == value.strip()):
        raise _wrong(name, value, 'a host name or an IP address, such as "127.0.0.1"')
    if value.startswith("["):
        raise _wrong(name, value, f"the address without brackets: {value.strip('[]')!r}")
    if any(sign in value for sign in "/@?# ") or value.count(":") == 1:
        raise _wrong(name, value, "a host alone, without scheme, port or path")


def _check_public_host(name: str, value: object) -> None:
    if value is not None:
        _check_host(name, value)


def _check_port(name: str, value: Any) -> None:
    if not matches_annotation(value, int) or not 0 <= value <= 65535:
        raise _wrong(name, value, "0 (any free port) or a port number up to 65535")


def _check_startup_timeout(name: str, value: object) -> None:
    if not is_seconds(value) or not value:
        raise _wrong(name, value, "a number of seconds, more than 0")


def _check_shutdown_timeout(name: str, value: object) -> None:
    if not is_seconds(value):
        raise _wrong(name, value, "a number of seconds, 0 or more")


# uvicorn's options that liveserver sets, and what to use instead of another value.
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


def _check_uvicorn_config(_name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise _wrong("uvicorn_config", value, 'a mapping, such as {"loop": "asyncio"}')
    for name in value:
        if not isinstance(name, str):
            raise _wrong("uvicorn_config", value, f"names of uvicorn's options; {name!r} is none")
        place = _OWNED.get(name)
        if name.startswith("reload"):
            place = "A test's server does not reload. Leave it out."
        if place is not None and not _means_nothing(name, value[name]):
            raise ConfigurationError(f"uvicorn_config cannot hold {name!r}. {place}")


# Values that change nothing here, as they stand in a configuration that an app has for production.
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "workers": (None, 1),
    "factory": (False,),
    "interface": ("auto",),
    "timeout_graceful_shutdown": (None,),
    "uds": (None,),
    "fd": (None,),
    "reload": (False, None),
    "reload_dirs": (None, []),
    "reload_includes": (None, []),
    "reload_excludes": (None, []),
    "reload_delay": (0.25, None),
}


def _means_nothing(name: str, value: object) -> bool:
    """Whether a value of an option that liveserver owns would change nothing."""
    return any(type(each) is type(value) and each == value for each in _NEUTRAL.get(name, ()))


def without_owned(uvicorn_config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of uvicorn that liveserver does not set."""
    return {name: uvicorn_config[name] for name in uvicorn_config if name not in _NEUTRAL}


def _refuse_certificates(uvicorn_config: Mapping[str, Any]) -> None:
    for name in ("ssl_certfile", "ssl_keyfile", "ssl_keyfile_password"):
        if name in uvicorn_config:
            raise ConfigurationError(
                f"uvicorn_config cannot hold {name!r} beside tls=True, which brings a certificate "
                "of its own. Leave out one of the two."
            )


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "factory": _check_flag,
    "host": _check_host,
    "port": _check_port,
    "public_host": _check_public_host,
    "raise_server_errors": _check_flag,
    "tls": _check_flag,
    "startup_timeout": _check_startup_timeout,
    "shutdown_timeout": _check_shutdown_timeout,
    "uvicorn_config": _check_uvicorn_config,
}
