"""Which interface an app has, by the arguments that it takes: ASGI 3, ASGI 2 or WSGI."""

import inspect
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["accepts_positional", "interface"]

# From Python 3.14 on, the signature evaluates annotations. Keep names that are not defined, such
# as those imported under TYPE_CHECKING: 3 is annotationlib.Format.FORWARDREF.
_OPTIONS: dict[str, Any] = {"annotation_format": 3} if sys.version_info >= (3, 14) else {}


def interface(app: Callable[..., Any]) -> str | None:
    """Return `"asgi3"`, `"asgi2"`, `"wsgi"`, `"ambiguous"`, or None if it is not an app."""
    if _is_usual(app):
        return "asgi3"
    is_class = inspect.isclass(app)
    instances_are_asgi3 = not is_class or hasattr(app, "__await__")
    try:
        signature = inspect.signature(app, **_OPTIONS)
    except TypeError:
        return None
    except ValueError:  # a builtin without a signature: its first request shows
        return "asgi3" if instances_are_asgi3 else None
    asgi3, wsgi = _accepts(signature, 3), _accepts(signature, 2)
    if _is_async(app):
        return "asgi3" if asgi3 else None
    names = [each.name for each in signature.parameters.values() if each.kind in (0, 1)]
    has_scope, has_start_response = names[:1] == ["scope"], names[1:2] == ["start_response"]
    if names and _accepts(signature, 0) and not has_scope and not has_start_response:
        return None  # it builds an app: `def create_app(config=None, debug=False)`
    if asgi3 and wsgi and not has_scope:
        return "wsgi" if has_start_response else "ambiguous"
    if asgi3 and instances_are_asgi3:
        return "asgi3"
    if names == ["scope"]:
        return "asgi2"
    if is_class and not has_start_response:
        return None  # few classes are apps, but most take some arguments
    return "wsgi" if wsgi and names != ["receive", "send"] else None


def _is_usual(app: Callable[..., Any]) -> bool:
    """Whether it is `async def app(scope, receive, send)`, or an object with such a `__call__`.

    Most apps are; `inspect.signature` takes a tenth of the time that a server takes.
    """
    function: Any = app if isinstance(app, FunctionType) else type(app).__call__
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_varnames[: code.co_argcount][-3:] == ("scope", "receive", "send")
        and code.co_argcount == (3 if function is app else 4)
        and not code.co_kwonlyargcount
        and not hasattr(function, "__wrapped__")
    )


def accepts_positional(app: Callable[..., Any], count: int) -> bool:
    """Return whether it can be called with that many positional arguments."""
    try:
        return _accepts(inspect.signature(app, **_OPTIONS), count)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True


def _accepts(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _is_async(app: Callable[..., Any]) -> bool:
    if inspect.isclass(app):
        return False  # its __call__ belongs to its instances
    call = getattr(app, "func", app)  # the function of a functools.partial()
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
        getattr(call, "__call__", None)  # noqa: B004  # whether it is async, not whether it is there
    )
