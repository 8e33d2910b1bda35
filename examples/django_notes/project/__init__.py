"""A Django project that is served by ASGI."""
