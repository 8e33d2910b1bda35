"""The API with Flask."""

from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request
from flask import redirect as redirect_to

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt

app = Flask(__name__)
app.config["PROPAGATE_EXCEPTIONS"] = True


@app.get("/hello")
def hello() -> Response:
    return Response("hello", mimetype="text/plain")


@app.post("/json")
def echo() -> Any:
    return request.get_json()


@app.get("/redirect")
def redirect() -> Any:
    return redirect_to("/hello")


@app.get("/cookie")
def set_cookie() -> Response:
    response = Response("")
    response.set_cookie("visit", "1")
    return response


@app.get("/cookie/read")
def read_cookie() -> str:
    return request.cookies.get("visit", "")


@app.post("/upload")
def upload() -> dict[str, int | str]:
    return receipt(request.get_data())


@app.get("/download")
def download() -> Response:
    return Response(DOWNLOAD, mimetype="application/octet-stream")


@app.get("/stream")
def stream() -> Response:
    def pieces() -> Iterator[str]:
        yield from PIECES

    return Response(pieces(), mimetype="text/plain")


@app.get("/path/<value>")
def path(value: str) -> str:
    return value
