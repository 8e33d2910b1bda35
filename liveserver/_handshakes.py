"""TLS connections that are not up yet, and which a stop has to cut all the same.

uvicorn's protocol hears of its connection when the handshake is done. Until then only the loop
knows it: asyncio's in a task, which can be cancelled, and uvloop's nowhere that one could ask. So
the garbage collector is asked, who holds the protocol.
"""

import gc
from typing import Any
from weakref import WeakSet

__all__ = ["Handshakes"]


class Handshakes:
    """Stands in for a server's class of protocols, and remembers those that it makes.

    Lives on the server's loop.
    """

    def __init__(self, protocol_class: Any) -> None:
        self._protocol_class = protocol_class
        self._made: WeakSet[Any] = WeakSet()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the protocol of a connection that was just accepted."""
        protocol = self._protocol_class(*args, **kwargs)
        self._made.add(protocol)
        return protocol

    def abort(self) -> None:
        """Cut the connections that are not up yet."""
        waiting = [each for each in self._made if getattr(each, "transport", self) is None]
        for protocol in waiting:
            for holder in gc.get_referrers(protocol):
                transport = _transport(holder)
                if transport is not None:
                    transport.abort()


def _transport(holder: Any) -> Any:
    """Return the transport of the object that does a handshake; None if it is another object.

    Both loops call it `SSLProtocol`. asyncio's may show itself as the dict of its attributes.
    """
    if isinstance(holder, dict):
        return holder.get("_transport") if "_app_protocol" in holder else None
    if hasattr(type(holder), "_get_app_transport"):
        return holder._get_app_transport()
    return None
