"""What somebody at a terminal needs to ask a server by hand."""

from liveserver._address import url
from liveserver._server import LiveServer

__all__ = ["curl"]


def curl(server: LiveServer) -> str:
    """Write a command that asks a running server for its first page, ready to paste."""
    import shlex  # in the rare case that somebody asks by hand

    scheme = server.base_url.partition(":")[0]
    # Not base_url: public_host is the name that others have for this machine.
    words = ["curl", "-i", f"{url(scheme, server.host, server.port)}/"]
    if server._options.tls:
        words[2:2] = ["--cacert", server.ca_bundle]
    elif scheme == "https":  # with a certificate of the user's, whose authority nobody named
        words[2:2] = ["--insecure"]
    return shlex.join(words)
