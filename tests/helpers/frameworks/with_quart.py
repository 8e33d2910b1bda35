"""The API with Quart."""

from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, request
from quart import redirect as redirect_to

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt

app = Quart(__name__)
app.config["PROPAGATE_EXCEPTIONS"] = True


@app.get("/hello")
async def hello() -> Response:
    return Response("hello", mimetype="text/plain")


@app.post("/json")
async def echo() -> Any:
    return await request.get_json()


@app.get("/redirect")
async def redirect() -> Any:
    return redirect_to("/hello")


@app.get("/cookie")
async def set_cookie() -> Response:
    response = Response("")
    response.set_cookie("visit", "1")
    return response


@app.get("/cookie/read")
async def read_cookie() -> str:
    return request.cookies.get("visit", "")


@app.post("/upload")
async def upload() -> dict[str, int | str]:
    return receipt(await request.get_data())


@app.get("/download")
async def download() -> Response:
    return Response(DOWNLOAD, mimetype="application/octet-stream")


@app.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[str]:
        for piece in PIECES:
            yield piece

    return Response(pieces(), mimetype="text/plain")


@app.get("/path/<value>")
async def path(value: str) -> str:
    return value
