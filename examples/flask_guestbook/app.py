"""A guest book in Flask."""

from flask import Flask, request, session
from flask.typing import ResponseReturnValue


def create_app() -> Flask:
    """Build a guest book without entries."""
    app = Flask(__name__)
    app.secret_key = "only an example"
    app.config["PROPAGATE_EXCEPTIONS"] = True  # else Flask prints what a view raises
    entries: list[str] = []

    @app.get("/entries")
    def list_entries() -> ResponseReturnValue:
        return entries

    @app.post("/entries")
    def sign() -> ResponseReturnValue:
        entries.append(f"{session['name']}: {request.get_json()['text']}")
        return entries, 201

    @app.post("/login")
    def login() -> ResponseReturnValue:
        session["name"] = request.form["name"]
        return "", 204

    return app
