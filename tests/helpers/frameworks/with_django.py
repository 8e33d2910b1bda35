"""The API with Django, on ASGI; `with_django_wsgi` has the same views on WSGI."""

import json
import logging
from collections.abc import AsyncIterator

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        DEBUG=False,
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="not a secret",
    )
    logging.getLogger("django").addHandler(logging.NullHandler())  # it would print each 404


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", content_type="text/plain")


def echo(request: HttpRequest) -> HttpResponse:
    return JsonResponse(json.loads(request.body))


def redirect(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/hello")


def set_cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.set_cookie("visit", "1")
    return response


def read_cookie(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.COOKIES.get("visit", ""))


def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(receipt(request.body))


def download(request: HttpRequest) -> HttpResponse:
    return HttpResponse(DOWNLOAD, content_type="application/octet-stream")


def stream(request: HttpRequest) -> HttpResponseBase:
    async def pieces() -> AsyncIterator[str]:
        for piece in PIECES:
            yield piece

    # Django warns where a generator is not of the server's kind.
    found = pieces() if isinstance(request, ASGIRequest) else (piece for piece in PIECES)
    return StreamingHttpResponse(found, content_type="text/plain")


def show_path(request: HttpRequest, value: str) -> HttpResponse:
    return HttpResponse(value)


urlpatterns = [
    path("hello", hello),
    path("json", echo),
    path("redirect", redirect),
    path("cookie", set_cookie),
    path("cookie/read", read_cookie),
    path("upload", upload),
    path("download", download),
    path("stream", stream),
    path("path/<value>", show_path),
]

app = get_asgi_application()
