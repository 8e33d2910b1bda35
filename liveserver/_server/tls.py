"""A throw-away certificate authority for the process, and its certificates.

The files are in a folder that only this user can read. They are removed when the process ends.
"""

import atexit
import os
import shutil
import ssl
import tempfile
import threading
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from liveserver._errors import ConfigurationError
from liveserver._sync.forks import in_forked_child

__unittest = __tracebackhide__ = True

__all__ = ["ca_bundle", "certificate", "client_context"]

# The names of this machine, in every certificate.
_LOCAL = ("localhost", "127.0.0.1", "::1")

_lock = threading.Lock()


class _Authority:
    def __init__(self) -> None:
        try:
            import trustme
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "tls=True needs the package trustme, which is not installed. "
                'Install it: pip install "liveserver[tls]"'
            ) from error
        self._ca: Any = trustme.CA(organization_name="liveserver")
        self._folder = Path(tempfile.mkdtemp(prefix="liveserver-tls-"))
        atexit.register(_remove, self._folder, os.getpid())
        self.bundle = self._folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.bundle))
        self._issued: dict[tuple[str, ...], Path] = {}

    def certificate(self, names: tuple[str, ...]) -> Path:
        if names not in self._issued:
            path = self._folder / f"server-{len(self._issued)}.pem"
            pem = self._ca.issue_cert(*names).private_key_and_cert_chain_pem
            pem.write_to_path(str(path))
            self._issued[names] = path
        return self._issued[names]


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child, whose end comes first
        shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=1)
def _authority() -> _Authority:
    return _Authority()


def certificate(hosts: Iterable[str]) -> str:
    """Return the path of a PEM file with a private key and a certificate for some hosts.

    Args:
        hosts: Host names and IP addresses, beside those of the loopback interface.

    Raises:
        ConfigurationError: trustme is not installed, or a host cannot stand in a certificate.
    """
    names = tuple(dict.fromkeys((*_LOCAL, *hosts)))
    with _lock:
        authority = _authority()
        try:
            return str(authority.certificate(names))
        except ValueError as error:
            raise ConfigurationError(
                f"tls=True: there can be no certificate for {', '.join(names)}: {error}. "
                "Correct host or public_host."
            ) from error


def ca_bundle() -> str:
    """Return the path of a PEM file with the authority's certificate."""
    with _lock:
        return str(_authority().bundle)


def client_context() -> ssl.SSLContext:
    """Return a context for clients that trust this authority alone."""
    return ssl.create_default_context(cafile=ca_bundle())


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


in_forked_child(_renew_lock)
