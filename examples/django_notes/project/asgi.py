"""The ASGI app, as Django's `startproject` makes it, and WebSockets where Channels is installed."""

import os

from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()

try:
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
except ModuleNotFoundError:
    pass
else:
    from notes.consumers import NoteConsumer

    sockets = URLRouter([path("ws/notes", NoteConsumer.as_asgi())])
    application = ProtocolTypeRouter(
        {"http": application, "websocket": AllowedHostsOriginValidator(sockets)}
    )
