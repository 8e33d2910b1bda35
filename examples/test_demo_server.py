"""A program that serves until Ctrl-C, run as a process: examples/demo_server.py.
Run it: python -m unittest examples.test_demo_server"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent


@unittest.skipIf(sys.platform == "win32", "sends SIGINT, which Windows does not know")
class DemoServerTests(unittest.TestCase):
    def setUp(self) -> None:
        # A test run in the background of a shell may ignore Ctrl-C, and its children with it.
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, usual)
        self.demo = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "examples.demo_server"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.demo.communicate)
        self.addCleanup(self.demo.kill)
        bound = threading.Timer(60, self.demo.kill)
        bound.start()
        self.addCleanup(bound.cancel)

        assert self.demo.stdout is not None
        self.title, self.post, self.get = (self.demo.stdout.readline() for _ in range(3))
        found = re.search(r"http://127\.0\.0\.1:\d+", self.title)
        if found is None:
            self.fail(f"No URL: {self.title!r}, {self.demo.communicate()}")
        self.url = found[0]

    def test_the_printed_url(self) -> None:
        response = requests.get(f"{self.url}/health", timeout=5)
        self.assertEqual(response.json(), {"message": "OK"})

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_the_printed_curl_lines(self) -> None:
        made = self.run_line(self.post)
        self.assertEqual(made, {"id": 1, "name": "Tea", "price": 350})
        self.assertEqual(self.run_line(self.get), [made])

    def run_line(self, line: str) -> object:
        command = [*shlex.split(line), "--silent", "--show-error", "--max-time", "10"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def test_ctrl_c(self) -> None:
        self.demo.send_signal(signal.SIGINT)
        _, complaints = self.demo.communicate()
        self.assertEqual((self.demo.returncode, complaints), (0, ""))
        with self.assertRaises(requests.ConnectionError):
            requests.get(self.url, timeout=5)
