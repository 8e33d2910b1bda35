"""The app, as a project makes it: its handler has loaded the middleware at the import."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
