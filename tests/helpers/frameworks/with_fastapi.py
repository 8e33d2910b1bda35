"""The API with FastAPI; its handlers run in worker threads where they need not be async."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt

app = FastAPI()


@app.api_route("/hello", methods=["GET", "HEAD"], response_class=PlainTextResponse)
def hello() -> str:
    return "hello"


@app.post("/json")
def echo(value: dict[str, Any]) -> dict[str, Any]:
    return value


@app.get("/redirect")
def redirect() -> RedirectResponse:
    return RedirectResponse("/hello")


@app.get("/cookie")
def set_cookie(response: Response) -> None:
    response.set_cookie("visit", "1")


@app.get("/cookie/read", response_class=PlainTextResponse)
def read_cookie(visit: Annotated[str, Cookie()] = "") -> str:
    return visit


@app.post("/upload")
async def upload(request: Request) -> dict[str, int | str]:
    return receipt(await request.body())


@app.get("/download")
def download() -> Response:
    return Response(DOWNLOAD, media_type="application/octet-stream")


@app.get("/stream")
def stream() -> StreamingResponse:
    def pieces() -> Iterator[str]:
        yield from PIECES

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/path/{value}", response_class=PlainTextResponse)
def path(value: str) -> str:
    return value
