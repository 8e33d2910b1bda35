"""Async, sync and streaming views."""

import json
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt

from notes.models import Note


@csrf_exempt
async def notes(request: HttpRequest) -> HttpResponse:
    """List the notes; with POST, add one."""
    if request.method == "POST":
        made = await Note.objects.acreate(text=json.loads(request.body)["text"])
        return JsonResponse({"id": made.pk, "text": made.text}, status=201)
    return JsonResponse({"notes": [each.text async for each in Note.objects.order_by("pk")]})


def note(request: HttpRequest, number: int) -> HttpResponse:
    """Show one note; a sync view, which Django runs in a thread."""
    return JsonResponse({"text": get_object_or_404(Note, pk=number).text})


async def export(request: HttpRequest) -> StreamingHttpResponse:
    """Stream all notes, a line each."""

    async def lines() -> AsyncIterator[str]:
        async for each in Note.objects.order_by("pk"):
            yield f"{each.text}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")
