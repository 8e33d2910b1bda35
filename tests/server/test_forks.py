"""A forked child owns nothing of its parent's servers."""

import multiprocessing
import os
import unittest

from tests.server.test_process import LIFESPAN_APP, ProcessTestCase

MANY = f"""{LIFESPAN_APP}
import logging, multiprocessing, threading, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
logging.disable()

def print(*_args, **_kwargs):  # a thread that prints at the fork holds the lock of stdout
    pass

async def one(scope, receive, send):
    await app(scope, receive, send)

ended = [LiveServer(app, uvicorn_config={{"limit_max_requests": 1}}) for _ in range(2)]
options = [{{}}, {{"log_level": "critical"}}, {{"loop": "asyncio"}}]
servers = [LiveServer(one, uvicorn_config=options[i % 3]) for i in range(6)]
for server in [*ended, *servers]:
    server.start()
for server in ended:
    get(server.base_url)
    while server.running:
        pass

def child():
    assert not any(server.running for server in servers)
    with LiveServer(one) as own:
        assert get(own.base_url).status == 200

def check(status):
    assert status == 0, status
    assert [get(server.base_url).status for server in servers] == [200] * 6
"""


@unittest.skipUnless(hasattr(os, "fork"), "no fork on this system")
class ForkTests(ProcessTestCase):
    """Whatever a child does, the servers of its parent go on."""

    seconds = 60

    def check(self, code: str) -> None:
        status, _, err = self.run_script(MANY + code)
        self.assertEqual((status, err), (0, ""))

    def test_each_way_to_end(self) -> None:
        self.check("""
for end in (sys.exit, lambda: os._exit(0)):
    for _ in range(3):
        pid = os.fork()
        if not pid:
            child()
            end()
        check(os.waitpid(pid, 0)[1])
""")

    def test_an_exception(self) -> None:
        self.check("""
pid = os.fork()
if not pid:
    sys.stderr = open(os.devnull, "w")
    raise ZeroDivisionError
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
check(0)
""")

    def test_stop_in_the_child_stops_nothing(self) -> None:
        self.check("""
pid = os.fork()
if not pid:
    for server in servers:
        server.stop()
    os._exit(0)
check(os.waitpid(pid, 0)[1])
""")

    def test_multiprocessing(self) -> None:
        for method in multiprocessing.get_all_start_methods():
            with self.subTest(method=method):
                self.check(f"""
if __name__ == "__main__":
    process = multiprocessing.get_context({method!r}).Process(target=print)
    process.start()
    process.join(20)
    check(process.exitcode)
""")

    def test_locks_that_other_threads_hold_are_free(self) -> None:
        self.check("""
from liveserver._server import control
from liveserver._testcase import session_servers
from liveserver._uvicorn import loggers
held, done = threading.Barrier(2), threading.Event()
locks = [session_servers, loggers]

def hold():
    with servers[0]._control._lock, session_servers._lock, loggers._lock:
        held.wait(10)
        done.wait(10)

threading.Thread(target=hold).start()
held.wait(10)
pid = os.fork()
if not pid:
    child()
    free = [each._lock.acquire(blocking=False) for each in locks]
    os._exit(not (all(free) and servers[0]._control._lock.acquire(blocking=False)))
status = os.waitpid(pid, 0)[1]
done.set()
check(status)
""")

    def test_a_hook_that_fails_does_not_stop_the_others(self) -> None:
        self.check("""
from liveserver._sync import forks
ran = []
forks.in_forked_child(lambda: 1 / 0)
forks.in_forked_child(lambda: ran.append(1))
pid = os.fork()
if not pid:
    os._exit(ran != [1])
check(os.waitpid(pid, 0)[1])
""")

    def test_loggers_that_a_server_has_changed(self) -> None:
        self.check("""
logger = logging.getLogger("uvicorn.error")
changed = logger.level  # by the servers that run
pid = os.fork()
if not pid:
    os._exit(not changed or logger.level)
check(os.waitpid(pid, 0)[1])
""")
