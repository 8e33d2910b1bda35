"""300 tests that pass: views of each kind, clients that leave, views that raise."""

from contextlib import suppress
from typing import Any

import requests
from django.contrib.contenttypes.models import ContentType

from tests.helpers.django_project import live_tests


def sync(self: Any) -> None:
    ContentType.objects.create(app_label="made", model="by the test")
    self.assertEqual(self.number("/sync"), 1)


def asynchronous(self: Any) -> None:
    self.http.get("/write?n=1")
    self.assertEqual(self.number("/async"), 1)


def leaves(self: Any) -> None:
    with suppress(requests.Timeout):
        requests.get(f"{self.live_server_url}/slow", timeout=0.05)


def leaves_a_stream(self: Any) -> None:
    with requests.get(f"{self.live_server_url}/events", stream=True, timeout=5) as response:
        next(response.iter_lines())


def raises(self: Any) -> None:
    with self.assertServerRaises(LookupError):
        self.http.get("/raising")


KINDS = (sync, asynchronous, leaves, leaves_a_stream, raises)

MEMBERS: dict[str, Any] = {
    f"test_{number}_{kind.__name__}": kind for number in range(3) for kind in KINDS
}

for number in range(20):
    name = f"Many{number}Tests"
    globals()[name] = type(name, (live_tests.Base,), {**MEMBERS, "__module__": __name__})
