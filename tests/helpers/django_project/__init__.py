"""A Django project for tests, whose database is chosen by the variable DJANGO_DATABASE."""

import unittest
from importlib.util import find_spec

# Its tests also serve WSGI and TLS.
needs_django = unittest.skipUnless(
    all(map(find_spec, ("django", "a2wsgi", "trustme"))), "django and the extras are not installed"
)
