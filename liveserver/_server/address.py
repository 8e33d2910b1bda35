"""The address of a server: its listening socket, its URLs, and the curl command for them."""

import errno
import os
import socket
from typing import Any

from liveserver._errors import StartupError

__unittest = __tracebackhide__ = True

__all__ = ["curl", "listen", "url"]

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


# What the socket of an address answers that a host's name has, and this machine has not.
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

# A port that is free at one address of a host may be taken at another one.
_TRIES = 10

# Family, protocol, and what `socket.bind` takes. asyncio needs the protocol to set TCP_NODELAY.
_Address = tuple[int, int, Any]


def listen(host: str, port: int, *, backlog: int, again: bool) -> list[socket.socket]:
    """Open sockets that listen: from now on no other program can take the port.

    There is one for each address of the host: `localhost` may have one of IPv4 and one of IPv6.

    Args:
        host: A host name or an IP address, without brackets.
        port: A port number; 0 lets the system choose a free one.
        backlog: How many connections may wait to be accepted.
        again: Whether connections of an earlier server may remain on this port.

    Raises:
        StartupError: The host does not resolve, or the port cannot be taken.
    """
    try:
        addresses = _resolve(host, port)
        tries = 1 if port or len(addresses) == 1 else _TRIES
        while True:
            tries -= 1
            try:
                return _open_all(addresses, backlog, again)
            except OSError as error:
                if not tries or error.errno != errno.EADDRINUSE:
                    raise
    except (OSError, UnicodeError) as error:
        # UnicodeError: the name is not one that DNS could ask for. Its frames are this module's
        # and the socket module's.
        raise StartupError(_refusal(host, port, error)) from error.with_traceback(None)


def _resolve(host: str, port: int) -> list[_Address]:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):  # a name, an address of IPv6, or a short form such as 127.1
        return _look_up(host, port)
    # As asyncio does: what is an address already needs no look-up.
    return [(socket.AF_INET, socket.IPPROTO_TCP, (host, port))]


def _look_up(host: str, port: int) -> list[_Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((each[0], each[2], each[4]) for each in found))


def _open_all(addresses: list[_Address], backlog: int, again: bool) -> list[socket.socket]:
    """Listen on one port of all addresses that this machine has."""
    socks: list[socket.socket] = []
    try:
        for family, protocol, address in addresses:
            if socks:
                address = (address[0], socks[0].getsockname()[1], *address[2:])
            try:
                socks.append(_open((family, protocol, address), backlog, again))
            except OSError as error:
                if error.errno not in _ABSENT or (not socks and address is addresses[-1][2]):
                    raise
    except BaseException:
        for sock in socks:
            sock.close()
        raise
    return socks


def _open(address: _Address, backlog: int, again: bool) -> socket.socket:
    family, protocol, name = address
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        if again and _POSIX:
            # On Windows the same option would let two programs share the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # As uvicorn does: "::" means IPv6 alone on every system.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(name)
        sock.listen(backlog)
        if _POSIX:
            # Each connection inherits it, so that connections which remain after a stop let a
            # restart take the port. Before listen(), another program could share the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        reason = "the host does not resolve. Use an address of this machine, such as 127.0.0.1"
    else:
        reason = _REASONS.get(error.errno or 0, str(error)).format(port=port)
    return f"Cannot listen on {host!r}, port {port}: {reason}."


def url(scheme: str, host: str, port: int) -> str:
    """Return the URL of a server, `scheme://host:port`, no trailing slash.

    A wildcard host, to which clients cannot connect, becomes the loopback address of its family. An
    IPv6 address gets its brackets, and the percent sign of its zone is escaped (RFC 6874).
    """
    if not host.strip("0.:"):  # such as 0.0.0.0, 0, :: and 0:0:0:0:0:0:0:0
        host = "::1" if ":" in host else "127.0.0.1"
    if ":" in host:
        host = f"[{host.replace('%', '%25')}]"
    return f"{scheme}://{host}:{port}"


def curl(base_url: str, own_certificate: bool) -> str:
    """Return a command that requests the first page of a server, ready to paste.

    Args:
        base_url: The server's URL.
        own_certificate: Whether its certificate is ours, of an authority that curl must trust.
    """
    import shlex  # few runs need it

    words = ["curl", "-i", f"{base_url}/"]
    if own_certificate:
        from liveserver._server import tls  # few suites need it

        words[2:2] = ["--cacert", tls.ca_bundle()]
    elif base_url.startswith("https:"):  # a certificate of the user's, of an unknown authority
        words[2:2] = ["--insecure"]
    return shlex.join(words)
