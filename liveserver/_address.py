"""Where a server is: its listening socket and the URLs that lead to it."""

import errno
import os
import socket
from typing import Any

from liveserver._errors import StartupError

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["listen", "url"]

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}

_POSIX = os.name == "posix"

_REASONS = {
    errno.EADDRINUSE: (
        "the port is in use, by another program or by a server that was not stopped "
        "(`ss -ltnp` or `lsof -i :{port}` names it). Stop that one, or take another port: a new "
        "LiveServer with port=0 gets a free one"
    ),
    errno.EACCES: "ports below 1024 need privileges. Set port=0 for a free port",
    errno.EPERM: "the system forbids it. Set port=0 for a free port",
    errno.EADDRNOTAVAIL: "this machine has no such address. Use one of its own, or 127.0.0.1",
    errno.EAFNOSUPPORT: "this machine does not speak that address family. Use 127.0.0.1",
    errno.EMFILE: (
        "this process has no file descriptor left. Close what the tests leave open, "
        "or raise the limit (`ulimit -n`)"
    ),
    errno.ENFILE: "this machine has no file descriptor left",
}


def listen(host: str, port: int, *, backlog: int, again: bool) -> socket.socket:
    """Open a socket that listens, so that nobody else can take the port from now on.

    Args:
        host: A host name or an IP address, without brackets.
        port: A port number; 0 lets the system choose a free one.
        backlog: How many connections may wait to be accepted.
        again: Whether connections of an earlier server may still linger on this very port.

    Raises:
        StartupError: The host does not resolve or the port cannot be had.
    """
    sock: socket.socket | None = None
    try:
        family, protocol, address = _resolve(host, port)
        sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        if again and _POSIX:
            # On Windows the same option would let two programs share the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # As uvicorn does: "::" means IPv6 alone on every system.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(backlog)
        if _POSIX:
            # Inherited by each connection, so that those which linger after a stop let a restart
            # have the port. Set after listen(), as before it another program could share the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except BaseException as error:
        if sock is not None:
            sock.close()
        # UnicodeError: the name is not one that DNS could ask for.
        if isinstance(error, OSError | UnicodeError):
            # Its frames are those of this module and of socket.
            raise StartupError(_refusal(host, port, error)) from error.with_traceback(None)
        raise
    return sock


def _resolve(host: str, port: int) -> tuple[int, int, Any]:
    """The family, protocol and address to listen on."""
    if not _is_ipv4(host):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, protocol, _, address = found[0]
        return family, protocol, address
    # What nearly every server has, at a tenth of the price. The protocol is named, as asyncio
    # sets TCP_NODELAY on connections only then.
    return socket.AF_INET, socket.IPPROTO_TCP, (host, port)


def _is_ipv4(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        reason = "the host does not resolve. Use an address of this machine, such as 127.0.0.1"
    else:
        reason = _REASONS.get(error.errno or 0, str(error)).format(port=port)
    return f"Cannot listen on {host!r}, port {port}: {reason}."


def url(scheme: str, host: str, port: int) -> str:
    """Write the URL of a server, `scheme://host:port`, no trailing slash.

    A wildcard host, which is no place to connect to, becomes the loopback address of its family;
    an IPv6 address gets its brackets, and the percent sign of its zone is escaped (RFC 6874).
    """
    host = _LOOPBACK.get(host, host)
    if ":" in host:
        host = f"[{host.replace('%', '%25')}]"
    return f"{scheme}://{host}:{port}"
