"""Django's live server as a contender. Importing this module configures Django."""

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.benchmarks._common import BODY, HOST, ask

__all__ = ["cycle", "urlpatterns"]

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        # Without databases: Django's time here is its server's alone.
        DATABASES={},
        # Without prefixes of their own, the handlers for files would take every request.
        STATIC_URL="/static/",
        MEDIA_URL="/media/",
    )
    django.setup()

# Only now: this module reads the settings while it is imported.
from django.test import LiveServerTestCase


def hello(request: HttpRequest) -> HttpResponse:
    """Answer as the ASGI app of the others does."""
    return HttpResponse(BODY, content_type="text/plain")


urlpatterns = [path("", hello)]


class _Fixture(LiveServerTestCase):
    # "localhost" is the default; a number spares the client the search for an IPv6 server.
    host = HOST
    databases: frozenset[str] = frozenset()


def cycle(asks: bool) -> None:
    """Run the hooks that a runner calls around a class of tests, and nothing else of it."""
    _Fixture.setUpClass()
    if asks:
        ask(_Fixture.server_thread.port)
    _Fixture.tearDownClass()
    _Fixture.doClassCleanups()
    if _Fixture.tearDown_exceptions:
        raise _Fixture.tearDown_exceptions[0][1]
