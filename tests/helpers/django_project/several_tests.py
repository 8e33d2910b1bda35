"""Tests that pass, of classes with several databases, with one and with none."""

from concurrent.futures import ThreadPoolExecutor

import requests
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from tests.helpers.django_project.live_tests import Base


class OtherDatabaseTests(Base):
    """Two databases, which the server's threads tell apart, and which are both flushed."""

    databases = {"default", "other"}

    def numbers(self, using: str) -> list[int]:
        return [self.number(f"{path}?using={using}") for path in ("/sync", "/async")]

    def test_each_has_rows_of_its_own(self) -> None:
        self.assertEqual(self.numbers("default") + self.numbers("other"), [0] * 4)
        ContentType.objects.using("other").create(app_label="made", model="by the test")
        self.assertEqual(self.http.get("/write?n=1&using=other").text, "ok")
        self.assertEqual(self.http.get("/write?n=1").text, "ok")
        self.assertEqual(self.numbers("default") + self.numbers("other"), [1, 1, 2, 2])

    test_each_has_rows_of_its_own_2 = test_each_has_rows_of_its_own

    def test_parallel_writers(self) -> None:
        def ask(number: int) -> int:
            using = "other" if number % 2 else "default"
            url = f"{self.live_server_url}/write?n={number}&using={using}"
            return requests.get(url, timeout=20).status_code

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(40))), {200})
        self.assertEqual(self.numbers("default") + self.numbers("other"), [20] * 4)

    def test_shared_connections(self) -> None:
        memory = [
            each.alias
            for each in connections.all()
            if each.vendor == "sqlite" and each.is_in_memory_db()
        ]
        self.assertEqual(list(self.server_thread.connections_override), memory)


class AllDatabasesTests(OtherDatabaseTests):
    """The same, by Django's word for all."""

    databases = "__all__"


class AfterNoDatabaseTests(OtherDatabaseTests):
    """The same, after a class for which Django has changed the connections."""

    @classmethod
    def setUpClass(cls) -> None:
        NoDatabaseTests.setUpClass()
        NoDatabaseTests.doClassCleanups()
        super().setUpClass()


class OneDatabaseTests(Base):
    """A class that does not name the other database."""

    def test_the_other_one_is_refused(self) -> None:
        for path in ("/sync", "/async"):
            with self.assertServerRaises(AssertionError) as caught:
                self.http.get(f"{path}?using=other")
            self.assertIn("to 'other' are not allowed in this test", str(caught.exception))
        self.assertEqual(self.number("/sync"), 0)


class NoDatabaseTests(Base):
    """A class that names none."""

    databases = frozenset[str]()

    def test_all_are_refused(self) -> None:
        with self.assertServerRaises(AssertionError):
            self.http.get("/sync")
        self.assertEqual(self.http.get("/refused/200").status_code, 200)
