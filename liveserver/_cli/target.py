"""Find the app or the test that TARGET names."""

import importlib
import os
import unittest
from types import ModuleType
from typing import Any

from liveserver._app.loading import Words, app_maker, failed_import, imported
from liveserver._errors import ConfigurationError
from liveserver._options.validation import nearest
from liveserver._testcase.cases import LiveServerMixin

__all__ = ["Target", "check_app", "find"]

_FORMS = (
    "Write an app as shop.main:app, a function that builds one as shop.main:create_app with "
    "--factory, a test class as tests.test_shop.ShopTests, and a test as "
    "tests.test_shop.ShopTests.test_buy."
)

# A test class, and the name of one of its tests or None.
Target = tuple[Any, str | None]


def check_app(target: str, factory: bool) -> None:
    """Import the app or factory `module:attribute`, with the command line's words in errors.

    Raises:
        ConfigurationError: It does not exist, cannot be imported, or is not an app.
    """
    words = Words(
        app=_FORMS,
        factory="--factory",
        builder="Add --factory.",
        search=f"Check the part before the colon. {_search()}",
    )
    found = imported(target, words)
    if isinstance(found, type) and issubclass(found, unittest.TestCase):
        raise ConfigurationError(f"{target!r} is a test class. Write {target.replace(':', '.')!r}.")
    app_maker(target, factory, words)


def _search() -> str:
    return f"Modules are looked up from the current folder, {os.getcwd()!r}."


def find(target: str) -> Target:
    """Import a test class or a test by its dotted name.

    Raises:
        ConfigurationError: It does not exist, cannot be imported, or has no server.
    """
    module, names = _imported(target)
    holder: Any = None
    found: Any = module
    for name in names:
        holder = found
        found = getattr(holder, name, None)
        if found is None:
            raise _missing(target, holder, name)
    if isinstance(found, type):
        return _checked(target, found), None
    if isinstance(holder, type) and callable(found):
        return _checked(target, holder), names[-1]
    raise _no_test(target, names, found)


def _imported(target: str) -> tuple[ModuleType, list[str]]:
    """Import the longest prefix that is a module; return it and the other names."""
    names = target.split(".")
    if not all(names):
        raise ConfigurationError(f"{target!r} is not a dotted name. {_FORMS}")
    module: ModuleType | None = None
    for count in range(1, len(names) + 1):
        name = ".".join(names[:count])
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # the module exists, and imports one that does not
                raise failed_import(name, target, error) from error
            if module is None:
                raise ConfigurationError(
                    f"{target!r} does not exist: there is no module {name!r}. {_search()} {_FORMS}"
                ) from None
            return module, names[count - 1 :]
        except (Exception, SystemExit) as error:
            raise failed_import(name, target, error) from error
    assert module is not None
    return module, []


def _checked(target: str, test_class: type) -> type:
    if not issubclass(test_class, unittest.TestCase):
        raise ConfigurationError(f"{target!r} is not a test: {test_class!r}. {_FORMS}")
    if not issubclass(test_class, LiveServerMixin):
        raise ConfigurationError(
            f"{target!r} has no server: {test_class.__qualname__} is not a LiveServerTestCase, "
            "nor another class with LiveServerMixin among its bases."
        )
    return test_class


def _missing(target: str, holder: Any, name: str) -> ConfigurationError:
    where = holder.__name__ if isinstance(holder, ModuleType) else holder.__qualname__
    near = nearest(name, dir(holder))
    hint = f" Did you mean {near!r}?" if near else ""
    return ConfigurationError(f"{target!r} does not exist: {where} has no {name!r}.{hint}")


def _no_test(target: str, names: list[str], found: Any) -> ConfigurationError:
    if isinstance(found, ModuleType):
        lines = "".join(f"\n  python -m liveserver {target}.{each}" for each in _served_in(found))
        if lines:
            return ConfigurationError(f"{target!r} is a module. Name one of its classes:{lines}")
        return ConfigurationError(f"{target!r} is a module. {_FORMS}")
    if callable(found):
        path = ".".join(names)
        app = f"{target.removesuffix(path).rstrip('.')}:{path}"
        return ConfigurationError(
            f"{target!r} is not a test. If it is an app, write {app!r}; if it builds one, {app!r} "
            "with --factory."
        )
    return ConfigurationError(f"{target!r} is not a test: {found!r}. {_FORMS}")


def _served_in(module: ModuleType) -> list[str]:
    """The test classes of a module that have a server, in their order.

    Those without tests are left out: they are bases, and often have no app.
    """
    return [
        name
        for name, found in vars(module).items()
        if isinstance(found, type)
        and issubclass(found, LiveServerMixin)
        and issubclass(found, unittest.TestCase)
        and found.__module__ == module.__name__
        and unittest.defaultTestLoader.getTestCaseNames(found)
    ]
