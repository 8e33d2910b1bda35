"""The API with Litestar."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, head, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Stream

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


@get("/hello", media_type=MediaType.TEXT)
async def hello() -> str:
    return "hello"


@head("/hello", media_type=MediaType.TEXT)
async def hello_head() -> None: ...


@post("/json", status_code=200)
async def echo(data: dict[str, Any]) -> dict[str, Any]:
    return data


@get("/redirect", status_code=302)
async def redirect() -> Redirect:
    return Redirect("/hello")


@get("/cookie", response_cookies=[Cookie("visit", value="1")])
async def set_cookie() -> None: ...


@get("/cookie/read", media_type=MediaType.TEXT)
async def read_cookie(request: Request[Any, Any, Any]) -> str:
    return request.cookies.get("visit", "")


@post("/upload", status_code=200, request_max_body_size=None)
async def upload(request: Request[Any, Any, Any]) -> dict[str, int | str]:
    return receipt(await request.body())


@get("/download", media_type="application/octet-stream")
async def download() -> Response[bytes]:
    return Response(DOWNLOAD)


@get("/stream", media_type=MediaType.TEXT)
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[str]:
        for piece in PIECES:
            yield piece

    return Stream(pieces())


@get("/path/{value:str}", media_type=MediaType.TEXT)
async def path(value: str) -> str:
    return value


app = Litestar(
    [
        hello,
        hello_head,
        echo,
        redirect,
        set_cookie,
        read_cookie,
        upload,
        download,
        stream,
        path,
    ],
    logging_config=None,
    openapi_config=None,
)
