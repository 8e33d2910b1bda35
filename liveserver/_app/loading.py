"""Turn what the user gives into an ASGI 3 app: imports, factories, WSGI, ASGI 2."""

import contextlib
import importlib.util
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from liveserver._app.asgi import ASGIApp, Receive, Scope, Send
from liveserver._app.interface import accepts_positional, interface
from liveserver._app.wsgi import check_a2wsgi, from_wsgi
from liveserver._errors import ConfigurationError, describe_error

__unittest = __tracebackhide__ = True

__all__ = [
    "BUILT",
    "IN_CODE",
    "App",
    "Words",
    "app_maker",
    "as_asgi",
    "check_app",
    "describe",
    "failed_import",
    "imported",
]

# An ASGI app of version 3 or 2, or a WSGI app.
App = Callable[..., Any]


class Words(NamedTuple):
    """The advice in error messages, in the terms of the place where the app is given."""

    app: str  # how to give an app
    factory: str  # the option for a factory
    builder: str  # what to do with a function that builds the app
    search: str  # where modules are looked up


IN_CODE = Words(
    app='Give an ASGI or WSGI app or "module:attribute".',
    factory="factory=True",
    builder="Set factory=True.",
    search="Check the part before the colon, and that sys.path has the project's folder: "
    "`python -m pytest` and `python -m unittest` put it there, plain `pytest` does not.",
)

# For the return value of a factory or of create_app().
BUILT = IN_CODE._replace(app="Return an ASGI or WSGI app.", builder="Call it, and return the app.")


def describe(app: object) -> str:
    """Return a short name: `shop.main.app_function` or `<FastAPI object>`."""
    if isinstance(app, str):
        return repr(app)
    name = getattr(app, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(app, '__module__', '?')}.{name}"
    return f"<{type(app).__qualname__} object>"


def imported(target: object, words: Words = IN_CODE) -> object:
    """Import `"module:attribute"`; return anything but a string as it is.

    Raises:
        ConfigurationError: The string has another form, the module cannot be imported, or it has
            no such attribute.
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
    """Correct `shop.main`, `shop.main.app` or `shop/main.py:app`."""
    with contextlib.suppress(Exception, SystemExit):  # raised by its parent package
        if importlib.util.find_spec(target) is not None:
            return f"{target}:app"
    path, _, attribute = target.replace("/", ".").strip(".").replace(".py", "").rpartition(".")
    if ":" in attribute:
        return f"{path}.{attribute}".lstrip(".")
    return f"{path}:{attribute}" if path and attribute else "shop.main:app"


def _module(name: str, target: str, words: Words) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            # The module exists, and imports one that does not.
            raise failed_import(name, target, error) from error
        raise ConfigurationError(
            f"{target!r} does not name an app: there is no module {error.name!r}. {words.search}"
        ) from error.with_traceback(None)  # all frames are importlib's
    except (Exception, SystemExit) as error:
        raise failed_import(name, target, error) from error


def failed_import(name: str, target: str, error: BaseException) -> ConfigurationError:
    """Return the error for a module that exists, but raises when it is imported."""
    return ConfigurationError(
        f"{target!r} could not be imported: module {name!r} raised "
        f"{describe_error(error).rstrip('.')}. Fix the module; the exception above shows where."
    )


def check_app(app: object, origin: str, words: Words) -> str:
    """Return the interface of an app: `"asgi3"`, `"asgi2"` or `"wsgi"`.

    Args:
        app: The app.
        origin: The start of the error message, before the app: `HealthTests.create_app() returned`.
        words: The advice in the error message.

    Raises:
        ConfigurationError: It is not callable, takes other arguments, or may be either kind by its
            arguments; or it is a WSGI app, and a2wsgi is not installed.
    """
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
    kind = interface(app)
    if kind is None:
        raise ConfigurationError(f"{origin} {describe(app)}, which {_mismatch(app, words)}")
    if kind == "ambiguous":
        raise ConfigurationError(
            f"{origin} {describe(app)}, which may be an ASGI or a WSGI app by its arguments. Say "
            "which: give a function `async def app(scope, receive, send)` or "
            "`def app(environ, start_response)` that calls it."
        )
    if kind == "wsgi":
        check_a2wsgi(f"{origin} {describe(app)}")
    return kind


def app_maker(
    app: object, factory: bool, words: Words = IN_CODE
) -> tuple[Callable[[], App], Callable[[App], ASGIApp]]:
    """Return two functions for each start: one gets the app, one turns it into an ASGI 3 app.

    Args:
        app: The app, its factory, or where to import it from.
        factory: Whether it is a factory, which each start calls.
        words: The advice in error messages.

    Raises:
        ConfigurationError: `app` cannot be imported, is not an app, or is not a factory.
    """
    origin = f"{app!r} names" if isinstance(app, str) else "LiveServer was given"
    app = imported(app, words)
    if not factory:
        adapter = _ADAPTERS[check_app(app, origin, words)]
        given: Any = app
        return lambda: given, adapter
    if not callable(app) or not accepts_positional(app, 0):
        raise ConfigurationError(
            f"{origin} {describe(app)}, which cannot be called without arguments, as "
            f"{words.factory} needs. Give a function that takes none and returns the app."
        )

    def build() -> App:
        built: App = app()
        check_app(built, f"The factory {describe(app)} returned", BUILT)
        return built

    return build, as_asgi


def as_asgi(app: App) -> ASGIApp:
    """Turn a checked app into an ASGI 3 app."""
    return _ADAPTERS[interface(app)](app)


def _from_asgi2(app: App) -> ASGIApp:
    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return asgi


_ADAPTERS: dict[str | None, Callable[[App], ASGIApp]] = {
    "asgi3": lambda app: app,
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
