"""The API with Falcon's WSGI app."""

import falcon
from falcon import Request, Response

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


class Hello:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "hello"

    on_head = on_get


class Json:
    def on_post(self, req: Request, resp: Response) -> None:
        resp.media = req.get_media()


class Redirect:
    def on_get(self, req: Request, resp: Response) -> None:
        raise falcon.HTTPFound("/hello")


class Cookie:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.set_cookie("visit", "1", path="/", secure=False)

    def on_get_read(self, req: Request, resp: Response) -> None:
        resp.text = req.cookies.get("visit", "")


class Upload:
    def on_post(self, req: Request, resp: Response) -> None:
        resp.media = receipt(req.bounded_stream.read())


class Download:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = DOWNLOAD


class Stream:
    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = (piece.encode() for piece in PIECES)


class Path:
    def on_get(self, req: Request, resp: Response, value: str) -> None:
        resp.text = value


app = falcon.App()
app.add_route("/hello", Hello())
app.add_route("/json", Json())
app.add_route("/redirect", Redirect())
app.add_route("/cookie", Cookie())
app.add_route("/cookie/read", Cookie(), suffix="read")
app.add_route("/upload", Upload())
app.add_route("/download", Download())
app.add_route("/stream", Stream())
app.add_route("/path/{value}", Path())
