"""The pytest plugin, which pytest finds by itself; `-p no:liveserver` switches it off.

It gives pytest functions what the test cases give: what an app raises fails the test in whose time
it is, and a failing test has a note of what its servers did. It imports nothing of this package in
a process without servers: what runs one has imported it before.
"""

import sys
from collections.abc import Generator, Iterator
from traceback import format_exception
from typing import Any

import pytest

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_report_header",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_sessionfinish",
    "pytest_testnodedown",
]

# What a worker of pytest-xdist sends to its controller.
_KEY = "liveserver_failures"

_JUDGES = "liveserver_raise_server_errors"
_SWAPS = "liveserver_testclient"
_IN_PROCESS = "liveserver_in_process"

_NO_FAILURES = (KeyboardInterrupt, pytest.exit.Exception, pytest.skip.Exception)

# Of a test that runs, from its set-up to its teardown: a `TestMonitor`.
_monitor_key: pytest.StashKey[Any] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini options."""
    what = "fail a test if an app raises an exception in it that it does not handle"
    parser.addini(_JUDGES, what, type="bool", default=True)
    what = "put liveserver.testclient.TestClient in the place of Starlette's and FastAPI's class"
    parser.addini(_SWAPS, what, type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Swap the class of test clients, before a `conftest.py` imports it.

    Raises:
        pytest.UsageError: What the extra `testclient` installs is missing.
    """
    if early_config.getini(_SWAPS):
        try:
            from liveserver.testclient import swap_class
        except ModuleNotFoundError as error:
            raise pytest.UsageError(f"{_SWAPS} = true: {error}") from None
        swap_class()


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker."""
    what = f"{_IN_PROCESS}: the test's clients stay in process, with {_SWAPS} = true"
    config.addinivalue_line("markers", what)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that test clients go through real servers."""
    return f"{_SWAPS}: each TestClient has a real server" if config.getini(_SWAPS) else None


# Their wrappers are the innermost ones, so that other plugins see what they raise and add.


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Begin to follow the servers of a test."""
    __tracebackhide__ = True
    _keep_clients_in_process(item)
    return (yield from _phase(item, waits=False))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test in which an app raises."""
    __tracebackhide__ = True
    return (yield from _phase(item, waits=True))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, Any, Any]:
    """Fail a teardown in which an app raises, and follow the servers no longer."""
    __tracebackhide__ = True
    try:
        return (yield from _phase(item, waits=False, late=True))
    finally:
        monitor = item.stash.get(_monitor_key, None)
        if monitor is not None:
            del item.stash[_monitor_key]
            monitor.release()
        _keep_clients_in_process(None)
        if nextitem is None or nextitem.path != item.path:
            _stop_clients()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: "pytest.CallInfo[None]",
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave out a line about hidden frames, as all of an error of ours may be."""
    report = yield
    chain = getattr(report.longrepr, "chain", None)
    errors = sys.modules.get("liveserver._errors")
    if chain and call.excinfo is not None and errors is not None:
        value = call.excinfo.value
        several = value.exceptions if isinstance(value, ExceptionGroup) else [value]
        if all(isinstance(each, errors.LiveServerError) for each in several):
            chain[-1][0].extraline = None
    return report


def _phase(item: pytest.Item, waits: bool, late: bool = False) -> Generator[None, Any, Any]:
    """Judge a phase.

    Args:
        item: The test.
        waits: Whether a request may be on its way that no server knows yet. What a fixture sends
            so is waited for in the next phase, or in the next test: a wait may cost 0.1 to 0.3 ms.
        late: Whether to raise what requests of earlier tests raised after these tests, too.
    """
    __tracebackhide__ = True
    monitor = _monitor(item, begins=True)
    try:
        result = yield
    except BaseException as error:  # pytest.fail() raises one
        _add_note(item, error)
        raise
    monitor = monitor or _monitor(item)  # the phase may have made the first server
    if monitor is None:
        return result
    failures = getattr(item, "_excinfo", None)
    if failures:  # of a unittest.TestCase, which pytest keeps back for its report
        _add_note(item, failures[0].value)
        return result
    if waits or monitor.has_news():
        monitor.finish_requests()
    try:
        monitor.raise_app_errors(late)
    except Exception as error:
        _add_note(item, error)
        raise
    return result


def _keep_clients_in_process(item: pytest.Item | None) -> None:
    """Keep clients in process if a test has the marker; without a test, do so no longer."""
    clients = sys.modules.get("liveserver.testclient")
    if clients is not None:
        clients.keep_in_process(
            item is not None and item.get_closest_marker(_IN_PROCESS) is not None
        )


def _stop_clients() -> None:
    """Stop the servers of a module's test clients, or a large suite has hundreds in the end."""
    clients = sys.modules.get("liveserver.testclient")
    if clients is not None:
        clients.stop_clients(since=0)


def _uses_servers() -> bool:
    """Whether this process has made a server, or may have."""
    return "liveserver._server.control" in sys.modules


def _monitor(item: pytest.Item, begins: bool = False) -> Any:
    """Return what follows the servers of a test; None in a process without servers."""
    monitor = item.stash.get(_monitor_key, None)
    if monitor is None and _uses_servers():
        from liveserver._monitor.monitor import TestMonitor
        from liveserver._server.watch import take_first

        first = take_first()  # of a test that has imported this package
        judges = item.config.getini(_JUDGES)
        monitor = TestMonitor(raises=judges, watch=None if begins else first)
        item.stash[_monitor_key] = monitor
    return monitor


def _add_note(item: pytest.Item, error: BaseException) -> None:
    """Tell a failure what the servers of its test did."""
    monitor = _monitor(item)
    if monitor is None or isinstance(error, _NO_FAILURES):
        return
    from liveserver._monitor.note import annotate, is_annotated

    if not (hasattr(item, "_excinfo") and is_annotated(error)):  # by LiveServerTestCase
        annotate(error, monitor.note(tracebacks=True))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the servers of the session; what goes wrong is part of the report.

    So is what apps raised outside of all tests.
    """
    failures = [
        (name, "".join(format_exception(error.with_traceback(None))).rstrip())
        for name, error in _last_errors(session.config)
    ]
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


def _last_errors(config: pytest.Config) -> Iterator[tuple[str, BaseException]]:
    session_servers = sys.modules.get("liveserver._testcase.session_servers")
    if session_servers is not None:
        yield from session_servers.stop_session_servers()
    if _uses_servers() and config.getini(_JUDGES):
        from liveserver._monitor.monitor import late_errors

        yield from late_errors()


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
