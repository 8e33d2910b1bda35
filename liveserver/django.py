"""Live server test cases for Django, over ASGI: `pip install "liveserver[django]"`.

They take the place of `django.test.LiveServerTestCase` and of
`django.contrib.staticfiles.testing.StaticLiveServerTestCase`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

try:
    import django as _django  # noqa: F401
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        'liveserver.django needs Django. Install it: pip install "liveserver[django]"',
        name=_error.name,
    ) from None

from django.apps import apps
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.handlers.asgi import ASGIHandler
from django.test import TransactionTestCase, modify_settings
from django.utils.functional import classproperty

from liveserver._app.loading import imported
from liveserver._django.connections import SERVER_CONNECTIONS
from liveserver._django.remarks import remarks
from liveserver._django.site import DjangoSite, StaticRootHandler, default_application, renewed
from liveserver._errors import ConfigurationError, StartupError
from liveserver._options.server_options import ServerOptions
from liveserver._server.live_server import LiveServer
from liveserver._testcase.cases import LiveServerMixin
from liveserver._testcase.class_config import options_of
from liveserver._testcase.server_property import ServerProperty

if TYPE_CHECKING:
    import requests

__all__ = ["LiveServerTestCase", "StaticLiveServerTestCase"]

__unittest = __tracebackhide__ = True


# Of session servers: an app, which need not be hashable, and a handler, as one object.
_IDENTITIES: dict[tuple[int, Any], tuple[object, Any]] = {}


class _ServerThread(NamedTuple):
    """What tests read of Django's `server_thread`."""

    host: str
    port: int
    connections_override: dict[str, Any]


def _server_thread(server: LiveServer) -> _ServerThread:
    return _ServerThread(server.host, server.port, dict(SERVER_CONNECTIONS.shared))


class _ServedTestCase(TransactionTestCase):
    """What surrounds the server of a class: its host is allowed, its connections are closed."""

    @classmethod
    def setUpClass(cls) -> None:
        # Before the set-up: Django forgets it if that fails.
        cls.addClassCleanup(_unset_available_apps, cls)
        super().setUpClass()
        cls.enterClassContext(modify_settings(ALLOWED_HOSTS={"append": _hosts(cls)}))

    def _post_teardown(self) -> None:
        # Before the flush, for which a database may want to be alone.
        SERVER_CONNECTIONS.close()
        super()._post_teardown()


class LiveServerTestCase(LiveServerMixin, _ServedTestCase):
    """A `TransactionTestCase` of Django whose tests have a server running the project.

    Without `app` it serves `settings.ASGI_APPLICATION`, or Django's own ASGI handler, built anew
    for every server, with the middleware of the settings at that time. Files of `STATIC_ROOT` and
    `MEDIA_ROOT` are served under their URLs.
    """

    host = "localhost"
    """The host that the server listens on, and that `live_server_url` names."""

    port = 0
    """The port; 0 for one that the system chooses."""

    static_handler: ClassVar[Callable[[Any], Any]] = StaticRootHandler
    """An ASGI handler around the app that serves static files."""

    live_server_url = ServerProperty(
        lambda server: server.base_url,
        "The URL of the server, as `base_url`: `http://host:port`. On class and instance.",
    )
    server_thread = ServerProperty(
        _server_thread, "`host`, `port` and `connections_override` of the server, as in Django."
    )

    if TYPE_CHECKING:

        @property
        def http(self) -> requests.Session: ...

    @classproperty
    def allowed_host(cls) -> str:
        """The host that is added to `ALLOWED_HOSTS` while the class runs."""
        return cls.host

    @classmethod
    def create_app(cls) -> Any:
        """Return the project's app; called anew for every server."""
        app = super().create_app() if hasattr(cls, "app") else default_application()
        return renewed(app, _hosts(cls))

    @classmethod
    def _live_server_defaults(cls) -> ServerOptions:
        return {"host": cls.host, "port": cls.port}

    @classmethod
    def _live_server_served(cls, app: Any) -> Any:
        handler = cls.static_handler
        if not (isinstance(handler, type) and issubclass(handler, ASGIHandler)):
            raise ConfigurationError(
                f"{cls.__qualname__}.static_handler is {handler!r}. Use a subclass of "
                "django.contrib.staticfiles.handlers.ASGIStaticFilesHandler."
            )
        app = imported(app)
        if options_of(cls).get("factory"):
            return lambda: DjangoSite(app(), handler)
        return DjangoSite(app, handler)

    @classmethod
    def _live_server_identity(cls) -> object:
        app = super()._live_server_identity()
        return _IDENTITIES.setdefault((id(app), cls.static_handler), (app, cls.static_handler))

    @classmethod
    def _live_server_start(cls) -> None:
        cls.enterClassContext(remarks())
        cls.enterClassContext(SERVER_CONNECTIONS.serving())
        refusal = None
        try:
            super()._live_server_start()
        except StartupError as error:
            refusal = error.__cause__
            if not isinstance(refusal, OSError):
                raise
            refusal.add_note(str(error))
        if refusal is not None:
            raise refusal  # as Django does; outside of the block, or each would be in the other

    @classmethod
    def _start_server_thread(cls) -> None:
        """Start the server, as Django's method of this name does, without `setUpClass`."""
        cls._live_server_start()


class StaticLiveServerTestCase(LiveServerTestCase):
    """The same, and it finds static files by the finders of the app `staticfiles`."""

    static_handler = ASGIStaticFilesHandler


def _hosts(cls: Any) -> list[str]:
    """Return the hosts that are allowed while a class runs."""
    options = options_of(cls)
    hosts = [cls.allowed_host, options.get("host"), options.get("public_host")]
    allowed = list(dict.fromkeys(host.strip("[]") for host in hosts if host))
    return allowed + [f"[{host}]" for host in allowed if ":" in host]


def _unset_available_apps(cls: Any) -> None:
    """Do what Django's `tearDownClass` does, which does not run after a failing `setUpClass`."""
    if getattr(cls, "_available_apps_calls_balanced", 0) > 0:
        apps.unset_available_apps()
        cls._available_apps_calls_balanced -= 1
