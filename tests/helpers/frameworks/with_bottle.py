"""The API with Bottle."""

from collections.abc import Iterator
from typing import Any

from bottle import Bottle, request, response
from bottle import redirect as redirect_to

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt

app = Bottle(catchall=False)


@app.get("/hello")
def hello() -> str:
    response.content_type = "text/plain"
    return "hello"


@app.post("/json")
def echo() -> Any:
    return request.json


@app.get("/redirect")
def redirect() -> None:
    redirect_to("/hello", 302)


@app.get("/cookie")
def set_cookie() -> None:
    response.set_cookie("visit", "1", path="/")


@app.get("/cookie/read")
def read_cookie() -> str:
    return str(request.get_cookie("visit", ""))


@app.post("/upload")
def upload() -> dict[str, int | str]:
    return receipt(request.body.read())


@app.get("/download")
def download() -> bytes:
    response.content_type = "application/octet-stream"
    return DOWNLOAD


@app.get("/stream")
def stream() -> Iterator[str]:
    response.content_type = "text/plain"
    yield from PIECES


@app.get("/path/<value>")
def path(value: str) -> str:
    return value
