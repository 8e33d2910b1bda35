"""Tests that pass, if each class runs alone: what is left of the rows of migrations."""

from tests.helpers.django_project.live_tests import Base


class SerializedRollbackTests(Base):
    """They are there in each test."""

    serialized_rollback = True

    def test_1(self) -> None:
        self.assertEqual(self.http.get("/take_seed").text, "1")

    test_2 = test_1


class WithoutTests(Base):
    """They are there in the first test."""

    def test_1(self) -> None:
        self.assertEqual(self.http.get("/take_seed").text, "1")

    def test_2(self) -> None:
        self.assertEqual(self.http.get("/take_seed").text, "0")
