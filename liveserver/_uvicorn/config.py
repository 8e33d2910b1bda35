"""uvicorn's configuration: checked, made once for equal options; each server has an own one."""

import asyncio
import contextlib
import copy
import logging
import os
import threading
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import uvicorn
from uvicorn.logging import TRACE_LOG_LEVEL
from uvicorn.middleware.message_logger import MessageLoggerMiddleware

from liveserver._app.asgi import ASGIApp, Receive, Scope, Send
from liveserver._errors import ConfigurationError, printable, text_of
from liveserver._options.validation import as_given, check_values
from liveserver._sync.quiet_loop import new_event_loop
from liveserver._uvicorn.contracts import check_protocol, check_uvicorn
from liveserver._uvicorn.env_file import environment_of
from liveserver._uvicorn.loggers import restored_loggers
from liveserver._uvicorn.refusals import OnRefusal, noting_protocol

__unittest = __tracebackhide__ = True

__all__ = ["WITHOUT_TIMEOUTS", "Configuration", "ServerConfig", "configure"]

check_uvicorn()

_logger = logging.getLogger("uvicorn.error")

# A client that is at a breakpoint answers no ping and sends nothing on an open connection.
WITHOUT_TIMEOUTS: Mapping[str, Any] = {
    "timeout_keep_alive": threading.TIMEOUT_MAX,
    "ws_ping_interval": None,
}


async def _placeholder(scope: Scope, receive: Receive, send: Send) -> None:
    """The app of a configuration that several servers share; each replaces it by its own.

    Its arguments tell uvicorn that it is no factory.
    """


def _replace_placeholder(wrapped: Any, app: ASGIApp) -> Any:
    """Copy the middleware that uvicorn's configuration wraps around the placeholder."""
    if wrapped is _placeholder:
        return app
    middleware = copy.copy(wrapped)
    middleware.app = _replace_placeholder(wrapped.app, app)
    return middleware


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration for one server.

    Args:
        shared: The configuration, loaded, of all servers with the same options.
        app: The server's app.
        on_refusal: What the server's protocols tell of each request that they refuse themselves.
    """

    def __init__(self, shared: uvicorn.Config, app: ASGIApp, on_refusal: OnRefusal) -> None:
        # Not by uvicorn's own, which is the most expensive part of a start.
        vars(self).update(vars(shared))
        self.loaded_app = _replace_placeholder(shared.loaded_app, app)
        self.on_refusal = on_refusal


class Configuration:
    """uvicorn's configuration, loaded and checked.

    Attributes:
        config: What servers with the same options share.
        make_loop: Makes the loop of a server.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        make_loop: Callable[[], asyncio.AbstractEventLoop],
        changes_loggers: bool,
        env_file: str | os.PathLike[str] | None,
    ) -> None:
        self.config = config
        self._traces = _traces(config.loaded_app)
        self.make_loop = make_loop
        self._changes_loggers = changes_loggers
        self._env_file = env_file

    def run_with_settings(self, run: Callable[[], None]) -> None:
        """Call a function; until it returns, the user's `env_file` and log options are in force."""
        if self._env_file is None:
            return self._run_with_loggers(run)
        with environment_of(self._env_file):
            self._run_with_loggers(run)

    def _run_with_loggers(self, run: Callable[[], None]) -> None:
        if not self._changes_loggers:
            return run()
        with restored_loggers():
            self.config.configure_logging()
            run()

    def lifespan_app(self, app: ASGIApp) -> ASGIApp:
        """Return what uvicorn runs the lifespan of: at the log level TRACE it logs each message."""
        logged: Any = MessageLoggerMiddleware(app) if self._traces else app  # type: ignore[arg-type]
        return logged  # type: ignore[no-any-return]


def _traces(loaded_app: Any) -> bool:
    """Whether uvicorn has put its logging of messages around an app."""
    while loaded_app is not _placeholder:
        if isinstance(loaded_app, MessageLoggerMiddleware):
            return True
        loaded_app = loaded_app.app
    return False


# Packages that uvicorn imports only where an option needs them, by module.
_PACKAGES = {
    "dotenv": "python-dotenv",
    "httptools": "httptools",
    "uvloop": "uvloop",
    "websockets": "websockets",
    "wsproto": "wsproto",
    "zttp": "zttp",
}

# Making a configuration is the most expensive part of a start, and most servers of a suite have
# the same. It is shared if its values are of these types, and none names a file.
_PLAIN = {str, int, float, bool, type(None)}
_READ_ANEW = ("ssl_", "env_file", "log_config")

# uvicorn.Config changes the loggers of the whole process by these.
_LOG_OPTIONS = ("log_config", "log_level", "access_log", "use_colors")


def configure(given: Mapping[str, Any]) -> Configuration:
    """Make uvicorn's configuration for a server.

    Args:
        given: uvicorn's options, by name.

    Raises:
        ConfigurationError: `uvicorn_config` holds an unknown name or a value that uvicorn refuses.
    """
    for name, value in given.items():
        if type(value) not in _PLAIN or name.startswith(_READ_ANEW):
            return _configure(given)
    # uvicorn looks at these two besides its arguments.
    allowed_proxies = os.environ.get("FORWARDED_ALLOW_IPS")
    trace = _logger.getEffectiveLevel() <= TRACE_LOG_LEVEL
    return _configure_once(trace, allowed_proxies, tuple(given), *given.values())


# By type too, as 1 and True are equal.
@lru_cache(maxsize=32, typed=True)
def _configure_once(
    trace: bool, allowed_proxies: str | None, names: tuple[str, ...], *values: Any
) -> Configuration:
    return _configure(dict(zip(names, values, strict=True)))


def _configure(given: Mapping[str, Any]) -> Configuration:
    logs = {name: given[name] for name in _LOG_OPTIONS if name in given}
    level = logs.get("log_level")
    if isinstance(level, str):
        logs["log_level"] = level = level.lower()  # as uvicorn does
    check_values({**given, **logs}, _parameters(), "uvicorn_config")
    _check_certificate(given)
    # The server's thread reads the file, and takes its values back.
    env_file = given.get("env_file")
    others = {name: given[name] for name in given if name not in logs and name != "env_file"}
    try:
        if env_file is not None:
            import dotenv  # noqa: F401
        config = uvicorn.Config(
            _placeholder, interface="asgi3", workers=1, log_config=None, **others
        )
        with _traced() if level in ("trace", TRACE_LOG_LEVEL) else contextlib.nullcontext():
            config.load()
        make_loop = config.get_loop_factory() or asyncio.new_event_loop
        if make_loop is asyncio.SelectorEventLoop:
            make_loop = new_event_loop
    except (Exception, SystemExit) as error:
        values = ", ".join(as_given(*each) for each in given.items() if each[0] not in logs)
        raise ConfigurationError(_refusal(error, values)) from error
    protocol_class: Any
    for protocol_class in (config.http_protocol_class, config.ws_protocol_class):
        if protocol_class is not None:  # no library for WebSockets is installed
            check_protocol(protocol_class)
    config.http_protocol_class = noting_protocol(typing.cast(Any, config.http_protocol_class))
    for name, value in logs.items():
        setattr(config, name, value)
    return Configuration(config, make_loop, bool(logs), env_file)


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Let uvicorn see its log level TRACE, at which it logs each ASGI message."""
    level = _logger.level
    _logger.setLevel(TRACE_LOG_LEVEL)
    try:
        yield
    finally:
        _logger.setLevel(level)


def _check_certificate(given: Mapping[str, Any]) -> None:
    needed = not (given.get("ssl_certfile") or given.get("ssl_context_factory"))
    if given.get("ssl_keyfile") and needed:
        raise ConfigurationError(
            f"uvicorn_config: {as_given('ssl_keyfile', given['ssl_keyfile'])} is the key of a "
            "certificate. Add ssl_certfile, or use tls=True for a throw-away certificate."
        )


def _refusal(error: BaseException, values: str) -> str:
    package = _PACKAGES.get(getattr(error, "name", None) or "")
    if isinstance(error, ModuleNotFoundError) and package is not None:
        return (
            f"uvicorn needs the package {package} for {values}, and that is not installed. "
            f"Install it: pip install {package}"
        )
    text = printable(text_of(error)).rstrip(".")
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
