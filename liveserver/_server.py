"""`LiveServer`: where a server is, and the order of its starts and stops.

States: stopped -> running -> stopped, by `start` and `stop`; a server may also end by itself
(`limit_max_requests`), and is then not running, but its `stop` is still to come. `_lock` is held
through each change; whoever holds it is bounded (see `_run.py`), so waiting for it is bounded too.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from liveserver._address import listen, url
from liveserver._apps import App, app_maker, describe
from liveserver._asgi import ASGIApp
from liveserver._aside import aside
from liveserver._calls import Call, check_function
from liveserver._errors import ConfigurationError, NotRunningError, ShutdownError, StartupError
from liveserver._options import make_options
from liveserver._run import Run
from liveserver._served import ServedRequest
from liveserver._serving import Serving
from liveserver._uvicorn_config import WITHOUT_TIMEOUTS, configure
from liveserver._witness import Journal, Witness

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["LiveServer"]

_T = TypeVar("_T")


class LiveServer:
    """A real uvicorn server in a thread of this process.

    `with` and `async with` start and stop it; `async with` does not block the running loop.
    Use it by hand as `server.start()`, then `server.stop()` in a `finally`.

    Args:
        app: An ASGI app, a WSGI app (needs the extra `wsgi`), or where to import it from:
            `"module:attribute"`.
        factory: Whether `app` is a function that builds the app. It is called for every start, in
            the server's thread with its loop running, as uvicorn does.
        host: The host name or IP address to listen on, without brackets. `"0.0.0.0"` and `"::"`
            listen on all interfaces; the URLs then name the loopback address.
        port: The port to listen on; 0 takes a free one at the first start, and keeps its number.
        public_host: The host that the URLs name instead, for a client that reaches this machine
            under another name, such as a browser in a container.
        tls: Whether to serve https and wss, with a certificate of a throw-away authority for the
            loopback names, `host` and `public_host`. Needs the extra `tls`. A certificate of your
            own is given as `ssl_certfile` in `uvicorn_config` instead.
        startup_timeout: Seconds that the app has to get ready.
        shutdown_timeout: Seconds that running requests have to end before they are cut, and
            seconds that the app's lifespan has to shut down.
        uvicorn_config: More options of `uvicorn.Config`, by name.

    Raises:
        ConfigurationError: An argument is wrong. Nothing was started.
    """

    # Whether it lives until the process ends; set before the start.
    _of_session = False

    def __init__(
        self,
        app: object,
        *,
        factory: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        public_host: str | None = None,
        tls: bool = False,
        startup_timeout: float = 10.0,
        shutdown_timeout: float = 5.0,
        uvicorn_config: Mapping[str, Any] | None = None,
    ) -> None:
        self._options = make_options(
            factory=factory,
            host=host,
            port=port,
            public_host=public_host,
            tls=tls,
            startup_timeout=startup_timeout,
            shutdown_timeout=shutdown_timeout,
            uvicorn_config=uvicorn_config,
        )
        self._make_app, self._as_asgi = app_maker(app, factory)
        self._built: App | None = None  # by the server's thread, at each start
        self._given = app
        self._journal = Journal()
        self._configuration = configure(self._uvicorn_config())
        self._lock = threading.RLock()
        self._run: Run | None = None  # changed under _lock; any thread may read it
        self._port: int | None = None  # known from the first start on

    @property
    def _name(self) -> str:
        return describe(self._given)

    def __repr__(self) -> str:
        state = f"running at {self.base_url}" if self.running else "not running"
        return f"<LiveServer of {self._name}, {state}>"

    @property
    def running(self) -> bool:
        """Whether it accepts requests."""
        run = self._run
        return run is not None and run.alive

    @property
    def app(self) -> App:
        """The app it serves, as it was given, imported or built.

        Raises:
            NotRunningError: `factory=True`, and the server was not started yet.
        """
        if not self._options.factory:
            return self._make_app()
        if self._built is None:
            raise self._not_started("app")
        return self._built

    @property
    def host(self) -> str:
        """The host it listens on, as it was given."""
        return self._options.host

    @property
    def port(self) -> int:
        """The port it listens on. It stays the same through stops and starts.

        Raises:
            NotRunningError: The server was not started yet.
        """
        if self._port is None:
            raise self._not_started("port")
        return self._port

    @property
    def base_url(self) -> str:
        """The URL of the server, `http://host:port`, no trailing slash; `https` with TLS.

        Raises:
            NotRunningError: The server was not started yet.
        """
        return self._url("base_url", "http")

    @property
    def ws_url(self) -> str:
        """The URL for WebSockets, `ws://host:port`, no trailing slash; `wss` with TLS.

        Raises:
            NotRunningError: The server was not started yet.
        """
        return self._url("ws_url", "ws")

    def _uvicorn_config(self) -> Mapping[str, Any]:
        options = self._options
        given: Mapping[str, Any] = options.uvicorn_config
        if options.unbounded:
            given = {**WITHOUT_TIMEOUTS, **given}
        if not options.tls:
            return given
        from liveserver import _tls  # which few suites need

        hosts = [host for host in (options.host, options.public_host) if host is not None]
        return {**given, "ssl_certfile": _tls.certificate(hosts)}

    @property
    def ca_bundle(self) -> str:
        """The path of a PEM file with the certificate of the authority that clients have to trust.

        For `requests` it is `verify=server.ca_bundle`, for curl `--cacert`. It is removed when the
        process ends.

        Raises:
            ConfigurationError: The server has no throw-away certificate: `tls` is not True.
        """
        self._check_tls("ca_bundle")
        from liveserver import _tls

        return _tls.ca_bundle()

    @property
    def client_ssl_context(self) -> ssl.SSLContext:
        """A new `ssl.SSLContext` for clients, which trusts the server's certificate.

        Raises:
            ConfigurationError: The server has no throw-away certificate: `tls` is not True.
        """
        self._check_tls("client_ssl_context")
        from liveserver import _tls

        return _tls.client_context()

    def _check_tls(self, name: str) -> None:
        if not self._options.tls:
            raise ConfigurationError(
                f"The server of {self._name} has no {name}, as it has no throw-away certificate. "
                'Set tls=True; on a test class, server_options = {"tls": True}.'
            )

    def _url(self, name: str, scheme: str) -> str:
        if self._port is None:
            raise self._not_started(name)
        host = self._options.public_host or self._options.host
        return url(f"{scheme}s" if self._configuration.config.is_ssl else scheme, host, self._port)

    def _not_started(self, name: str) -> NotRunningError:
        return NotRunningError(
            f"The server of {self._name} has no {name} before its first start. Call start(), "
            "or use it in a with statement."
        )

    def _build_app(self) -> ASGIApp:
        self._built = self._make_app()
        return self._as_asgi(self._built)

    def start(self) -> None:
        """Listen, run the app's lifespan startup, and return when requests are served.

        After a stop it takes the same port again.

        Raises:
            ConfigurationError: A factory returned something that is not an app.
            StartupError: The port or the app refused, or the server runs already.
            StartupTimeout: The app was not ready within `startup_timeout`.
        """
        self._refuse_own_thread()
        with self._lock:
            if self.running:
                raise StartupError(
                    f"The server of {self._name} runs already, at {self.base_url}. "
                    "Call stop() first, or restart()."
                )
            if self._run is not None:
                self.stop()  # of a run that ended by itself
            sock = listen(
                self._options.host,
                self._options.port if self._port is None else self._port,
                backlog=self._configuration.config.backlog,
                again=self._port is not None or self._options.port != 0,
            )
            try:
                self._port = sock.getsockname()[1]
                self._witness = Witness(self._journal)
                factory = self._options.factory
                serving = Serving(
                    self._configuration, self._witness, self._build_app, factory, sock
                )
                self._run = Run(self._options, serving, sock, self._port, self._of_session)
                self._run.start(self._given)
            except BaseException:
                if self._run is None:
                    sock.close()
                else:
                    self._run.forget()
                self._run = None
                raise

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
        self._refuse_own_thread()
        with self._lock:
            run = self._run
            if run is None:
                return
            try:
                run.stop()
            finally:
                # Not before: until then the server's own thread is refused, and a stop that
                # Ctrl-C interrupted can be called again.
                if run.over:
                    self._run = None

    def restart(self) -> None:
        """Stop the server, if it was started, and start it again on the same port.

        Raises:
            ShutdownError: The app failed while stopping. The server stays stopped.
            StartupError: The app or the port refused the new start.
        """
        self._refuse_own_thread()
        with self._lock:
            self.stop()
            self.start()

    @property
    def requests(self) -> tuple[ServedRequest, ...]:
        """What it served, oldest first, through all its starts; the last 10,000 requests."""
        return tuple(request.served() for request in self._journal.since(None))

    def wait_idle(self, timeout: float) -> None:
        """Wait until no request is running, background tasks of responses included.

        WebSockets and event streams have no end of their own and are not waited for. What clients
        have sent before the call is.

        Args:
            timeout: Seconds to wait.

        Raises:
            BusyTimeout: Requests are still running; it names them.
            NotRunningError: The server is not running.
        """
        self._refuse_own_thread()
        self._running_run("wait_idle()").errands.wait_idle(timeout)

    async def await_idle(self, timeout: float) -> None:
        """Do what `wait_idle` does without blocking the running loop.

        Args:
            timeout: Seconds to wait.

        Raises:
            BusyTimeout: Requests are still running; it names them.
            NotRunningError: The server is not running.
        """
        await aside(self.wait_idle, timeout)

    def drop_connections(self) -> None:
        """Cut every open connection, as a network would; the server goes on.

        The app sees a disconnect, clients see a connection that ends or is reset.

        Raises:
            BusyTimeout: A handler blocks the server's loop.
            NotRunningError: The server is not running.
        """
        self._refuse_own_thread()
        self._running_run("drop_connections()").errands.drop_connections()

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
            ConfigurationError: `func` is a coroutine or something else that cannot be called, or
                this is the server's own thread, which would wait for itself.
            NotRunningError: The server is not running, or stopped before the call was done.
        """
        return self._run_for_call("call", func).errands.call(Call(func, args), timeout)

    @overload
    async def acall(
        self, func: Callable[..., Awaitable[_T]], /, *args: Any, timeout: float = ...
    ) -> _T: ...

    @overload
    async def acall(self, func: Callable[..., _T], /, *args: Any, timeout: float = ...) -> _T: ...

    async def acall(self, func: Callable[..., Any], /, *args: Any, timeout: float = 30.0) -> Any:
        """Do what `call` does without blocking the running loop.

        Args:
            func: The function.
            args: Its arguments; use `functools.partial` for keyword arguments.
            timeout: Seconds to wait; after that, or when this is cancelled, it is cancelled.

        Raises:
            BusyTimeout: It took longer; the message says where it stands.
            ConfigurationError: `func` is a coroutine or something else that cannot be called, or
                this is the server's own thread, which would wait for itself.
            NotRunningError: The server is not running, or stopped before the call was done.
        """
        return await self._run_for_call("acall", func).errands.acall(Call(func, args), timeout)

    def _run_for_call(self, method: str, func: object) -> Run:
        check_function(func, method)
        run = self._running_run(f"{method}()")
        if run.thread is threading.current_thread():
            raise ConfigurationError(
                f"{method}() was used in the server's own thread, which would wait for itself. "
                "There, call the function directly, or await it."
            )
        return run

    def _running_run(self, method: str) -> Run:
        run = self._run
        if run is None or not run.alive:
            raise NotRunningError(
                f"The server of {self._name} is not running. Call {method} between start() and "
                "stop()."
            )
        return run

    def _refuse_own_thread(self) -> None:
        run = self._run
        if run is not None and run.thread is threading.current_thread():
            raise ShutdownError(
                f"The server of {self._name} cannot wait for itself in its own thread, so it "
                "cannot be stopped there. Do it in the test."
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        try:
            await aside(self.start)
        except asyncio.CancelledError:
            await aside(self.stop)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        run = self._run
        if run is not None and run.ends_at_once():
            self.stop()  # which has nothing to wait for
        else:
            await aside(self.stop)
