"""A PostgreSQL cluster of the tests' own: on a socket in a folder, for one user, without a port."""

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec

# Debian keeps them out of PATH.
_FOUND = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb") or ""]
BIN = os.path.dirname(_FOUND[-1])

_OPTIONS = "-c listen_addresses='' -c fsync=off -c max_connections=50"


def _owner() -> str:
    """The user who may run it: not root."""
    if os.getuid():
        return ""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


def missing() -> str:
    """Why there can be no cluster; an empty string if there can."""
    if not BIN:
        return "PostgreSQL is not installed"
    if not find_spec("psycopg"):
        return "psycopg is not installed"
    if _owner() and not shutil.which("runuser"):
        return "PostgreSQL does not run as root, and there is no runuser"
    return ""


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Run one; yield the folder of its socket, which is its host."""
    # Not in TMPDIR: the path of a socket has at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="liveserver-pg-", dir="/tmp")
    owner = _owner()
    if owner:
        shutil.chown(folder, owner)
    as_owner = ["runuser", "-u", owner, "--"] if owner else []
    data, log = os.path.join(folder, "data"), os.path.join(folder, "log")

    def run(program: str, *arguments: str) -> None:
        command = [*as_owner, os.path.join(BIN, program), "-D", data, *arguments]
        with open(os.devnull, "w") as nowhere:
            subprocess.run(command, cwd="/", stdout=nowhere, check=True, timeout=60)

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        run("pg_ctl", "-w", "-l", log, "-o", f"-k {folder} {_OPTIONS}", "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
