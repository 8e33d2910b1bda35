"""A process on a terminal, which is what a person at a keyboard is to a program."""

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.observed import ROOT


class Terminal:
    """A pseudo-terminal with one process on it."""

    def __init__(self, folder: Path, *command: str, **environment: str) -> None:
        self._fd, theirs = pty.openpty()
        try:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
            )
        finally:
            os.close(theirs)
        self._unread = ""

    def read_until(self, pattern: str, seconds: float = 15) -> "re.Match[str]":
        """Read up to a pattern, which has to come."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self._unread)):
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} never came:\n{self._unread}")
        self._unread = self._unread[found.end() :]
        return found

    def read_rest(self, seconds: float = 15) -> str:
        """Read until the process has ended, and wait for it."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            pass
        self.process.wait(5)
        return self._unread

    def read_for(self, seconds: float) -> str:
        """Return what comes within some time."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            pass
        return self._unread

    def _read(self, seconds: float) -> bool:
        """Read what is there, or comes; return whether anything did."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return False
        data = b""
        with contextlib.suppress(OSError):  # how Linux says that nobody is at the other end
            data = os.read(self._fd, 10_000)
        self._unread += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._fd, text.encode() + b"\n")

    def press_ctrl_d(self) -> None:
        os.write(self._fd, b"\x04")

    def close(self) -> None:
        """Leave nothing, whatever happened."""
        self.process.kill()
        self.process.wait(5)
        os.close(self._fd)
