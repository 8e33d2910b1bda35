"""From what the user gives to an ASGI 3 app: imports, factories, WSGI, ASGI 2."""

import importlib.util
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from liveserver._app.asgi import ASGIApp, Receive, Scope, Send
from liveserver._app.interface import accepts_positional, interface
from liveserver._app.wsgi import check_a2wsgi, from_wsgi
from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = [
    "BUILT",
    "IN_CODE",
    "App",
    "Words",
    "app_maker",
    "checked_app",
    "describe",
    "failed_import",
    "imported",
]

# What a user may give: an ASGI app of version 3 or 2, or a WSGI app.
App = Callable[..., Any]


class Words(NamedTuple):
    """What to do about an app that is wrong, as it is said where the app was given."""

    app: str  # how to give one
    factory: str  # the name of the option that says that it is a function that builds one
    builder: str  # what to do about such a function
    search: str  # what to do about a module that is not there


IN_CODE = Words(
    app='Give an ASGI or WSGI app or "module:attribute".',
    factory="factory=True",
    builder="Set factory=True.",
    search="Check the part before the colon, and that sys.path has the project's folder: "
    "`python -m pytest` and `python -m unittest` put it there, plain `pytest` does not.",
)

# Of what a function of the user's returned.
BUILT = IN_CODE._replace(app="Return an ASGI or WSGI app.", builder="Call it, and return the app.")


def describe(app: object) -> str:
    """Name an app the way its author would: `shop.main.app_function` or `<FastAPI object>`."""
    if isinstance(app, str):
        return repr(app)
    name = getattr(app, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(app, '__module__', '?')}.{name}"
    return f"<{type(app).__qualname__} object>"


def imported(target: object, words: Words = IN_CODE) -> object:
    """Import what `"module:attribute"` names; anything that is not a string is returned as it is.

    Args:
        target: The string, or the thing itself.
        words: How to say what is wrong.

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
    found: object = _module(module_name, target, words)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise ConfigurationError(
                f"{target!r} does not name an app: {error}. Check the part after the colon."
            ) from error
    return found


def _guess(target: str) -> str:
    """What may have been meant by `shop.main`, `shop.main.app` or `shop/main.py:app`."""
    if _is_module(target):
        return f"{target}:app"
    path, _, attribute = target.replace("/", ".").strip(".").replace(".py", "").rpartition(".")
    if ":" in attribute:
        return f"{path}.{attribute}".lstrip(".")
    return f"{path}:{attribute}" if path and attribute else "shop.main:app"


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (Exception, SystemExit):  # of the package around it
        return False


def _module(name: str, target: str, words: Words) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            # The module is there; what is missing is something that it imports.
            raise failed_import(name, target, error) from error
        raise ConfigurationError(
            f"{target!r} does not name an app: there is no module {error.name!r}. {words.search}"
        ) from error.with_traceback(None)  # of nothing but importlib
    except (Exception, SystemExit) as error:
        raise failed_import(name, target, error) from error


def failed_import(name: str, target: str, error: BaseException) -> ConfigurationError:
    """Say that a module is there, and what it raised when it was imported."""
    return ConfigurationError(
        f"{target!r} could not be imported: module {name!r} raised {type(error).__name__}: "
        f"{error}. Fix the module; the exception above shows where."
    )


def checked_app(app: object, origin: str, words: Words) -> App:
    """Return the app if it can be called as ASGI or WSGI says.

    Args:
        app: What should be the app.
        origin: Where it came from, as the beginning of a sentence that goes on with the app:
            `HealthTests.create_app() returned`.
        words: How to say what is wrong.

    Raises:
        ConfigurationError: It is None, not callable, takes other arguments, or may be either kind
            by its arguments; or it is a WSGI app, and a2wsgi is not installed.
    """
    _checked_interface(app, origin, words)
    return cast(App, app)


def _checked_interface(app: object, origin: str, words: Words) -> str:
    if not callable(app):
        if inspect.iscoroutine(app):
            app.close()
            raise ConfigurationError(
                f"{origin} a coroutine, which is not an app. Write def, not async def; "
                "what has to be awaited belongs in the app's lifespan."
            )
        raise ConfigurationError(
            f"{origin} {app!r}, which is not an app: it cannot be called. {words.app}"
        )
    spoken = interface(app)
    if spoken is None:
        raise ConfigurationError(f"{origin} {describe(app)}, which {_mismatch(app, words)}")
    if spoken == "ambiguous":
        raise ConfigurationError(
            f"{origin} {describe(app)}, which may be an ASGI or a WSGI app by its arguments. Say "
            "which: give a function `async def app(scope, receive, send)` or "
            "`def app(environ, start_response)` that calls it."
        )
    if spoken == "wsgi":
        check_a2wsgi(f"{origin} {describe(app)}")
    return spoken


def app_maker(
    app: object, factory: bool, words: Words = IN_CODE
) -> tuple[Callable[[], App], Callable[[App], ASGIApp]]:
    """Find out how an app is made for each start.

    Args:
        app: The app, its factory, or where to import it from.
        factory: Whether it is a factory.
        words: How to say what is wrong.

    Returns:
        What gives the app, the same one always or the factory's next one, and what makes an
        ASGI 3 app of it.

    Raises:
        ConfigurationError: `app` cannot be imported, is not an app, or is not a factory.
    """
    origin = f"{app!r} names" if isinstance(app, str) else "LiveServer was given"
    app = imported(app, words)
    if not factory:
        adapter = _ADAPTERS[_checked_interface(app, origin, words)]
        checked = cast(App, app)
        return lambda: checked, adapter
    if not callable(app) or not accepts_positional(app, 0):
        raise ConfigurationError(
            f"{origin} {describe(app)}, which cannot be called without arguments, as "
            f"{words.factory} needs. Give a function that takes none and returns the app."
        )
    return lambda: checked_app(app(), f"The factory {describe(app)} returned", BUILT), as_asgi


def as_asgi(app: App) -> ASGIApp:
    """Make one ASGI 3 app of a checked app."""
    return _ADAPTERS[interface(app)](app)


def _as_it_is(app: App) -> ASGIApp:
    return app


def _from_asgi2(app: App) -> ASGIApp:
    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return asgi


# By the interface of the app.
_ADAPTERS: dict[str | None, Callable[[App], ASGIApp]] = {
    "asgi3": _as_it_is,
    "asgi2": _from_asgi2,
    "wsgi": from_wsgi,
}


def _mismatch(app: Callable[..., Any], words: Words) -> str:
    cannot = (
        "cannot be called with (scope, receive, send) as ASGI says, nor with "
        "(environ, start_response) as WSGI says"
    )
    if inspect.isclass(app):
        return f"{cannot}: it is a class. Give an instance of it."
    if accepts_positional(app, 0):
        return (
            "looks like a function that builds the app: it can be called without arguments. "
            f"{words.builder}"
        )
    return f"{cannot}. {words.app}"
