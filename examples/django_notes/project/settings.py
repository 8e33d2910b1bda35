"""Settings for development and tests."""

from pathlib import Path

BASE_DIR = Path(__file__).parent.parent

SECRET_KEY = "only an example"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "notes"]
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "notes.sqlite3",
        # The server's threads have connections of their own, which cannot see a database that is
        # in the memory of the test's connection. So the test database is a file.
        "TEST": {"NAME": BASE_DIR / "test-notes.sqlite3"},
    }
}
