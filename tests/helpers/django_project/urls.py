"""Views of each kind; all of them ask the database."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.request import urlopen

from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path

from tests.helpers.django_project.seeded.models import Seed

barrier = threading.Barrier(2)
may_end = threading.Event()


def rows(request: Any = None) -> Any:
    """The rows of tests, in the database that a request names."""
    using = "default" if request is None else request.GET.get("using", "default")
    return ContentType.objects.using(using).filter(app_label="made")


def count() -> int:
    return int(rows().count())


def sync_view(request: Any) -> HttpResponse:
    return HttpResponse(f"{rows(request).count()}")


async def async_view(request: Any) -> HttpResponse:
    return HttpResponse(f"{await rows(request).acount()}")


async def in_any_thread(request: Any) -> HttpResponse:
    return HttpResponse(f"{await sync_to_async(count, thread_sensitive=False)()}")


def write(request: Any) -> HttpResponse:
    rows(request).create(app_label="made", model=request.GET["n"])
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


def take_seed(request: Any) -> HttpResponse:
    """Delete what a migration has written; say how much it was."""
    deleted, _ = Seed.objects.all().delete()
    return HttpResponse(f"{deleted}")


def raw(request: Any) -> HttpResponse:
    """Use a cursor in each way."""
    table = ContentType._meta.db_table
    with connection.cursor() as cursor:
        rows = [("made", f"raw{number}") for number in range(6)]
        cursor.executemany(f"INSERT INTO {table} (app_label, model) VALUES (%s, %s)", rows)
        query = f"SELECT model FROM {table} WHERE app_label = 'made' ORDER BY model"
        cursor.execute(query)
        found = [cursor.fetchone(), *cursor.fetchmany(2), *cursor.fetchall()]
        cursor.execute(query)
        assert [*cursor] == found
    return HttpResponse(",".join(model for (model,) in found))


def autocommit_off(request: Any) -> HttpResponse:
    transaction.set_autocommit(False)
    try:
        ContentType.objects.create(app_label="made", model="rolled back")
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)
    return HttpResponse(f"{count()}")


@transaction.atomic
def asks_itself(request: Any) -> HttpResponse:
    """Ask the same server, in a transaction."""
    ContentType.objects.create(app_label="made", model="outer")
    url = request.build_absolute_uri("/write?n=inner")
    return HttpResponse(urlopen(url, timeout=20).read())


def which_thread(request: Any) -> HttpResponse:
    return HttpResponse(f"{threading.get_ident()}")


def meet(request: Any) -> HttpResponse:
    """Wait for another request to be here too."""
    barrier.wait(20)
    return which_thread(request)


def held(request: Any) -> HttpResponse:
    barrier.wait(20)
    may_end.wait(20)
    return which_thread(request)


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
    path("take_seed", take_seed),
    path("raw", raw),
    path("autocommit_off", autocommit_off),
    path("asks_itself", asks_itself),
    path("slow", slow),
    path("which_thread", which_thread),
    path("meet", meet),
    path("held", held),
    path("raising", raising),
    path("raising_async", raising_async),
    path("stream", stream),
    path("events", events),
    path("refused/<int:status>", refused),
]
