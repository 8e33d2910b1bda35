"""The server of a test or of its class: where it is kept, and why it is not there."""

import unittest
from collections.abc import Callable
from itertools import takewhile
from typing import Any, Generic, TypeVar

from liveserver._errors import NotRunningError
from liveserver._server import LiveServer

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["FromServer", "forget", "is_users", "keep", "kept", "server_of"]

_T = TypeVar("_T")

# The attribute of a class or of an instance, by the scope; absent while there is no server.
_SERVER = "_live_server_server"


def keep(holder: object, server: LiveServer) -> None:
    """Have a test or a class hold its server."""
    setattr(holder, _SERVER, server)


def kept(holder: object) -> LiveServer | None:
    """Return the server that a test or a class holds itself."""
    # Not that of a base class, which has one of its own if it has tests too.
    found: LiveServer | None = vars(holder).get(_SERVER)
    return found


def forget(holder: object) -> None:
    """Have it hold none."""
    if kept(holder) is not None:
        delattr(holder, _SERVER)


def server_of(case: Any, owner: type[Any], name: str) -> LiveServer:
    """Return the server of a test or else of its class, from which somebody wants an attribute.

    Args:
        case: The test; None where the class was asked.
        owner: The class.
        name: The attribute, to name it in an error.

    Raises:
        NotRunningError: There is none; it says which hook should have started it.
    """
    server = None if case is None else kept(case)
    if server is None:
        server = kept(owner)
    if server is None:
        raise NotRunningError(_why_not_running(owner, name, case is None))
    return server


class FromServer(Generic[_T]):
    """A property that works on the class and on the instance, and reads from their server."""

    def __init__(self, read: Callable[[LiveServer], _T], doc: str) -> None:
        self._read = read
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, case: Any, owner: type[Any]) -> _T:
        return self._read(server_of(case, owner, self._name))


def is_users(base: type) -> bool:
    """Whether a class is none of this package's."""
    return base.__module__.partition(".")[0] != __package__


def _why_not_running(cls: type[Any], name: str, on_class: bool) -> str:
    """Say why there is no server, naming the hook that should have started it."""
    who = cls.__qualname__
    if cls.server_scope == "test" and on_class:
        return (
            f'{who} has no {name}: with server_scope = "test" the server belongs to the instance. '
            f"Use self.{name}, from setUp() on."
        )
    hook = "setUp" if cls.server_scope == "test" else "setUpClass"
    message = f"{who} has no {name}: its server is not running. {hook}() starts it"
    before_ours = [base for base in takewhile(is_users, cls.__mro__) if hook in vars(base)]
    if unittest.TestCase in before_ours:
        return f"{message}. Name the live server class before the other test case in the bases."
    if not before_ours:
        return f"{message}, and it stops after the tests. Ask for {name} between the two."
    overriders = " and ".join(base.__qualname__ for base in before_ours)
    verb = "override" if len(before_ours) > 1 else "overrides"
    return f"{message}. {overriders} {verb} it: call super().{hook}() there, as its first line."
