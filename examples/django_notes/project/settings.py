"""Settings for development and tests."""

from pathlib import Path

BASE_DIR = Path(__file__).parent.parent

SECRET_KEY = "only an example"
ALLOWED_HOSTS = ["notes.example"]  # a test's server is allowed by its class
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["django.contrib.staticfiles", "notes"]
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "notes.sqlite3",
    }
}
