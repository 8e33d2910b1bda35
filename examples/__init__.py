"""Examples of liveserver."""

import importlib.util
import os
import unittest


def load_tests(
    loader: unittest.TestLoader, standard_tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Find the examples' tests, or say why there are none; unittest calls it."""
    if importlib.util.find_spec("fastapi") is None:

        @unittest.skip("the examples need fastapi")
        def examples() -> None: ...

        standard_tests.addTest(unittest.FunctionTestCase(examples))
    else:
        folder = os.path.dirname(__file__)
        standard_tests.addTests(loader.discover(folder, pattern or "test*.py"))
    return standard_tests
