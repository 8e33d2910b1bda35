"""Views of each kind; all of them ask the database."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path


def count() -> int:
    return ContentType.objects.filter(app_label="made").count()


def sync_view(request: Any) -> HttpResponse:
    return HttpResponse(f"{count()}")


async def async_view(request: Any) -> HttpResponse:
    return HttpResponse(f"{await ContentType.objects.filter(app_label='made').acount()}")


async def in_any_thread(request: Any) -> HttpResponse:
    return HttpResponse(f"{await sync_to_async(count, thread_sensitive=False)()}")


def write(request: Any) -> HttpResponse:
    ContentType.objects.create(app_label="made", model=request.GET["n"])
    return HttpResponse("ok")


@transaction.atomic
def write_atomic(request: Any) -> HttpResponse:
    with transaction.atomic():
        ContentType.objects.create(app_label="made", model=request.GET["n"])
    count()
    return write_rest(request)


def write_rest(request: Any) -> HttpResponse:
    if "fail" in request.GET:
        raise LookupError("after a write")
    return HttpResponse("ok")


def slow(request: Any) -> HttpResponse:
    count()
    time.sleep(0.3)
    return HttpResponse(f"{count()}")


def raising(request: Any) -> HttpResponse:
    count()
    raise LookupError("no such thing")


async def raising_async(request: Any) -> HttpResponse:
    raise LookupError("no such thing, async")


def stream(request: Any) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for _ in range(40):
            yield f"{count()}\n"
            time.sleep(0.01)

    return StreamingHttpResponse(lines())


async def events(request: Any) -> StreamingHttpResponse:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield f"data: {await ContentType.objects.acount()}\n\n"
            await asyncio.sleep(0.01)

    return StreamingHttpResponse(lines(), content_type="text/event-stream")


def refused(request: Any, status: int) -> HttpResponse:
    if status == 403:
        raise PermissionDenied
    if status == 404:
        raise Http404
    return HttpResponse(status=status)


urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("thread", in_any_thread),
    path("write", write),
    path("write_atomic", write_atomic),
    path("slow", slow),
    path("raising", raising),
    path("raising_async", raising_async),
    path("stream", stream),
    path("events", events),
    path("refused/<int:status>", refused),
]
