"""The pytest plugin: functions and fixtures get what the test cases have."""

import importlib.util
import re
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.helpers.observed import HAS_XDIST, needs_pytest
from tests.testcase.test_runners import ScriptTestCase

APP = """
import asyncio, threading, unittest
import pytest, requests
from liveserver import AppError, LiveServer, LiveServerTestCase

OPTIONS = {"lifespan": "off", "loop": "asyncio"}

async def shop(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
    if scope["path"] != "/fine":
        raise LookupError("sold out")

@pytest.fixture(scope="session")
def site():
    with LiveServer(shop, uvicorn_config=OPTIONS) as server:
        yield server

def fine(server):
    assert requests.get(server.base_url + "/fine").text == "ok"

def ask(server):
    assert requests.get(server.base_url + "/buy").text == "ok"

"""

# Each name says what becomes of the test.
FUNCTIONS = """
@pytest.fixture
def fresh():
    with LiveServer(shop, uvicorn_config=OPTIONS) as server:
        yield server

@pytest.fixture(scope="module")
def of_module():
    with LiveServer(shop, uvicorn_config=OPTIONS) as server:
        yield server

@pytest.fixture
def bad_setup(site):
    ask(site)

@pytest.fixture
def bad_teardown(site):
    yield
    ask(site)

def test_passed(site): fine(site)
def test_failed_session(site): ask(site)
def test_failed_module(of_module): ask(of_module)
def test_failed_function(fresh): ask(fresh)
def test_passed_after(site): fine(site)
def test_failed_by_fail(site):
    ask(site)
    pytest.fail("own")

def test_failed_by_raises(site):
    with pytest.raises(KeyError):
        ask(site)

def test_failed_helper():
    with LiveServer(shop, uvicorn_config=OPTIONS) as server:
        ask(server)
def test_failed_assertion(site):
    ask(site)
    assert 404 == 500
def test_error_setup(bad_setup): pass
def test_error_teardown(bad_teardown): pass
@pytest.mark.xfail(raises=AppError, strict=True)
def test_xfailed(site): ask(site)
def test_skipped(site):
    fine(site)
    pytest.skip("no reason")
def test_passed_raises(site):
    with site.raises(LookupError, match="sold") as caught:
        ask(site)
    assert caught.request.path == "/buy" and str(caught.exception) == "sold out"
def test_passed_not_judged():
    with LiveServer(shop, raise_server_errors=False, uvicorn_config=OPTIONS) as server:
        ask(server)
def test_failed_not_judged():
    with LiveServer(shop, raise_server_errors=False, uvicorn_config=OPTIONS) as server:
        ask(server)
        assert 404 == 500
class PlainTests(unittest.TestCase):
    def test_failed_plain(self):
        with LiveServer(shop, uvicorn_config=OPTIONS) as server:
            ask(server)
    def test_failed_plain_assertion(self):
        with LiveServer(shop, uvicorn_config=OPTIONS) as server:
            ask(server)
            self.fail("of the test")
class LiveTests(LiveServerTestCase):
    app = staticmethod(shop)
    server_options = {"uvicorn_config": OPTIONS}
    def test_failed_class(self): ask(self.server)
    def test_failed_class_assertion(self):
        ask(self.server)
        self.fail("of the test")
    def test_passed_class(self): fine(self.server)
    def test_failed_in_another_server(self):
        with LiveServer(shop, uvicorn_config=OPTIONS) as server:
            ask(server)
"""

SERVICES = """
@pytest.fixture(scope="session")
def stock():
    with LiveServer(shop, uvicorn_config=OPTIONS) as server:
        yield server

@pytest.fixture(scope="session")
def orders(stock):
    async def orders(scope, receive, send):
        import aiohttp
        async with aiohttp.ClientSession() as session:
            async with session.get(stock.base_url + "/buy") as answer:
                await answer.read()
        raise RuntimeError("no coffee")

    with LiveServer(orders, uvicorn_config=OPTIONS) as server:
        yield server

def test_both(orders, stock):
    assert requests.get(orders.base_url).status_code == 200

def test_groups(orders, stock):
    requests.get(orders.base_url)
"""

LATE = """
@pytest.fixture(scope="session", autouse=True)
def asks_later(site):
    asked = []
    yield asked
    asked[0]() if asked else None

def pytest_runtest_logfinish(nodeid):
    ask(server)

server = LiveServer(shop, uvicorn_config=OPTIONS)
server.start()
"""


EARLIER = """
import threading
from tests.helpers.support import until
released = threading.Event()

async def slow(scope, receive, send):
    while not released.is_set():
        await asyncio.sleep(0.01)
    raise LookupError("too late for its test")

@pytest.fixture(scope="module")
def of_module():
    with LiveServer(slow, uvicorn_config=OPTIONS) as server:
        yield server

def test_1(of_module):
    with pytest.raises(requests.Timeout):
        requests.get(of_module.base_url, timeout=0.1)

def test_2(of_module):
    released.set()
    until(lambda: not of_module.requests[0].running)
"""

# The last one is asked after a test has waited for it.
CHAIN = """
def service(number, following):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body"})
        await asyncio.sleep(0.1)
        if following:
            await asyncio.to_thread(requests.get, following[-1].base_url)
        else:
            raise LookupError("at the end of the chain")
    return app

@pytest.fixture(scope="session")
def services():
    servers = []
    for number in range(4):
        servers.append(LiveServer(service(number, servers[:]), uvicorn_config=OPTIONS))
        servers[-1].start()
    yield servers
    for server in servers:
        server.stop()

def test_1(services): requests.get(services[-1].base_url)
def test_2(services): pass
"""


def outcomes(text: str) -> dict[str, str]:
    """The outcome of each test, by its name, of pytest's short summary."""
    found = re.findall(r"(?m)^(PASSED|FAILED|ERROR|XFAIL|SKIPPED) \S+?::(\w+::)?(\w+)", text)
    return {name: outcome for outcome, _, name in found}


@needs_pytest
class FunctionTests(ScriptTestCase):
    """An exception of an app fails the test in whose time it was asked."""

    def check(self, *options: str) -> str:
        done = self.pytest(APP + FUNCTIONS, "-rA", *options)
        self.assertEqual(done.returncode, 1, done.stdout)
        found = outcomes(done.stdout)
        self.assertEqual(len(found), 21, done.stdout)  # a skip has no name
        for name, outcome in found.items():
            expected = name.split("_")[1].upper().replace("XFAILED", "XFAIL")
            self.assertEqual(outcome, expected, name + done.stdout)
        return done.stdout

    def test_outcomes(self) -> None:
        out = self.check("--show-capture=no")
        self.assertRegex(out, r"FAILED \S+::test_failed_session - liveserver.AppError: GET /buy")
        self.assertIn(" 2 errors ", out)
        self.assertNotIn("hidden", out)
        # Each failure shows the app's line once, but for that of a server that is not judged.
        failures = out.partition("= XFAILURES =")[0]  # which pytest 8.0 shows, and others do not
        self.assertEqual(failures.count("raise LookupError"), 14, out)
        part = out.partition("_ test_failed_assertion _")[2].partition("\n____")[0]
        self.assertIn("assert 404 == 500", part)
        self.assertRegex(part, r"GET /buy → 200 in .*raised LookupError: sold out, at ")
        part = out.partition("_ test_failed_not_judged _")[2].partition("\n____")[0]
        self.assertRegex(part, r"GET /buy → 200 in .*raised LookupError: sold out, at ")

    @unittest.skipUnless(HAS_XDIST, "pytest-xdist is not installed")
    def test_outcomes_under_xdist(self) -> None:
        self.check("-n", "2")

    def test_junit(self) -> None:
        done = self.pytest(APP + FUNCTIONS, "--junit-xml=junit.xml", "-k", "test_failed_assertion")
        self.assertEqual(done.returncode, 1, done.stdout)
        (failure,) = ET.parse(Path(self.folder, "junit.xml")).getroot().iter("failure")
        self.assertIn("raised LookupError: sold out", failure.get("message", ""))

    def test_no_server_is_judged(self) -> None:
        done = self.pytest(
            APP + FUNCTIONS, "-rA", "-o", "liveserver_raise_server_errors=false", "-k", "not Live"
        )
        found = outcomes(done.stdout)
        failed = {name for name, outcome in found.items() if outcome in ("FAILED", "ERROR")}
        self.assertEqual(
            failed,
            {
                "test_failed_assertion",
                "test_failed_by_fail",
                "test_failed_by_raises",
                "test_failed_not_judged",
                "test_failed_plain_assertion",
                "test_xfailed",  # strictly
            },
        )
        part = done.stdout.partition("_ test_failed_assertion _")[2]
        self.assertRegex(part, r"GET /buy → 200 in .*raised LookupError: sold out, at ")

    def test_without_the_plugin(self) -> None:
        """The negative control."""
        done = self.pytest(APP + FUNCTIONS, "-rA", "-p", "no:liveserver")
        found = outcomes(done.stdout)
        self.assertEqual(found["test_failed_session"], "PASSED")
        self.assertEqual(found["test_failed_class"], "FAILED")
        part = done.stdout.partition("_ test_failed_assertion _")[2].partition("\n____")[0]
        self.assertNotIn("GET /buy", part)

    def test_a_test_that_imports_the_package(self) -> None:
        code = """
async def shop(scope, receive, send):
    raise LookupError("sold out")

def ask():
    import requests
    from liveserver import LiveServer
    with LiveServer(shop, uvicorn_config={"lifespan": "off"}) as server:
        requests.get(server.base_url)

def test_it():
    ask()

def test_again():
    ask()

def test_nothing():
    pass
"""
        done = self.pytest(code)
        self.assertIn("2 failed, 1 passed", done.stdout)
        self.assertEqual(done.stdout.count("E   liveserver.AppError: GET / → 500"), 2, done.stdout)

    def test_a_run_without_servers_imports_nothing(self) -> None:
        code = """
import sys
def test_it():
    heavy = {"uvicorn", "asyncio", "requests", "aiohttp", "liveserver._server"}
    print(*sorted(heavy & set(sys.modules)))
"""
        done = self.pytest(code, "-s", "-q", "-p", "no:anyio", "-p", "no:asyncio")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.splitlines()[0], "", done.stdout)


@needs_pytest
class ServicesTests(ScriptTestCase):
    """Two services, of which one asks the other."""

    def test_the_note_and_the_order(self) -> None:
        done = self.pytest(APP + SERVICES)
        first, _, second = done.stdout.partition("_ test_groups _")
        self.assertRegex(
            first,
            r"Servers in this test: orders at http://127\.0\.0\.1:\d+, "
            r"shop at http://127\.0\.0\.1:\d+\n"
            r".*  orders  GET / → 500 in .*raised RuntimeError: no coffee, at .*\n"
            r".*  shop    GET /buy → 200 in .*raised LookupError: sold out, at ",
        )
        self.assertLess(second.index('raise LookupError("sold'), second.index("raise Runtime"))
        self.assertIn("2 failed", done.stdout)


@needs_pytest
class LateTests(ScriptTestCase):
    """What apps raise outside of all tests."""

    code = APP + "def test_it(site): fine(site)\n"

    def test_it_is_reported_at_the_end(self) -> None:
        (self.folder / "conftest.py").write_text(APP + LATE, "utf-8")
        done = self.pytest(self.code)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("1 passed, 1 error", done.stdout)
        self.assertRegex(done.stdout, r"ERROR server of \S*conftest\.shop")
        self.assertIn("raised LookupError: sold out", done.stdout)

    def test_no_server_is_judged(self) -> None:
        (self.folder / "conftest.py").write_text(APP + LATE, "utf-8")
        done = self.pytest(self.code, "-o", "liveserver_raise_server_errors=false")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_between_two_tests(self) -> None:
        (self.folder / "conftest.py").write_text(APP + LATE, "utf-8")
        done = self.pytest(self.code + "def test_again(site): fine(site)\n", "-rA")
        # In the second one's teardown, and for what came after that, at the end.
        self.assertIn("2 passed, 2 errors", done.stdout)
        self.assertRegex(done.stdout, r"ERROR test_script\.py::test_again - liveserver\.AppError")
        self.assertRegex(done.stdout, r"ERROR server of \S*conftest\.shop")

    def test_a_request_of_an_earlier_test(self) -> None:
        done = self.pytest(APP + EARLIER)
        self.assertIn("2 passed, 1 error", done.stdout)
        self.assertRegex(done.stdout, r"ERROR test_script\.py::test_2 - liveserver\.AppError")
        self.assertIn("too late for its test", done.stdout)

    def test_a_chain_of_services_is_waited_for_to_its_end(self) -> None:
        done = self.pytest(APP + CHAIN)
        self.assertIn("1 failed, 1 passed", done.stdout)
        self.assertRegex(done.stdout, r"FAILED test_script\.py::test_1 - liveserver\.AppError")

    @unittest.skipUnless(HAS_XDIST, "pytest-xdist is not installed")
    def test_in_a_worker(self) -> None:
        (self.folder / "conftest.py").write_text(APP + LATE, "utf-8")
        done = self.pytest(self.code, "-n", "1")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"ERROR server of \S*conftest\.shop")


@needs_pytest
class AsyncTests(ScriptTestCase):
    """Coroutine tests, by a plugin of theirs."""

    code = (
        APP
        + """
@pytest.mark.MARK
async def test_failed(site):
    reader, writer = await asyncio.open_connection(site.host, site.port)
    writer.write(b"GET /buy HTTP/1.0\\r\\n\\r\\n")
    assert b"ok" in await reader.read()
    writer.close()
"""
    )

    @unittest.skipUnless(importlib.util.find_spec("anyio"), "anyio is not installed")
    def test_anyio(self) -> None:
        fixture = "@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
        done = self.pytest(self.code.replace("MARK", "anyio") + fixture)
        self.assertIn("liveserver.AppError: GET /buy", done.stdout)
        self.assertIn("1 failed", done.stdout)

    @unittest.skipUnless(
        importlib.util.find_spec("pytest_asyncio"), "pytest-asyncio is not installed"
    )
    def test_pytest_asyncio(self) -> None:
        done = self.pytest(self.code.replace("MARK", "asyncio"))
        self.assertIn("liveserver.AppError: GET /buy", done.stdout)
        self.assertIn("1 failed", done.stdout)
