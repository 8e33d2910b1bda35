"""What a server of a Django project serves: its app, and its static and media files."""

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.exceptions import SuspiciousFileOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.utils._os import safe_join
from django.utils.module_loading import import_string
from django.views.static import serve

from liveserver._app.asgi import Receive, Scope, Send
from liveserver._app.loading import as_asgi
from liveserver._django.connections import SERVER_CONNECTIONS, in_server
from liveserver._django.threads import RequestThreads

__all__ = ["DjangoSite", "StaticRootHandler", "default_application", "renewed"]


class FilesHandler(ASGIStaticFilesHandler):
    """Serves the files of a folder, and hands everything else to the app.

    The settings are read at each request, so that a test may override them.
    """

    url_setting = root_setting = ""

    def __init__(self, application: Any) -> None:
        self.application = application

    def _should_handle(self, path: str) -> bool:
        return os.path.isfile(self._file(path))

    def _file(self, path: str) -> str:
        """Return the full path of a file, which need not exist; an empty string for other URLs."""
        root, url = getattr(settings, self.root_setting), getattr(settings, self.url_setting)
        base = urlparse(url or "/")
        # Without the setting, the URL is that of the whole site.
        if not root or base.netloc or base.path == "/" or not path.startswith(base.path):
            return ""
        try:
            relative = posixpath.normpath(path.removeprefix(base.path)).lstrip("/")
            return str(safe_join(root, relative))
        except (SuspiciousFileOperation, ValueError):  # ValueError: a null character
            return ""

    def serve(self, request: Any) -> Any:
        """Return the file."""
        root = getattr(settings, self.root_setting)
        return serve(request, os.path.relpath(self._file(request.path), root), document_root=root)


class StaticRootHandler(FilesHandler):
    """Serves what `collectstatic` has put into `STATIC_ROOT`."""

    url_setting, root_setting = "STATIC_URL", "STATIC_ROOT"


class MediaFilesHandler(FilesHandler):
    """Serves `MEDIA_ROOT`."""

    url_setting, root_setting = "MEDIA_URL", "MEDIA_ROOT"


class DjangoSite:
    """An ASGI app around that of a project.

    Attributes:
        application: The project's app.
        title: The name of the project, for notes.
    """

    def __init__(self, application: Any, static_handler: Callable[[Any], Any]) -> None:
        self.application = application
        # The project's, in whose package a traceback's lines are the user's.
        self.__module__ = str(settings.ROOT_URLCONF)
        self.title = self.__module__.partition(".")[0]
        self._threads = RequestThreads()
        self._handler = static_handler(MediaFilesHandler(as_asgi(application)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and let its database connections be known as a server's."""
        token = in_server.set(True)
        # Channels runs the sync code of all WebSockets in one thread.
        thread = self._threads.one() if scope["type"] == "http" else contextlib.nullcontext()
        try:
            async with thread:
                await self._handler(scope, receive, send)
        finally:
            in_server.reset(token)
            await SERVER_CONNECTIONS.close_abandoned()


def default_application() -> Any:
    """Return `settings.ASGI_APPLICATION`, or Django's own handler."""
    name = getattr(settings, "ASGI_APPLICATION", None)
    return import_string(name) if name else ASGIHandler()


class AllowedOrigins(list[str]):
    """The origins that a project's WebSockets allow, and the hosts of a test class."""

    def __init__(self, own: Iterable[str], hosts: Iterable[str]) -> None:
        super().__init__([*own, *hosts])
        self.own = own


def renewed(application: Any, hosts: Iterable[str]) -> Any:
    """Return an app for a new server.

    Its Django handlers have the middleware of the settings as they are now. Those inside another
    app, such as a router of Channels, load it anew.

    Args:
        application: The project's app.
        hosts: What Channels' validators of origins allow too; they read `ALLOWED_HOSTS` when the
            app was made, which may be long ago.
    """
    if type(application) in (ASGIHandler, WSGIHandler):
        return type(application)()
    for app in _parts(application):
        if isinstance(app, ASGIHandler | WSGIHandler):
            app.load_middleware(is_async=isinstance(app, ASGIHandler))
        elif "allowed_origins" in vars(app):
            origins = app.allowed_origins
            app.allowed_origins = AllowedOrigins(getattr(origins, "own", origins), hosts)
    return application


def _parts(application: Any) -> Iterator[Any]:
    """Return the apps that an app is made of."""
    seen: list[Any] = []  # apps need not be hashable
    rest = [application]
    while rest:
        app = rest.pop()
        if not hasattr(app, "__dict__") or any(app is each for each in seen):
            continue
        seen.append(app)
        yield app
        # Of wrappers, by the names that are usual, and of the routers of Channels.
        rest += [vars(app).get(name) for name in ("app", "application", "inner")]
        mapping, routes = vars(app).get("application_mapping"), vars(app).get("routes")
        rest += mapping.values() if isinstance(mapping, dict) else ()
        rest += [vars(each).get("callback") for each in routes] if isinstance(routes, list) else ()
