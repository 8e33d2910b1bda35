"""The fault matrix: each fault in each way of running a server, see `tests/faults.py`."""

from tests.faults import FAULTS, Fault, try_fault, ways
from tests.support import StrictTestCase


class FaultTests(StrictTestCase):
    """No fault hangs, loses its exception, leaves something behind or harms the next server."""

    maxDiff = None

    def try_in_each_way(self, fault: Fault) -> None:
        for way in ways():
            with self.subTest(way=way[0]):
                self.assertEqual(try_fault(fault, way).problems, [])


def _add(fault: Fault) -> None:
    def test(self: FaultTests) -> None:
        self.try_in_each_way(fault)

    name = "".join(sign if sign.isalnum() else "_" for sign in fault.name)
    test.__name__ = f"test_{name}"
    test.__doc__ = fault.name
    setattr(FaultTests, test.__name__, test)


for _fault in FAULTS:
    _add(_fault)
