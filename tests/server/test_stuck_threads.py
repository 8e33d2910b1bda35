"""The end of a process in which threads of an app never end."""

import os
import subprocess
import sys
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path

from tests.server.test_process import ProcessTestCase

ROOT = Path(__file__).parent.parent.parent


class StuckThreadTests(ProcessTestCase):
    """The process ends although a function of the app never does."""

    seconds = 60

    @unittest.skipUnless(find_spec("a2wsgi"), "a2wsgi is not installed")
    def test_in_the_executor_of_the_loop(self) -> None:
        status, out, err = self.run_script("""
import threading, warnings
from liveserver import LiveServer
from tests.helpers.support import Client
warnings.simplefilter("always")

def wsgi(environ, start_response):
    threading.Event().wait()

server = LiveServer(wsgi, shutdown_timeout=0.05)
server.start()
client = Client(server.base_url)
client.send()
while not server.requests:
    pass
server.stop()
print("stopped")
""")
        self.assertEqual((status, out), (0, "stopped\n"))
        self.assertIn("Cut at the stop", err)
        self.assertIn("worker thread liveserver-worker_0, at ", err)
        self.assertIn("in wsgi", err)

    def test_in_an_executor_of_the_app(self) -> None:
        status, out, err = self.run_script("""
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from liveserver import LiveServer
from tests.helpers.support import get
pool = []

def job():
    threading.Event().wait()

async def app(scope, receive, send):
    if scope["type"] == "http":
        pool.append(ThreadPoolExecutor(1, "apps"))
        pool[0].submit(job)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

with LiveServer(app, uvicorn_config={"lifespan": "off"}) as server:
    get(server.base_url)
print("stopped")
""")
        self.assertEqual((status, out), (0, "stopped\n"))
        self.assertIn("liveserver: The process ends without:\n  thread apps_0, at ", err)
        self.assertIn("in job", err)

    def test_an_executor_of_the_app_that_has_nothing_to_do(self) -> None:
        # The negative control.
        status, _, err = self.run_script("""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from liveserver import LiveServer
from tests.helpers.support import get
pool = ThreadPoolExecutor(1, "apps")

async def app(scope, receive, send):
    await asyncio.get_running_loop().run_in_executor(pool, int)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

with LiveServer(app, uvicorn_config={"lifespan": "off"}) as server:
    get(server.base_url)
""")
        self.assertEqual((status, err), (0, ""))

    def test_an_idle_pool_is_no_news(self) -> None:
        """The negative control."""
        status, out, err = self.run_script("""
from concurrent.futures import ThreadPoolExecutor
import liveserver
pool = ThreadPoolExecutor(1)
print(pool.submit(int).result())
""")
        self.assertEqual((status, out, err), (0, "0\n", ""))


HANGING_TEST = """
import asyncio
import threading

urlpatterns = []  # for Django

def hang():
    threading.Event().wait()

async def app(scope, receive, send):
    if scope["type"] == "http":
        await asyncio.to_thread(hang)

class Tests(LiveServerTestCase):
    server_options = {"shutdown_timeout": 0.3}

    @classmethod
    def create_app(cls):
        return app

    def test_it(self):
        self.http.get("/", timeout=0.3)
"""

OF_DJANGO = """
import sys
from django.conf import settings
memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": memory}, ROOT_URLCONF="test_hanging")
import django
django.setup()
from django.test.runner import DiscoverRunner
sys.exit(DiscoverRunner().run_tests(["test_hanging"]))
"""


class RunnerTests(ProcessTestCase):
    """A run in which a handler hangs in a worker thread ends, with its report and exit status."""

    seconds = 60

    def check(self, code: str, *command: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_hanging.py").write_text(code + HANGING_TEST, "utf-8")
            ended = subprocess.run(
                [sys.executable, *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), folder])},
                capture_output=True,
                text=True,
                timeout=45,
                check=False,
            )
        report = ended.stdout + ended.stderr
        self.assertEqual(ended.returncode, 1, report)
        self.assertIn("ReadTimeout", report)
        self.assertRegex(report, r"GET / .*running for .* at test_hanging\.py:\d+ in hang")

    def test_unittest(self) -> None:
        code = "from liveserver import LiveServerTestCase"
        self.check(code, "-m", "unittest", "test_hanging")

    @unittest.skipUnless(find_spec("pytest"), "pytest is not installed")
    def test_pytest(self) -> None:
        code = "from liveserver import LiveServerTestCase"
        self.check(code, "-m", "pytest", "-p", "no:cacheprovider", "test_hanging.py")

    @unittest.skipUnless(find_spec("django"), "Django is not installed")
    def test_django(self) -> None:
        self.check("from liveserver.django import LiveServerTestCase", "-c", OF_DJANGO)
