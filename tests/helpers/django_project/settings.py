"""Settings of the project; none of them is there for liveserver, and no host is allowed."""

import atexit
import os
import shutil
import tempfile
from typing import Any

kind, _, name = os.environ.get("DJANGO_DATABASE", "memory").partition(":")
database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
if kind == "postgresql":
    database = {"ENGINE": "django.db.backends.postgresql", "HOST": name, "NAME": "postgres"}
    database["USER"] = "postgres"
if kind == "file":
    database["TEST"] = {"NAME": name}
database["CONN_MAX_AGE"] = int(os.environ.get("CONN_MAX_AGE", "0"))
other = {**database}
if kind == "postgresql":
    other["NAME"] = "other"
if kind == "file":
    other |= {"NAME": f"{name}-not-made", "TEST": {"NAME": f"{name}-other"}}

DATABASES = {"default": database, "other": other}
DEBUG_PROPAGATE_EXCEPTIONS = "DEBUG_PROPAGATE_EXCEPTIONS" in os.environ
SECRET_KEY = "secret"
ALLOWED_HOSTS: list[str] = []
ROOT_URLCONF = "tests.helpers.django_project.urls"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "tests.helpers.django_project.seeded",
]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
FILES = tempfile.mkdtemp(prefix="liveserver-files-")
atexit.register(shutil.rmtree, FILES, ignore_errors=True)
for folder in ("static", "root", "media"):
    os.mkdir(os.path.join(FILES, folder))
    with open(os.path.join(FILES, folder, "a.txt"), "w", encoding="utf-8") as file:
        file.write(folder)
STATIC_URL = "static/"
STATICFILES_DIRS = [os.path.join(FILES, "static")]
STATIC_ROOT = os.path.join(FILES, "root")
MEDIA_URL = "media/"
MEDIA_ROOT = os.path.join(FILES, "media")
