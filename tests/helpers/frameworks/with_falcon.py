"""The API with Falcon's ASGI app."""

from collections.abc import AsyncIterator

import falcon.asgi
from falcon.asgi import Request, Response

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


class Hello:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "hello"

    on_head = on_get


class Json:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.media = await req.get_media()


class Redirect:
    async def on_get(self, req: Request, resp: Response) -> None:
        raise falcon.HTTPFound("/hello")


class Cookie:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.set_cookie("visit", "1", path="/", secure=False)

    async def on_get_read(self, req: Request, resp: Response) -> None:
        resp.text = req.cookies.get("visit", "")


class Upload:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.media = receipt(await req.stream.read())


class Download:
    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = DOWNLOAD


class Stream:
    async def on_get(self, req: Request, resp: Response) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in PIECES:
                yield piece.encode()

        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = pieces()


class Path:
    async def on_get(self, req: Request, resp: Response, value: str) -> None:
        resp.text = value


app = falcon.asgi.App()
app.add_route("/hello", Hello())
app.add_route("/json", Json())
app.add_route("/redirect", Redirect())
app.add_route("/cookie", Cookie())
app.add_route("/cookie/read", Cookie(), suffix="read")
app.add_route("/upload", Upload())
app.add_route("/download", Download())
app.add_route("/stream", Stream())
app.add_route("/path/{value}", Path())
