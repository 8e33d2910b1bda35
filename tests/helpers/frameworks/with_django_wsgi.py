"""The API with Django, on WSGI."""

from django.core.wsgi import get_wsgi_application

from tests.helpers.frameworks import with_django  # noqa: F401  # configures Django, and has the views

app = get_wsgi_application()
