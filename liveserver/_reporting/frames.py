"""Whose a frame is: the user's, a library's, a test runner's or this package's.

unittest and pytest leave the frames of a module out of their reports that has the globals
`__unittest` and `__tracebackhide__`; each module that raises an error for the user has both.
unittest does so only at the beginning of a traceback, and pytest not where nothing else is left,
so the functions here cut the rest.
"""

import glob
import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import FrameType, TracebackType

__all__ = [
    "Lines",
    "add_app",
    "app_frames",
    "from_last_runner",
    "is_own_module",
    "is_users",
    "short_path",
    "up_to_users",
    "users_lines",
]

# Frames, each with the number of the line that it is at, outermost first.
Lines = list[tuple[FrameType, int]]

_PACKAGE, *_ = __name__.partition(".")
# The folder of this package, whichever module of it asks.
_FOLDER = os.path.dirname(os.path.dirname(__file__))
# Frameworks: an app may be an object of theirs, and then says nothing of the user's package.
_FRAMEWORKS = {
    "a2wsgi",
    "asgiref",
    "bottle",
    "channels",
    "django",
    "falcon",
    "fastapi",
    "flask",
    "litestar",
    "quart",
    "starlette",
    "uvicorn",
}
# Where the apps are that the process has served: folders of packages, and files of modules.
_app_paths: set[str] = set()
_MAX_APPS = 100
# Apps that the process serves, and whose packages no report has needed yet.
_new_apps: deque[Callable[[], object]] = deque(maxlen=_MAX_APPS)
# Of an app with thousands, these are enough to find its package.
_MAX_ROUTES = 50

# The packages that run tests: their frames are nobody's.
_RUNNERS = ("unittest", "asyncio")


def is_own_module(name: str) -> bool:
    """Whether a module, named in full, is one of this package's."""
    return _top_level(name) == _PACKAGE


def users_lines(lines: Lines) -> Lines:
    """Return the lines of the user's code, without those of libraries."""
    return [line for line in lines if is_users(line[0].f_code.co_filename)]


def is_users(filename: str) -> bool:
    """Whether a file is one of the user's, by its path."""
    while _new_apps:
        app = _new_apps.popleft()()
        if app is not None:
            _learn(app)
    return filename.startswith(tuple(_app_paths)) or not _is_library(filename)


def add_app(app: object) -> None:
    """Count the package of an app as the user's, wherever it is: an app may be installed.

    Args:
        app: The app, or where to import it from.
    """
    try:
        _new_apps.append(weakref.ref(app))
    except TypeError:
        _new_apps.append(lambda: app)


def _learn(app: object) -> None:
    for module in _modules_of(app):
        package = sys.modules.get(_top_level(module))
        for path in getattr(package, "__path__", None) or [getattr(package, "__file__", None)]:
            if path and len(_app_paths) < _MAX_APPS:
                _app_paths.add(os.path.join(path, "") if os.path.isdir(path) else path)


def _modules_of(app: object) -> Iterator[str]:
    """Return the modules in which an app is written: by its name, itself, or its handlers."""
    if isinstance(app, str):
        yield app.partition(":")[0]
        return
    module = getattr(app, "__module__", "")
    if isinstance(module, str) and not (_is_framework(app) or is_own_module(module)):
        yield module
    views = getattr(app, "view_functions", None)
    handlers = list(views.values()) if isinstance(views, dict) else []
    routes = getattr(app, "routes", None)
    if isinstance(routes, list | tuple):
        handlers += [getattr(route, "endpoint", None) for route in routes[:_MAX_ROUTES]]
    for handler in handlers[:_MAX_ROUTES]:
        if not _is_framework(handler):
            yield getattr(handler, "__module__", "")


def _is_framework(thing: object) -> bool:
    """Whether it is an object of a framework's class."""
    module = getattr(thing, "__module__", None)
    return not isinstance(module, str) or _top_level(module) in _FRAMEWORKS


def app_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Skip the frames of servers and frameworks before the first one of the app."""
    for each in _walk(traceback):
        if not _is_library(each.tb_frame.f_code.co_filename):
            return each
    return traceback


def up_to_users(traceback: TracebackType | None) -> TracebackType | None:
    """Cut a traceback after its last frame of the user's; None if there is none."""
    last = None
    for each in _walk(traceback):
        if not _is_own(each.tb_frame) and not _is_runner(each.tb_frame):
            last = each
    if last is None:
        return None
    last.tb_next = None
    return traceback


def from_last_runner(traceback: TracebackType | None) -> TracebackType | None:
    """Begin a traceback just before its first frame of ours, if none before that is the user's.

    pytest hides ours; its summary needs one that it does not hide, and shows it.
    """
    before = traceback
    for each in _walk(traceback):
        if _is_own(each.tb_frame):
            return before
        if not _is_runner(each.tb_frame):
            break
        before = each
    return traceback


def short_path(filename: str) -> str:
    """Return a file's path relative to the current folder, where that is shorter."""
    try:
        relative = os.path.relpath(filename)
    except ValueError:  # another drive
        return filename
    return relative if len(relative) < len(filename) else filename


def _walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_own(frame: FrameType) -> bool:
    return is_own_module(_module(frame))


def _is_runner(frame: FrameType) -> bool:
    return _top_level(_module(frame)) in _RUNNERS


def _module(frame: FrameType) -> str:
    name: object = frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""


def _top_level(module: str) -> str:
    return module.partition(".")[0]


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    import sysconfig  # takes a millisecond, and few runs need it

    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    # Those of `pip install --user` and `--target`, of Debian, and of PYTHONPATH.
    folders |= {folder for folder in sys.path if glob.glob(f"{glob.escape(folder)}/*.dist-info")}
    return tuple(os.path.join(folder, "") for folder in (*folders, _FOLDER))


@lru_cache(maxsize=1000)
def _is_library(filename: str) -> bool:
    return filename.startswith(("<frozen", *_library_folders())) or any(
        part in filename.split(os.sep) for part in ("site-packages", "dist-packages")
    )
