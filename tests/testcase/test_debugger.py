"""A person with a debugger: at a breakpoint in a test, and at one in a handler."""

import unittest
from typing import Any

from tests.helpers.support import get
from tests.testcase.test_pause import BEGINNING, HAS_PTY, RUNNERS, ScriptTestCase

if HAS_PTY:
    from tests.helpers.terminal import Terminal

IN_THE_TEST = """
class Tests(BASE):
    app = app
    server_scope = SCOPE

    DEF test_it(self):
        print(f"URL {self.base_url}")
        breakpoint()
        print("went on")
"""

# Stays longer than the bounds that the class sets, which are as short as can be.
IN_A_HANDLER = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await apps.lifespan(receive, send)
    breakpoint()
    await apps.answer(send, b"fine")

class Tests(BASE):
    app = app
    http_timeout = 0.1
    server_options = {"shutdown_timeout": 0.1}
"""

ASK = {
    "LiveServerTestCase": """
    def test_it(self):
        self.assertEqual(self.http.get("/").content, b"fine")
""",
    "IsolatedAsyncioLiveServerTestCase": """
    async def test_it(self):
        async with self.http.get("/") as response:
            self.assertEqual(await response.read(), b"fine")
""",
}


@unittest.skipUnless(HAS_PTY, "no pseudo-terminals on this system")
class DebuggerTests(ScriptTestCase):
    def terminal(self, code: str, runner: str, **environment: str) -> "Terminal":
        self.write(BEGINNING + code)
        terminal = Terminal(self.folder, *RUNNERS[runner], NO_COLOR="1", **environment)
        self.addCleanup(terminal.close)
        return terminal

    def each_run(self) -> Any:
        for runner in self.runners():
            for base in ASK:
                yield runner, base

    def test_in_a_test_the_server_serves_on(self) -> None:
        for runner, base in self.each_run():
            scope = "class" if runner == "unittest" else "test"
            word = "async def" if base.startswith("Isolated") else "def"
            code = IN_THE_TEST.replace("BASE", base).replace("SCOPE", repr(scope))
            code = code.replace("DEF", word)
            with self.subTest(runner=runner, base=base):
                terminal = self.terminal(code, runner)
                url = terminal.read_until(r"URL (\S+)")[1]
                terminal.read_until(r"\(Pdb\) ")
                self.assertEqual(get(url, "/while_it_stands_there").body, b"fine")
                terminal.type("continue")
                terminal.read_until("went on")
                self.assertRegex(terminal.read_rest(), r"\nOK|1 passed")

    def test_in_a_handler_nothing_is_too_late_without_timeouts(self) -> None:
        for runner, base in self.each_run():
            with self.subTest(runner=runner, base=base):
                code = IN_A_HANDLER.replace("BASE", base) + ASK[base]
                terminal = self.terminal(code, runner, LIVESERVER_TIMEOUTS="off")
                terminal.read_until(r"\(Pdb\) ")
                # Silent for longer than the client, the note and the stop would have waited.
                self.assertEqual(terminal.read_for(1), "")
                terminal.type("continue")
                self.assertRegex(terminal.read_rest(), r"\nOK|1 passed")

    def test_in_a_handler_the_test_gives_up_with_timeouts(self) -> None:
        for base in ASK:
            with self.subTest(base=base):
                code = IN_A_HANDLER.replace("BASE", base) + ASK[base]
                terminal = self.terminal(code, "unittest")
                terminal.read_until("FAILED")
