"""The API as a plain WSGI function."""

import json
from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any

from tests.helpers.frameworks import DOWNLOAD, PIECES, receipt


def app(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answer a request."""

    def answer(
        body: bytes, kind: str = "text/plain; charset=utf-8", status: str = "200 OK", **more: str
    ) -> list[bytes]:
        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        start_response(status, [*headers.items()])
        return [body] if environ["REQUEST_METHOD"] != "HEAD" else []

    def whole_body() -> bytes:
        return bytes(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))

    # PEP 3333: the bytes of the path, each as one character.
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8")
    match environ["REQUEST_METHOD"], path.split("/")[1:]:
        case ["GET" | "HEAD", ["hello"]]:
            return answer(b"hello")
        case ["POST", ["json"]]:
            return answer(json.dumps(json.loads(whole_body())).encode(), "application/json")
        case ["GET", ["redirect"]]:
            return answer(b"", status="302 Found", Location="/hello")
        case ["GET", ["cookie"]]:
            return answer(b"", Set_Cookie="visit=1; Path=/")
        case ["GET", ["cookie", "read"]]:
            sent = SimpleCookie(environ.get("HTTP_COOKIE", ""))
            return answer(sent["visit"].value.encode() if "visit" in sent else b"")
        case ["POST", ["upload"]]:
            return answer(json.dumps(receipt(whole_body())).encode(), "application/json")
        case ["GET", ["download"]]:
            return answer(DOWNLOAD, "application/octet-stream")
        case ["GET", ["stream"]]:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return (piece.encode() for piece in PIECES)
        case ["GET", ["path", value]]:
            return answer(value.encode())
    return answer(b"not found", status="404 Not Found")
