"""Which frames of an error of ours a report shows."""

import traceback
import types
from typing import Any

from liveserver._reporting.frames import from_last_runner, up_to_users
from tests.helpers.support import StrictTestCase


def raised(*modules: str) -> Any:
    """A traceback through a function of each of these modules, the outermost first."""
    code = "def call(*rest):\n    if not rest:\n        raise ValueError\n    rest[0](*rest[1:])\n"
    functions: list[Any] = []
    for name in modules:
        module = types.ModuleType(name)
        exec(code, vars(module))
        functions.append(module.call)
    try:
        functions[0](*functions[1:])
    except ValueError as error:
        ours: Any = error.__traceback__
        return ours.tb_next


class TrimmingTests(StrictTestCase):
    def modules(self, found: Any) -> list[str]:
        return [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(found)]

    def test_up_to_users(self) -> None:
        for before, after in (
            (
                ["unittest.case", "tests.mine", "liveserver._server.tls"],
                ["unittest.case", "tests.mine"],
            ),
            (["tests.mine", "liveserver._server.tls", "tests.mine"], None),
            (
                [
                    "unittest.case",
                    "liveserver._server.tls",
                    "liveserver._app.wsgi",
                ],
                [],
            ),
            (["asyncio.runners", "liveserver._server.tls"], []),
            (["liveserver_plugin", "liveserver._server.tls"], ["liveserver_plugin"]),
        ):
            with self.subTest(before=before):
                found = up_to_users(raised(*before))
                self.assertEqual(self.modules(found), before if after is None else after)

    def test_from_last_runner(self) -> None:
        for before, after in (
            (["unittest.case", "unittest.case", "liveserver._server.tls"], slice(1, None)),
            (["liveserver._server.tls", "liveserver._app.wsgi"], slice(0, None)),
            (["unittest.case", "tests.mine", "liveserver._server.tls"], slice(0, None)),
            (["unittest.case", "unittest.async_case"], slice(0, None)),
        ):
            with self.subTest(before=before):
                found = from_last_runner(raised(*before))
                self.assertEqual(self.modules(found), before[after])
