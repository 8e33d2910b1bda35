"""What uvicorn answers by itself, without asking the app: 400, 503, a refused handshake."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

__all__ = ["OnRefusal", "noting_protocol", "refused_scope"]

# Called with the status and what is known of the request.
OnRefusal = Callable[[int, Mapping[str, Any]], None]


@lru_cache(maxsize=16)
def noting_protocol(protocol_class: Any) -> Any:
    """Return a class of HTTP protocols that tells `config.on_refusal` of what it refuses itself."""
    if not hasattr(protocol_class, "send_400_response"):
        return protocol_class  # of another library than uvicorn's

    class NotingProtocol(protocol_class):  # type: ignore[misc]  # its type is known at run time
        """uvicorn's protocol; it is as fast as before for what it does not refuse."""

        def send_400_response(self, *args: Any) -> None:
            self.config.on_refusal(400, {"client": self.client})
            super().send_400_response(*args)

        def handle_websocket_upgrade(self, *args: Any) -> None:
            super().handle_websocket_upgrade(*args)
            if self.transport.is_closing():
                response = getattr(self.transport.get_protocol(), "response", None)
                status = getattr(response, "status_code", None)
                self.config.on_refusal(status or _wsproto_status(self.scope), self.scope)

    NotingProtocol.__name__ = protocol_class.__name__
    return NotingProtocol


def _wsproto_status(scope: Mapping[str, Any]) -> int:
    """Return how wsproto refuses a handshake: it keeps no response that could be asked."""
    versions = [value for name, value in scope["headers"] if name == b"sec-websocket-version"]
    return 400 if versions == [b"13"] else 426


def refused_scope(task: "asyncio.Task[Any]") -> Mapping[str, Any] | None:
    """Return the scope of a new task that answers 503, over `limit_concurrency`; else None."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    values = {} if frame is None else frame.f_locals
    app = getattr(values.get("app"), "__name__", "")
    return values["self"].scope if app == "service_unavailable" else None
