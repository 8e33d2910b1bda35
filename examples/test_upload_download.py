"""Upload and download of files, which the app keeps in a temporary folder of the test class.
Run it: python -m unittest examples.test_upload_download"""

import os
import shutil
import unittest
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from fastapi import FastAPI, HTTPException, UploadFile
from fastapi.responses import FileResponse

from liveserver import LiveServerTestCase


def build_app(folder: Path) -> FastAPI:
    """Build an app that keeps files in a folder."""
    app = FastAPI()

    @app.post("/files", status_code=201)
    def upload(file: UploadFile) -> None:
        name = Path(file.filename or "unnamed").name  # a client may send "../../etc/passwd"
        with (folder / name).open("wb") as target:
            shutil.copyfileobj(file.file, target)

    @app.get("/files/{name}")
    def download(name: str) -> FileResponse:
        if not (folder / name).is_file():
            raise HTTPException(404)
        return FileResponse(folder / name, filename=name)

    return app


@unittest.skipUnless(find_spec("python_multipart"), "FastAPI needs python-multipart for uploads")
class FileTests(LiveServerTestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        # Before the server, so that it is removed after the server's stop.
        cls.folder = Path(cls.enterClassContext(TemporaryDirectory()), "files")
        cls.folder.mkdir()
        super().setUpClass()

    @classmethod
    def create_app(cls) -> FastAPI:
        return build_app(cls.folder)

    def test_upload(self) -> None:
        picture = os.urandom(5_000_000)
        response = self.http.post("/files", files={"file": ("tea.png", picture)})
        self.assertEqual(response.status_code, 201)
        self.assertEqual((self.folder / "tea.png").read_bytes(), picture)

    def test_upload_stays_in_the_folder(self) -> None:
        self.http.post("/files", files={"file": ("../escaped.txt", b"...")})
        self.assertTrue((self.folder / "escaped.txt").exists())
        self.assertFalse((self.folder.parent / "escaped.txt").exists())

    def test_download(self) -> None:
        report = os.urandom(5_000_000)
        (self.folder / "report.pdf").write_bytes(report)
        with self.http.get("/files/report.pdf", stream=True) as response:
            self.assertEqual(response.headers["Content-Type"], "application/pdf")
            self.assertIn('filename="report.pdf"', response.headers["Content-Disposition"])
            self.assertEqual(b"".join(response.iter_content(65536)), report)

    def test_download_of_an_unknown_file(self) -> None:
        self.assertEqual(self.http.get("/files/nothing").status_code, 404)
