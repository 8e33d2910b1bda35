"""The API with Starlette."""

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def redirect(request: Request) -> Response:
    return RedirectResponse("/hello")


async def set_cookie(request: Request) -> Response:
    response = Response()
    response.set_cookie("visit", "1")
    return response


async def read_cookie(request: Request) -> Response:
    return PlainTextResponse(request.cookies.get("visit", ""))


async def upload(request: Request) -> Response:
    return JSONResponse(receipt(await request.body()))


async def download(request: Request) -> Response:
    return Response(DOWNLOAD, media_type="application/octet-stream")


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        for piece in PIECES:
            yield piece

    return StreamingResponse(pieces(), media_type="text/plain")


async def path(request: Request) -> Response:
    return PlainTextResponse(request.path_params["value"])


app = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/json", echo, methods=["POST"]),
        Route("/redirect", redirect),
        Route("/cookie", set_cookie),
        Route("/cookie/read", read_cookie),
        Route("/upload", upload, methods=["POST"]),
        Route("/download", download),
        Route("/stream", stream),
        Route("/path/{value}", path),
    ]
)
