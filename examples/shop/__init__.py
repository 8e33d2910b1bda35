"""A small shop, the app that most examples test: FastAPI on SQLite, with a page for browsers."""
