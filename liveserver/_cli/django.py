"""Django's part of a fixture: its apps, its settings for tests and its test databases.

Django's test runner makes them. Without them a `TransactionTestCase` would write to the project's
real database, and empty its tables at the end.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from typing import Any

from liveserver._errors import ConfigurationError, describe_error

__all__ = ["django_fixture", "is_django_handler", "set_up_django"]


def set_up_django() -> None:
    """Load the apps of `DJANGO_SETTINGS_MODULE`, which have to be loaded before their models.

    Raises:
        ConfigurationError: Django raises an exception.
    """
    settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings and importlib.util.find_spec("django") is not None:
        try:
            importlib.import_module("django").setup()
        except (Exception, SystemExit) as error:
            raise ConfigurationError(
                f"Django cannot be set up with DJANGO_SETTINGS_MODULE={settings!r}: "
                f"{describe_error(error)}"
            ) from error


@contextlib.contextmanager
def django_fixture(test_class: type) -> Iterator[None]:
    """Do for a Django test class what Django's test runner does; nothing for other classes."""
    if not any(base.__module__.startswith("django.") for base in test_class.__mro__):
        yield
        return
    settings = importlib.import_module("django.conf").settings
    utils = importlib.import_module("django.test.utils")
    runner: Any = utils.get_runner(settings)(interactive=False, verbosity=0)
    with contextlib.ExitStack() as stack:
        # Not the runner's setup_test_environment(), which replaces the Ctrl-C handler.
        utils.setup_test_environment()
        stack.callback(utils.teardown_test_environment)
        databases = runner.setup_databases()
        stack.callback(runner.teardown_databases, databases)
        yield


def is_django_handler(app: object) -> bool:
    """Whether an app is Django's own handler, which has no WebSockets; those of Channels do."""
    base: Any = sys.modules.get("django.core.handlers.base")
    if base is None:
        return False
    app = getattr(app, "application", app)  # a project's, in the site of liveserver.django
    return isinstance(app, base.BaseHandler)
