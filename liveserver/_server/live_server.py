"""`LiveServer`: what users see of a server. `lifecycle.py` explains how it runs."""

import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self, TypeVar, Unpack, overload

from liveserver._errors import ConfigurationError
from liveserver._options.server_options import ServerOptions, make_options, server_signature
from liveserver._requests.served_request import ServedRequest, ServedRequests
from liveserver._server.awaitable import AwaitableServer
from liveserver._server.control import ServerControl
from liveserver._server.portal import RemoteCall
from liveserver._server.raises import ExceptionTypes, ServerRaises, check_exception_types
from liveserver._server.sessions import SessionFactory

__unittest = __tracebackhide__ = True

__all__ = ["LiveServer"]

_T = TypeVar("_T")


class LiveServer(AwaitableServer, SessionFactory):
    """A real uvicorn server in a thread of this process.

    `with` and `async with` start and stop it; `async with` does not block the running loop.
    By hand, call `server.start()`, then `server.stop()` in a `finally`.

    Args:
        app: An ASGI app, a WSGI app (needs the extra `wsgi`), or where to import it from:
            `"module:attribute"`.
        factory: Whether `app` is a function that builds the app. Each start calls it, in the
            server's thread with its loop running, as uvicorn does. Default: False.
        host: The host name or IP address to listen on, without brackets. `"0.0.0.0"` and `"::"`
            listen on all interfaces; the URLs then name the loopback address. Default:
            `"127.0.0.1"`.
        port: The port to listen on. 0, the default, takes a free one at the first start, and keeps
            its number.
        public_host: The host that the URLs name instead, for a client that reaches this machine
            under another name, such as a browser in a container. Default: None.
        tls: Whether to serve https and wss, with a certificate of a throw-away authority for the
            loopback names, `host` and `public_host`. Needs the extra `tls`. For a certificate of
            your own, give `ssl_certfile` in `uvicorn_config` instead. Default: False.
        startup_timeout: Seconds that the app has to get ready. Default: 10.
        shutdown_timeout: Seconds that running requests have to end before they are cut, and
            seconds that the app's lifespan has to shut down. Default: 5.
        raise_server_errors: Whether an exception that the app does not handle fails the test that
            is running. Default: True.
        uvicorn_config: More options of `uvicorn.Config`, by name. Default: None.

    Raises:
        ConfigurationError: An argument is wrong. Nothing was started.
    """

    def __init__(self, app: object, **options: Unpack[ServerOptions]) -> None:
        self._control = ServerControl(app, make_options(options))

    def __repr__(self) -> str:
        state = f"running at {self.base_url}" if self.running else "not running"
        return f"<LiveServer of {self._control.name}, {state}>"

    @property
    def running(self) -> bool:
        """Whether it accepts requests."""
        return self._control.running

    @property
    def app(self) -> Any:
        """The app that it serves, as it was given, imported or built.

        Raises:
            NotRunningError: `factory=True`, and the server was not started yet.
        """
        return self._control.app

    @property
    def host(self) -> str:
        """The host that it listens on, as it was given."""
        return self._control.options.host

    @property
    def port(self) -> int:
        """The port that it listens on. It stays the same through stops and starts.

        Raises:
            NotRunningError: The server was not started yet.
        """
        return self._control.port

    @property
    def base_url(self) -> str:
        """The URL of the server, `http://host:port`, no trailing slash; `https` with TLS.

        Raises:
            NotRunningError: The server was not started yet.
        """
        return self._control.url("base_url", "http")

    @property
    def ws_url(self) -> str:
        """The URL for WebSockets, `ws://host:port`, no trailing slash; `wss` with TLS.

        Raises:
            NotRunningError: The server was not started yet.
        """
        return self._control.url("ws_url", "ws")

    @property
    def ca_bundle(self) -> str:
        """The path of a PEM file with the certificate of the authority that clients have to trust.

        For `requests` it is `verify=server.ca_bundle`, for curl `--cacert`. The file is removed
        when the process ends.

        Raises:
            ConfigurationError: The server has no throw-away certificate: `tls` is not True.
        """
        self._check_tls("ca_bundle")
        from liveserver._server import tls  # few suites need it

        return tls.ca_bundle()

    @property
    def client_ssl_context(self) -> ssl.SSLContext:
        """A new `ssl.SSLContext` for clients, which trusts the server's certificate.

        Raises:
            ConfigurationError: The server has no throw-away certificate: `tls` is not True.
        """
        self._check_tls("client_ssl_context")
        from liveserver._server import tls  # few suites need it

        return tls.client_context()

    def _check_tls(self, name: str) -> None:
        if not self._control.options.tls:
            raise ConfigurationError(
                f"The server of {self._control.name} has no {name}: it has no throw-away "
                'certificate. Set tls=True; on a test class, server_options = {"tls": True}.'
            )

    def start(self) -> None:
        """Listen, run the app's lifespan startup, and return when requests are served.

        After a stop it takes the same port again.

        Raises:
            ConfigurationError: A factory returned something that is not an app.
            StartupError: The port or the app refused, or the server runs already.
            StartupTimeout: The app was not ready within `startup_timeout`.
        """
        self._control.start()

    def bind(self) -> None:
        """Take the port and listen, and serve nothing yet: connections wait until `start`.

        So `base_url` is known to another service, or to the app itself, before the start. `stop`
        lets the port go. When the server is bound or runs, this does nothing.

        Raises:
            StartupError: The port cannot be taken.
        """
        self._control.bind()

    def stop(self) -> None:
        """Stop the server; when it is stopped or was never started, do nothing.

        No more connections are accepted, idle ones are closed, WebSockets are closed with code
        1012, event streams are cut; other requests have `shutdown_timeout` seconds to end, and
        those that do not are cut and named in a `ResourceWarning`. Then the app's lifespan shuts
        down.

        Raises:
            ShutdownError: The app failed while stopping, or stop() was called by a handler of
                this very server.
            ShutdownTimeout: Something of the app did not end in time.
        """
        self._control.stop()

    def restart(self) -> None:
        """Stop the server, if it was started, and start it again on the same port.

        In a coroutine, whose clients live on the running loop, use `arestart`.

        Raises:
            ShutdownError: The app failed while stopping. The server stays stopped.
            StartupError: The app or the port refused the new start.
        """
        self._control.restart()

    @property
    def requests(self) -> Sequence[ServedRequest]:
        """What it served by now, oldest first, through all its starts; the last 10,000 requests.

        Each is as it stands when it is taken out.
        """
        return ServedRequests(self._control.log.since())

    def wait_idle(self, timeout: float) -> None:
        """Wait until no request is running, background tasks of responses included.

        WebSockets and event streams have no end of their own and are not waited for, nor are tasks
        that the app starts with `asyncio.create_task`. What clients have sent before the call is.
        The handler of a client that has left is waited for, a second at most and once, and longer
        only while it waits for a worker thread.

        Args:
            timeout: Seconds to wait; `math.inf` for no bound.

        Raises:
            BusyTimeout: Requests are still running; it names them.
            ConfigurationError: `timeout` is no number of seconds.
            NotRunningError: The server is not running.
        """
        self._control.wait_idle(timeout, "wait_idle")

    def drop_connections(self, *, reset: bool = False) -> None:
        """Cut every open connection, as a network would; the server goes on.

        The app sees a disconnect. In a coroutine, whose clients live on the running loop, use
        `adrop_connections`.

        Args:
            reset: Whether clients see a reset (RST) instead of an orderly end (FIN).

        Raises:
            BusyTimeout: A handler blocks the server's loop.
            NotRunningError: The server is not running.
        """
        self._control.refuse_own_thread("drop_connections()")
        self._control.serving_run("drop_connections()").portal.drop_connections(reset)

    @overload
    def call(
        self, func: Callable[..., Awaitable[_T]], /, *args: Any, timeout: float = ...
    ) -> _T: ...

    @overload
    def call(self, func: Callable[..., _T], /, *args: Any, timeout: float = ...) -> _T: ...

    def call(self, func: Callable[..., Any], /, *args: Any, timeout: float = 30.0) -> Any:
        """Run a function or a coroutine function on the server's loop and return its result.

        For objects that belong to that loop: database engines, queues, `app.state`. It runs in a
        copy of the caller's context, so it sees the values of context variables here, and what it
        sets stays there. What it raises is raised here. A function that blocks, blocks the server.

        Args:
            func: The function.
            args: Its arguments; use `functools.partial` for keyword arguments.
            timeout: Seconds to wait; after that, or when this is interrupted, it is cancelled.

        Raises:
            BusyTimeout: It took longer; the message says where it stands.
            ConfigurationError: `func` is a coroutine or something else that cannot be called,
                `timeout` is no number of seconds, or this is the server's own thread, which would
                wait for itself.
            NotRunningError: The server is not running, or stopped before the call was done.
        """
        run = self._control.run_for_call("call", func, timeout)
        return run.portal.call(RemoteCall(func, args), timeout)

    def raises(
        self, expected_exception: ExceptionTypes, match: "str | re.Pattern[str] | None" = None
    ) -> ServerRaises:
        """Expect the app to raise in a block, of `with` or `async with`.

        The exceptions in the block that match do not fail the test; others do. The context has the
        attributes `exception` and `request`. Leaves of exception groups are looked at too.

        Args:
            expected_exception: The type, or several.
            match: A regular expression that is searched in `str(exception)`.

        Raises:
            AssertionError: The app raised nothing, only something else, or another text.
        """
        check_exception_types(expected_exception)
        return ServerRaises(self._control, expected_exception, match, AssertionError)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# For help() and IPython, which do not read Unpack.
LiveServer.__signature__ = server_signature()  # type: ignore[attr-defined]  # inspect reads it


# Tracebacks and reprs show the names that users import.
LiveServer.__module__ = "liveserver"
