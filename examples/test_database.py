"""A database for each test: an SQLite file, which test and app both read and write.
Run it: python -m unittest examples.test_database"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from fastapi import FastAPI

from examples.shop.main import create_app
from liveserver import LiveServerTestCase


class DatabaseTests(LiveServerTestCase):
    server_scope = "test"
    path: ClassVar[Path]

    def setUp(self) -> None:
        # Before the server, which opens the file, so that it is removed after the server's stop.
        folder = self.enterContext(TemporaryDirectory())
        type(self).path = Path(folder, "shop.db")
        super().setUp()
        self.database = self.enterContext(closing(sqlite3.connect(self.path)))

    @classmethod
    def create_app(cls) -> FastAPI:
        return create_app(cls.path)

    def test_the_app_reads_what_the_test_writes(self) -> None:
        with self.database:
            self.database.execute("INSERT INTO items (name, price) VALUES ('Tea', 350)")
        self.assertEqual(self.http.get("/items").json(), [{"id": 1, "name": "Tea", "price": 350}])

    def test_the_test_reads_what_the_app_writes(self) -> None:
        self.http.post("/items", json={"name": "Coffee", "price": 420})
        rows = self.database.execute("SELECT id, name, price FROM items").fetchall()
        self.assertEqual(rows, [(1, "Coffee", 420)])

    def test_it_is_empty_at_first(self) -> None:
        self.assertEqual(self.http.get("/items").json(), [])

    def test_it_outlives_a_restart(self) -> None:
        self.http.post("/items", json={"name": "Tea", "price": 350})
        self.server.restart()
        self.assertEqual(self.http.get("/items/1").json()["name"], "Tea")
