"""uvicorn's option `env_file`: variables that are in the environment while a server runs."""

import contextlib
import os
from collections.abc import Iterator

__all__ = ["environment_of"]


@contextlib.contextmanager
def environment_of(env_file: str | os.PathLike[str]) -> Iterator[None]:
    """Set the variables of a file during the body, as uvicorn does: those that are not set.

    Afterwards they are removed again, unless the app has changed them.
    """
    from dotenv import dotenv_values  # uvicorn reads it with the same package

    values = {
        name: value
        for name, value in dotenv_values(env_file).items()
        if value is not None and name not in os.environ
    }
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in values.items():
            if os.environ.get(name) == value:
                del os.environ[name]
