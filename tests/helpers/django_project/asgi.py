"""The app, as a project makes it: its handler has loaded the middleware at the import."""

from typing import Any

from django.core.asgi import get_asgi_application

application = get_asgi_application()


class Router:
    """Hands requests on, as the router of Channels does."""

    def __init__(self, application_mapping: dict[str, Any]) -> None:
        self.application_mapping = application_mapping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application_mapping[scope["type"]](scope, receive, send)


class Wrapper:
    """Wraps an app, as a middleware does."""

    def __init__(self, app: Any) -> None:
        self.app = self.inner = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


routed = Router({"http": Wrapper(get_asgi_application())})


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    raise LookupError("no database server")
