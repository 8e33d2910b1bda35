"""An app as a project with Channels makes it, with consumers that use the database."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

from tests.helpers.django_project.urls import count


class SyncConsumer(WebsocketConsumer):
    """Answers with the number of rows; raises when it is told to."""

    def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
        if text_data == "raise":
            raise LookupError(f"after {count()} rows")
        self.send(text_data=f"{count()}")


class AsyncConsumer(AsyncWebsocketConsumer):
    """The same with coroutines."""

    async def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
        number = await database_sync_to_async(count)()
        if text_data == "raise":
            raise LookupError(f"after {number} rows")
        await self.send(text_data=f"{number}")


sockets = [path("ws/sync", SyncConsumer.as_asgi()), path("ws/async", AsyncConsumer.as_asgi())]

# Made when the module is imported: with the middleware and the hosts of that time.
application = ProtocolTypeRouter(
    {
        "http": URLRouter([re_path("", get_asgi_application())]),
        "websocket": AllowedHostsOriginValidator(URLRouter(sockets)),
    }
)
