"""Settings of a Django project without a database, for its test runner."""

SECRET_KEY = "not a secret"
DATABASES: dict[str, dict[str, str]] = {}
