"""Where the server of a test or of its class is stored; the error when there is none."""

import unittest
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, Generic, TypeVar

from liveserver._errors import NotRunningError
from liveserver._reporting.frames import is_own_module
from liveserver._server.live_server import LiveServer

__unittest = __tracebackhide__ = True

__all__ = [
    "ServerProperty",
    "forget_server",
    "own_server",
    "server_of",
    "set_server",
    "user_classes",
]

_T = TypeVar("_T")

# The attribute of a class or of a test, by the scope; absent while there is no server.
_SERVER = "_live_server_server"


def set_server(holder: object, server: LiveServer) -> None:
    """Store the server of a test or of a class."""
    setattr(holder, _SERVER, server)


def own_server(holder: object) -> LiveServer | None:
    """Return the server that is stored on a test or on a class, but not on its bases."""
    # A base class that has tests has a server of its own.
    found: LiveServer | None = vars(holder).get(_SERVER)
    return found


def forget_server(holder: object) -> None:
    """Remove the stored server, if there is one."""
    if own_server(holder) is not None:
        delattr(holder, _SERVER)


def server_of(case: Any, owner: type[Any], name: str) -> LiveServer:
    """Return the server of a test, or else of its class.

    Args:
        case: The test; None on the class.
        owner: The class.
        name: The attribute that the user asks for, to name it in the error.

    Raises:
        NotRunningError: There is none; the message names the hook that should have started it.
    """
    server = own_server(case) if case is not None else None
    server = server or own_server(owner)
    if server is None:
        raise NotRunningError(_why_not_running(owner, name, case is None))
    return server


class ServerProperty(Generic[_T]):
    """A property of the class and of the instance, which reads from their server."""

    def __init__(self, read: Callable[[LiveServer], _T], doc: str) -> None:
        self._read = read
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, case: Any, owner: type[Any]) -> _T:
        return self._read(server_of(case, owner, self._name))


def user_classes(cls: type[Any]) -> Iterator[type[Any]]:
    """Return a class and its bases, up to the first one of this package."""
    return takewhile(lambda base: not is_own_module(base.__module__), cls.__mro__)


def _why_not_running(cls: type[Any], name: str, on_class: bool) -> str:
    who = cls.__qualname__
    if cls.server_scope == "test" and on_class:
        return (
            f'{who} has no {name}: with server_scope = "test" the server belongs to the instance. '
            f"Use self.{name}, from setUp() on."
        )
    hook = "setUp" if cls.server_scope == "test" else "setUpClass"
    message = f"{who} has no {name}: its server is not running. {hook}() starts it"
    before_ours = [base for base in user_classes(cls) if hook in vars(base)]
    if unittest.TestCase in before_ours:
        return f"{message}. Name the live server class before the other test case in the bases."
    if not before_ours:
        return f"{message}, and it stops after the tests. Ask for {name} between the two."
    overriders = " and ".join(base.__qualname__ for base in before_ours)
    verb = "override" if len(before_ours) > 1 else "overrides"
    return f"{message}. {overriders} {verb} it: call super().{hook}() there, as its first line."
