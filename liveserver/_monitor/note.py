"""The note of a failing test: what its servers did."""

import contextlib
import re
from collections import Counter
from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeVar

from liveserver._errors import printable
from liveserver._monitor.app_errors import failure_line
from liveserver._options import bounds
from liveserver._reporting.tracebacks import short_traceback
from liveserver._requests.announcements import SETTINGS
from liveserver._requests.log import Failure
from liveserver._requests.record import RequestRecord
from liveserver._server.control import ServerControl
from liveserver._server.watch import Watch

__all__ = ["ServerNote", "annotate", "is_annotated", "make_note", "tracebacks_of"]

_Entry = TypeVar("_Entry")

# How many requests a note shows, how many tracebacks, and how many lines that were logged.
_MAX_SHOWN = 20
_MAX_TRACEBACKS = 3
_MAX_LOG_LINES = 50

# Names that many apps have; the one before says more.
_COMMON = {"app", "application", "asgi", "create_app", "main", "make_app", "wsgi"}

_NO_WEBSOCKETS = (
    "uvicorn found no library for WebSockets, and took them for plain requests. "
    'Install one: pip install "liveserver[ws]"'
)


class ServerNote(str):
    """A note about servers, on an exception; its class tells it from notes of others."""

    __slots__ = ()


def annotate(error: BaseException, note: str) -> None:
    """Add the note of a test to its failure."""
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list):
        # The same exception object may have failed an earlier test.
        notes[:] = [each for each in notes if not isinstance(each, ServerNote)]
    if note:
        with contextlib.suppress(Exception):  # a frozen dataclass refuses it
            error.add_note(note)


def is_annotated(error: BaseException) -> bool:
    """Whether a failure has such a note."""
    return any(isinstance(each, ServerNote) for each in getattr(error, "__notes__", ()))


def make_note(watch: Watch) -> str:
    """Say what the servers did, in the order of time; an empty string if they did nothing."""
    found: list[tuple[float, ServerControl, Failure]] = []
    for server, span in list(watch.spans.items()):
        if any(map(_is_about_to_end, span.requests())):
            server.wait_for_requests(bounds.RESPONSE_END, _is_about_to_end)
        entries: list[Failure] = [*span.requests(), *span.background()]
        found += [(each.started, server, each) for each in entries]
    found.sort(key=lambda entry: entry[0])
    return "\n".join([*_request_lines(found), *_log_lines(watch)])


def _request_lines(found: list[tuple[float, ServerControl, Failure]]) -> list[str]:
    if not found:
        return []
    names = _names(list(dict.fromkeys(server for _, server, _ in found)))
    if len(names) == 1:
        lines = [f"The server at {_url(found[0][1])} was asked in this test:"]
    else:
        places = ", ".join(f"{name} at {_url(server)}" for server, name in names.items())
        lines = [f"Servers in this test: {places}"]
    lines += _shown(found, names, _MAX_SHOWN, _line)
    records = [(server, each) for _, server, each in found if isinstance(each, RequestRecord)]
    if any(each.wanted_websocket for _, each in records):
        lines.append(_NO_WEBSOCKETS)
    silent = [server for server, each in records if each.status == 500 and not each.error]
    lines += dict.fromkeys(hint for server in dict.fromkeys(silent) for hint in _hint(server))
    return lines


def _log_lines(watch: Watch) -> list[str]:
    """Say what was logged, from the level of LIVESERVER_LOG on."""
    found = [
        (line.time, server, line.text)
        for server, span in list(watch.spans.items())
        for line in span.log_lines()
    ]
    if not found:
        return []
    found.sort(key=lambda entry: entry[0])
    names = _names(list(dict.fromkeys(server for _, server, _ in found)))
    shown = _shown(found, names, _MAX_LOG_LINES, lambda _, text: text)
    return ["Logged in this test (LIVESERVER_LOG):", *shown]


def _shown(
    found: list[tuple[float, ServerControl, _Entry]],
    names: dict[ServerControl, str],
    limit: int,
    text: Callable[[ServerControl, _Entry], str],
) -> list[str]:
    """Make lines of the last entries, with the servers' names where there are several."""
    lines = [f"  ... and {len(found) - limit} more before"] if len(found) > limit else []
    width = max(map(len, names.values()))
    for _, server, each in found[-limit:]:
        name = f"{names[server]:{width}}  " if len(names) > 1 else ""
        lines.append(f"  {name}{text(server, each)}")
    return lines


def _names(servers: list[ServerControl]) -> dict[ServerControl, str]:
    """Return a name for each server: that of its app, and the port where two have the same."""
    short = {server: _short(server.name, server.app) for server in servers}
    count = Counter(short.values())
    return {
        server: name if count[name] == 1 else f"{name}:{server.port}"
        for server, name in short.items()
    }


def _short(name: str, app: Any) -> str:
    """Return what tells an app from others: `orders` of `shop.orders.app`, or FastAPI's title."""
    title = getattr(app, "title", None)
    if name.startswith("<") and isinstance(title, str) and title:  # an object without a name
        return title
    name = name.strip("'<>").removesuffix(" object")
    parts = [part for part in re.split(r"[.:]", name) if part and part != "<locals>"]
    telling = [part for part in parts if part not in _COMMON]
    return (telling or parts or [name])[-1]


def _url(server: ServerControl) -> str:
    return server.url("base_url", "http")


def _line(server: ServerControl, each: Failure) -> str:
    if not isinstance(each, RequestRecord) or each.exception is not None:
        return failure_line(each)
    waits = each.duration is None and not each.complete
    place = server.place(each) if waits else ""
    remark = f", {printable(each.remark)}" if each.remark else ""
    return f"{each.served()}{remark}" + (f", {place}" if place else "")


def _hint(server: ServerControl) -> list[str]:
    """Name the setting of a framework that keeps its exceptions to itself."""
    framework = type(server.app).__module__.partition(".")[0]
    setting = SETTINGS.get(framework)
    if setting is None:
        return []
    return [f"{framework} answers 500 by itself. For its exceptions here, {setting}."]


def tracebacks_of(failures: list[Failure]) -> list[str]:
    """Return the tracebacks of failures, which are then reported; of too many, the first ones."""
    for each in failures:
        each.reported = True
    shown = failures[:_MAX_TRACEBACKS]
    # Indented, so that no line of an exception's text can be taken for one of the report.
    return [indent(short_traceback(each.exception), "    ") for each in shown if each.exception]


def _is_about_to_end(record: RequestRecord) -> bool:
    """Whether a request has answered, at least in part, or lost its client, and may still raise."""
    if record.duration is not None or record.waits_are_over:
        return False
    return record.abandoned or (record.status is not None and not record.endless)
