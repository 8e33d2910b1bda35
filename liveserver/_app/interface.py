"""Which interface an app speaks, by the arguments that it takes: ASGI 3, ASGI 2 or WSGI."""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["accepts_positional", "interface"]


def interface(app: Callable[..., Any]) -> str | None:
    """Tell `"asgi3"`, `"asgi2"`, `"wsgi"` or `"ambiguous"` by the arguments; None is no app."""
    if _takes_exactly(app, 3):
        return "asgi3"
    asgi3, wsgi = accepts_positional(app, 3), accepts_positional(app, 2)
    names = _names(app)
    if names and _may_build(app, names):
        return None
    if asgi3 and wsgi and names is not None and not _is_async(app) and "scope" not in names[:1]:
        return "wsgi" if "start_response" in names[1:2] else "ambiguous"
    if asgi3 and (not inspect.isclass(app) or hasattr(app, "__await__")):
        return "asgi3"
    if names == ["scope"] and not _is_async(app):
        return "asgi2"
    if inspect.isclass(app) and "start_response" not in (names or ())[1:2]:
        return None  # few classes are apps, but almost each takes some arguments
    return "wsgi" if wsgi and not _is_async(app) and names != ["receive", "send"] else None


def _may_build(app: Callable[..., Any], names: list[str]) -> bool:
    """Whether it needs none of its arguments, which have not the names that those of an app have:
    `def create_app(config=None, debug=False)`.
    """
    named = names[0] == "scope" or "start_response" in names[1:2]
    return accepts_positional(app, 0) and not named and not _is_async(app)


def _is_async(app: Callable[..., Any]) -> bool:
    if inspect.isclass(app):
        return False  # its __call__ is that of its instances
    call = getattr(app, "func", app)  # what functools.partial() calls
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
        getattr(call, "__call__", None)  # noqa: B004  # whether it is async, not whether it is there
    )


def _names(app: Callable[..., Any]) -> list[str] | None:
    """The names of its positional arguments; None where it has no signature."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    return [each.name for each in parameters if each.kind in (0, 1)]


def _takes_exactly(app: Callable[..., Any], count: int) -> bool:
    """Whether it is of a usual shape and has that many arguments: a function, or an object with
    such a `__call__`.

    `inspect.signature` costs 50 microseconds, and a server less than 1,000.
    """
    if type(app) is FunctionType:
        function: Any = app
    elif isinstance(app, type):
        return False
    else:
        function, count = type(app).__call__, count + 1
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_argcount == count
        and not code.co_kwonlyargcount
        and not code.co_flags & inspect.CO_VARARGS
        and not function.__defaults__
        and not hasattr(function, "__wrapped__")
    )


def accepts_positional(app: Callable[..., Any], count: int) -> bool:
    """Whether it can be called with that many positional arguments."""
    try:
        inspect.signature(app).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature; then the first request tells
        return True
    return True
