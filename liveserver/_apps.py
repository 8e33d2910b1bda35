"""From what the user gives to an ASGI app."""

import importlib
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from liveserver._errors import ConfigurationError

__all__ = [
    "ASGIApp",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "app_maker",
    "checked_app",
    "describe",
    "imported",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def describe(app: object) -> str:
    """Name an app the way its author would: `shop.main.app_function` or `<FastAPI object>`."""
    if isinstance(app, str):
        return repr(app)
    name = getattr(app, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(app, '__module__', '?')}.{name}"
    return f"<{type(app).__qualname__} object>"


def imported(target: object) -> object:
    """Import what `"module:attribute"` names; anything that is not a string is returned as it is.

    Raises:
        ConfigurationError: The string has another form, the module cannot be imported, or it has
            no such attribute. The cause is chained.
    """
    if not isinstance(target, str):
        return target
    module_name, colon, path = target.partition(":")
    if not (colon and module_name and path) or module_name.startswith(".") or "/" in module_name:
        raise ConfigurationError(
            f"{target!r} does not name an app. "
            f'Write "module:attribute" with the module\'s full name, such as "{_guess(target)}".'
        )
    found: object = _module(module_name, target)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise ConfigurationError(
                f"{target!r} does not name an app: {error}. Check the part after the colon."
            ) from error
    return found


def _guess(target: str) -> str:
    """What may have been meant by `shop.main.app` or `shop/main.py:app`."""
    path, _, attribute = target.replace("/", ".").strip(".").replace(".py", "").rpartition(".")
    if ":" in attribute:
        return f"{path}.{attribute}".lstrip(".")
    return f"{path}:{attribute}" if path and attribute else "shop.main:app"


def _module(name: str, target: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            # The module is there; what is missing is something that it imports.
            raise _failed_import(name, target, error) from error
        raise ConfigurationError(
            f"{target!r} does not name an app: there is no module {error.name!r}. "
            "Check the part before the colon, and that sys.path has the project's folder: "
            "`python -m pytest` and `python -m unittest` put it there, plain `pytest` does not."
        ) from error
    except (Exception, SystemExit) as error:
        raise _failed_import(name, target, error) from error


def _failed_import(name: str, target: str, error: BaseException) -> ConfigurationError:
    return ConfigurationError(
        f"{target!r} could not be imported: module {name!r} raised {type(error).__name__}: "
        f"{error}. Mend the module; the exception above shows where."
    )


def checked_app(app: object, origin: str) -> ASGIApp:
    """Return the app if it can be called as ASGI 3 says, with `scope, receive, send`.

    Args:
        app: What should be the app.
        origin: Where it came from, as the beginning of a sentence that goes on with the app:
            `HealthTests.create_app() returned`.

    Raises:
        ConfigurationError: It is None, not callable, or takes other arguments.
    """
    if not callable(app):
        if inspect.iscoroutine(app):
            app.close()
            raise ConfigurationError(
                f"{origin} a coroutine, which is not an app. Write def, not async def; "
                "what has to be awaited belongs in the app's lifespan."
            )
        raise ConfigurationError(
            f"{origin} {app!r}, which is not an app: it cannot be called. "
            'Give an ASGI app or "module:attribute".'
        )
    if not _takes(app, 3):
        raise ConfigurationError(f"{origin} {describe(app)}, which {_mismatch(app)}")
    return app


def app_maker(app: object, factory: bool) -> Callable[[], ASGIApp]:
    """Return what gives the app for each start: the same app always, or the factory's next one.

    Raises:
        ConfigurationError: `app` cannot be imported, is not an app, or is not a factory.
    """
    origin = f"{app!r} names" if isinstance(app, str) else "LiveServer was given"
    app = imported(app)
    if not factory:
        checked = checked_app(app, origin)
        return lambda: checked
    if not callable(app) or not _takes(app, 0):
        raise ConfigurationError(
            f"LiveServer was given {describe(app)} with factory=True, but it cannot be called "
            "without arguments. Give a function that takes none and returns the app."
        )
    return lambda: checked_app(app(), f"The factory {describe(app)} returned")


def _takes(app: Callable[..., Any], count: int) -> bool:
    """Whether it can be called with that many positional arguments."""
    # inspect.signature costs 50 microseconds, and a server less than 1,000. So the usual shapes of
    # an app come first: a function of exactly these arguments, an object with such a __call__.
    function, bound = (app, 0) if inspect.isfunction(app) else (type(app).__call__, 1)
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__") and not inspect.isclass(app):
        exact = code.co_argcount == bound + count and not code.co_kwonlyargcount
        if exact and not function.__defaults__:
            return True
    try:
        inspect.signature(app).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature; then the first request tells
        return True
    return True


def _mismatch(app: Callable[..., Any]) -> str:
    cannot = "cannot be called with (scope, receive, send) as ASGI 3 says"
    if inspect.isclass(app):
        return f"{cannot}: it is a class. Give an instance of it."
    if _takes(app, 0):
        return (
            f"{cannot}. If it builds the app, set factory=True; "
            'on a test class, server_options = {"factory": True}.'
        )
    if _takes(app, 2):
        return f"{cannot}. It looks like a WSGI app; give an ASGI app."
    return f"{cannot}. Give an ASGI app."
