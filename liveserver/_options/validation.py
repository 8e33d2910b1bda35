"""Whether what somebody gave is what options take: their names, and the values' types."""

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from liveserver._errors import ConfigurationError

__unittest = __tracebackhide__ = True

__all__ = ["check_names", "check_values", "matches_annotation", "nearest"]


def check_names(given: Iterable[object], known: Collection[str], what: str) -> None:
    """Refuse a name that is not known, and say which one may have been meant.

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
    """Return which known name is most like another, if one is by so much, from 0 to 1."""
    import difflib  # which only mistakes need

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=least)), None)


def check_values(given: Mapping[str, Any], hints: Mapping[str, Any], what: str) -> None:
    """Refuse a name that is not known, and a value that is not of its annotation.

    Raises:
        ConfigurationError: A name or a value in `given` is not as `hints` say.
    """
    check_names(given, hints, what)
    for name, value in given.items():
        if not matches_annotation(value, hints[name]):
            raise ConfigurationError(
                f"{what}: {name}={value!r} is not valid. Use {_in_words(hints[name])}."
            )


def _in_words(annotation: Any) -> str:
    """Write an annotation as its author did: `int`, `Literal['auto', 'on', 'off']`.

    Old versions of uvicorn say `Optional[int]` where later ones say `int | None`.
    """
    if isinstance(annotation, type):
        return annotation.__name__
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " | ".join("None" if one is type(None) else _in_words(one) for one in arguments)
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def matches_annotation(value: object, annotation: Any) -> bool:
    """Tell whether a value is what a type annotation of an option says.

    It knows the annotations that occur on options. One that it does not know fits everything,
    as the value's user then is the better judge.
    """
    if annotation in (int, float):
        # bool is an int to Python, and a mistake to everybody else.
        number = int if annotation is int else (int, float)
        return isinstance(value, number) and not isinstance(value, bool)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(matches_annotation(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list | tuple) and all(
            matches_annotation(each, arguments[0]) for each in value
        )
    if origin is tuple:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(arguments)
            and all(map(matches_annotation, value, arguments))
        )
    if origin is Callable or annotation is Callable:
        return callable(value)
    if origin is typing.IO:
        return hasattr(value, "read")
    if isinstance(origin or annotation, type) and annotation is not Any:
        return isinstance(value, origin or annotation)
    return True
