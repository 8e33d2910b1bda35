"""Plain text tables, and what is measured with: the machine and the versions."""

import contextlib
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import liveserver

__all__ = ["Answer", "cores", "installed", "machine", "missing_row", "table", "versions"]

PACKAGES = (
    "uvicorn",
    "uvloop",
    "httptools",
    "h11",
    "requests",
    "aiohttp",
    "django",
    "starlette",
    "anyio",
    "httpx",
    "httpx2",
    "werkzeug",
    "pytest-httpserver",
)


@dataclass
class Answer:
    """What was measured for one question.

    Attributes:
        question: It, as a heading.
        header: Of the table.
        rows: Of the table.
        notes: Lines below the table: how it was measured, and what holds.
        figures: The same for programs, of what JSON can hold.
    """

    question: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    figures: Any = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [self.question, "", table(self.header, self.rows)]
        return "\n".join([*parts, *(["", *self.notes] if self.notes else [])])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a header: the first column to the left, all others to the right."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(cells, widths) for cells in (header, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def missing_row(name: str, reason: str, columns: int) -> list[str]:
    """Make the row of a contender whose package is not installed."""
    return [f"{name}: {reason}", *[""] * (columns - 1)]


def machine() -> str:
    """Name the interpreter, the system and how many cores this process may use."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        f"{python}, {platform.system()} {platform.release()} {platform.machine()}, {cores()} cores"
    )


def cores() -> int:
    """Count the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only on some systems
        return os.cpu_count() or 1


def installed(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of liveserver and of those of the packages that are installed."""
    found = {"liveserver": liveserver.__version__}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def versions(packages: Iterable[str] = PACKAGES) -> str:
    """List the packages that are installed, with their versions."""
    return ", ".join(f"{name} {version}" for name, version in installed(packages).items())
