"""The pytest plugin, which pytest finds by itself; `-p no:liveserver` switches it off.

It imports nothing of this package: what runs a server has imported it before.
"""

import sys
from collections.abc import Iterator
from traceback import format_exception
from typing import Any

import pytest

__all__ = ["pytest_sessionfinish", "pytest_testnodedown"]

# What a worker of pytest-xdist sends to its controller.
_KEY = "liveserver_failures"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers of the session; what goes wrong is part of the report."""
    failures = list(_stop_session_servers())
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_KEY] = failures
        return
    for name, text in failures:
        _report(session.config, name, text)
    if failures and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Report what went wrong in a worker of pytest-xdist."""
    for name, text in getattr(node, "workeroutput", {}).get(_KEY, ()):
        _report(node.config, name, text)


def _stop_session_servers() -> Iterator[tuple[str, str]]:
    session_servers = sys.modules.get("liveserver._testcase.session_servers")
    if session_servers is not None:
        for name, error in session_servers.stop_session_servers():
            yield name, "".join(format_exception(error.with_traceback(None))).rstrip()


def _report(config: pytest.Config, name: str, text: str) -> None:
    """Report a failure as that of a teardown, for the terminal and for JUnit XML."""
    report = pytest.TestReport(
        nodeid=name,
        location=("", None, name),
        keywords={},
        outcome="failed",
        longrepr=text,
        when="teardown",
    )
    config.hook.pytest_runtest_logreport(report=report)
