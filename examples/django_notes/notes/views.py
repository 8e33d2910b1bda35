"""A page with a form, and async, sync and streaming views."""

import asyncio
import json
from collections.abc import AsyncIterator

from django.contrib.auth.decorators import login_required
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt

from notes.models import Note

NoteForm = modelform_factory(Note, fields=["text"])


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Show all notes and a form for one more, to users who have logged in."""
    form = NoteForm(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("/")
    return render(request, "notes/page.html", {"form": form, "notes": Note.objects.all()})


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


async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Stream an event with the number of notes, whenever it is another one."""

    async def stream() -> AsyncIterator[str]:
        last = None
        while True:
            number = await Note.objects.acount()
            if number != last:
                yield f"data: {number}\n\n"
            last = number
            await asyncio.sleep(0.05)

    return StreamingHttpResponse(stream(), content_type="text/event-stream")
