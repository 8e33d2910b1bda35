"""Check the names and the types of options."""

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = [
    "as_given",
    "check_names",
    "check_values",
    "is_seconds",
    "matches_annotation",
    "nearest",
]


def check_names(given: Iterable[object], known: Collection[str], what: str) -> None:
    """Check that all names are known; the error suggests the nearest one.

    Raises:
        ConfigurationError: A name in `given` is not in `known`.
    """
    for name in given:
        if name not in known:
            names = sorted(known)
            near = nearest(str(name), names)
            hint = f"Did you mean {near!r}?" if near else f"It takes: {', '.join(names)}."
            raise ConfigurationError(f"{what} has no option {name!r}. {hint}")


def nearest(name: str, known: Sequence[str], least: float = 0.6) -> str | None:
    """Return the known name that is most similar, by at least so much (0 to 1), or None."""
    import difflib  # only mistakes need it

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=least)), None)


def check_values(given: Mapping[str, Any], hints: Mapping[str, Any], what: str) -> None:
    """Check names and values against annotations.

    Raises:
        ConfigurationError: A name is not in `hints`, or a value does not match its annotation.
    """
    check_names(given, hints, what)
    for name, value in given.items():
        if not matches_annotation(value, hints[name]):
            raise ConfigurationError(
                f"{what}: {as_given(name, value)} is not valid. Use {_in_words(hints[name])}."
            )


def as_given(name: str, value: object) -> str:
    """Return an option as it was written, `port=80`, for a message; a password is masked."""
    return f"{name}='***'" if "password" in name else f"{name}={value!r}"


def _in_words(annotation: Any) -> str:
    """Return an annotation as in source code: `int | None`, `Literal['auto', 'on', 'off']`."""
    if isinstance(annotation, type):
        return annotation.__name__
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " | ".join("None" if one is type(None) else _in_words(one) for one in arguments)
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def matches_annotation(value: object, annotation: Any) -> bool:
    """Return whether a value matches the type annotation of an option.

    Anything matches an annotation that is not known here.
    """
    if annotation in (int, float):
        # A bool is an int for Python, but a mistake here.
        number = int if annotation is int else (int, float)
        return isinstance(value, number) and not isinstance(value, bool)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(matches_annotation(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin in (list, tuple):
        if not isinstance(value, list | tuple):
            return False
        kinds = arguments if origin is tuple else arguments * len(value)
        return len(value) == len(kinds) and all(map(matches_annotation, value, kinds))
    if origin is Callable or annotation is Callable:
        return callable(value)
    if origin is typing.IO:
        return hasattr(value, "read")
    if isinstance(origin or annotation, type) and annotation is not Any:
        return isinstance(value, origin or annotation)
    return True


def is_seconds(value: object) -> bool:
    """Whether a value is a number of seconds, 0 or more; `inf` means without a bound."""
    if not matches_annotation(value, float):
        return False
    assert isinstance(value, int | float)
    return value >= 0  # which NaN is not
