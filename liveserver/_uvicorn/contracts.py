"""Whether the installed uvicorn has the names whose loss this package would not notice.

Most of what the package uses of uvicorn fails at once if it is gone. Without one of the names here,
a stop would leave connections open, or a test would wait for a request whose client has left.
`tests/uvicorn/test_contracts.py` has the whole list.

A class has each name that its functions use: most are attributes of instances. A class that is not
written in Python does not tell its names, and passes.
"""

import asyncio
import sys
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

import uvicorn
from uvicorn.server import ServerState

__unittest = __tracebackhide__ = True

__all__ = ["check_protocol", "check_uvicorn"]

_SERVER = ("server_state", "servers", "started")
_STATE = ("connections", "default_headers", "tasks", "total_requests")
_CONFIG = ("access_log", "log_config", "log_level", "use_colors")
_PROTOCOL = ("connections", "shutdown", "transport")
# uvicorn's object for one request.
_CYCLE = ("access_log", "disconnected", "message_event", "receive", "response_complete")


def check_uvicorn() -> None:
    """Check what every server needs; raise ImportError where a name is gone."""
    _check(uvicorn.Server, *_SERVER)
    _check(ServerState, *_STATE)
    _check(uvicorn.Config, *_CONFIG)


@lru_cache(maxsize=32)
def check_protocol(protocol_class: type[Any]) -> None:
    """Check what a server needs of a protocol of uvicorn's, as `check_uvicorn` does."""
    for base in protocol_class.__mro__:
        if not _is_uvicorns(base):
            continue
        module = dict(vars(sys.modules[base.__module__]))
        # A protocol may hand its connections to another one of its module.
        classes = [each for each in module.values() if isinstance(each, type)]
        for each in classes:
            if issubclass(each, asyncio.BaseProtocol) and _is_uvicorns(each):
                _check(each, *_PROTOCOL)
        if "RequestResponseCycle" in module:
            streams = ("abort_stream",) if "H2" in base.__name__ else ()  # HTTP/2
            _check(module["RequestResponseCycle"], "transport", *_CYCLE, *streams)
        if "h11" in module:
            _check(module["h11"].Connection, "our_state")


def _is_uvicorns(cls: type[Any]) -> bool:
    return cls.__module__.startswith("uvicorn.protocols.")


def _check(cls: type[Any], *needed: str) -> None:
    names = _names(cls)
    for name in needed:
        if names and name not in names:
            version = uvicorn.__version__
            raise ImportError(
                f"uvicorn {version} does not fit this version of liveserver: "
                f"{cls.__module__}.{cls.__qualname__} has no {name!r} any more. Install an older "
                f'uvicorn (pip install "uvicorn<{version}"), or a newer liveserver.',
                name="uvicorn",
            )


def _names(cls: type[Any]) -> set[str]:
    """Return the names that a class defines or uses; none if it does not tell."""
    names: set[str] = set()
    if isinstance(cls.__init__, FunctionType):
        for base in cls.__mro__:
            names.update(vars(base))
            for value in vars(base).values():
                if isinstance(value, FunctionType):
                    _add_names(value.__code__, names)
    return names


def _add_names(code: CodeType, names: set[str]) -> None:
    names.update(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _add_names(constant, names)
