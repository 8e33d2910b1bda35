"""The state of one `LiveServer`, and the order of its starts and stops.

This is the internal face of `LiveServer`: other folders reach a server by `server._control` alone.

States: stopped -> running -> stopped, by `start` and `stop`. A server may also end by itself
(`limit_max_requests`): it is then not running, and its `stop` is still to come.
"""

import socket
import threading
import warnings
from collections.abc import Mapping
from typing import Any

from liveserver._app.asgi import ASGIApp
from liveserver._app.loading import App, app_maker, describe
from liveserver._errors import (
    BusyTimeout,
    ConfigurationError,
    NotRunningError,
    ShutdownError,
    StartupError,
)
from liveserver._options.server_options import Options
from liveserver._reporting.frames import add_app
from liveserver._reporting.wording import listed, request_line, standing
from liveserver._requests.log import RequestLog
from liveserver._requests.middleware import Awaited, RecordingMiddleware
from liveserver._requests.observer import Observer, observe
from liveserver._requests.record import RequestRecord
from liveserver._server import watch
from liveserver._server.address import curl, listen, url
from liveserver._server.lifecycle import ServerRun
from liveserver._server.loop_thread import LoopThread
from liveserver._server.portal import check_function, check_timeout, is_awaited_by_test
from liveserver._sync.forks import in_forked_child
from liveserver._sync.threads import check_real_threads
from liveserver._uvicorn.config import WITHOUT_TIMEOUTS, configure

__unittest = __tracebackhide__ = True

__all__ = ["ServerControl"]


class ServerControl:
    """What `LiveServer` and the rest of the package use of a server.

    Attributes:
        options: The checked options.
        log: The requests of all its runs.
        of_session: Whether it lives until the process ends. Written before the start.
        watch_number: Its place among the servers of the process; `watch` writes it.
        run: The run since the last start; None after a stop. Changed under the lock, which a start
            or a stop holds; any thread may read it.
    """

    def __init__(self, app: object, options: Options) -> None:
        self.options = options
        self.log = RequestLog(options.environment.log_level)
        self.of_session = False
        self.watch_number = 0
        self.run: ServerRun | None = None
        self._given = app
        self._make_app, self._as_asgi = app_maker(app, options.factory)
        self._configuration = configure(self._uvicorn_config())
        # Each start and stop holds it. They are bounded, so waiting for it is, too.
        self._lock = threading.RLock()
        watch.add(self)
        # Written by the server's thread at each start, before the server is ready.
        self._built: App | None = None
        # Written under the lock at the first start; any thread may read it.
        self._port: int | None = None
        # What listens between `bind` and the start. Changed under the lock.
        self._socks: list[socket.socket] = []

    def _uvicorn_config(self) -> Mapping[str, Any]:
        options = self.options
        given: Mapping[str, Any] = options.uvicorn_config
        if options.environment.unbounded:
            given = {**WITHOUT_TIMEOUTS, **given}
        if options.tls:
            from liveserver._server import tls  # few suites need it

            hosts = [host for host in (options.host, options.public_host) if host is not None]
            given = {**given, "ssl_certfile": tls.certificate(hosts)}
        return given

    # What it is.

    @property
    def name(self) -> str:
        """The app, as its author would name it."""
        return describe(self._given)

    @property
    def running(self) -> bool:
        """Whether it accepts requests."""
        run = self.run
        return run is not None and run.serves

    @property
    def app(self) -> App:
        """The app that it serves."""
        if not self.options.factory:
            return self._make_app()
        if self._built is None:
            raise self._not_started("app")
        return self._built

    @property
    def port(self) -> int:
        """The port."""
        if self._port is None:
            raise self._not_started("port")
        return self._port

    def url(self, name: str, scheme: str, host: str | None = None) -> str:
        """Return a URL of the server, for clients if no host is given.

        `name` is the attribute that the user asked for, `scheme` its scheme without TLS."""
        if self._port is None:
            raise self._not_started(name)
        host = host or self.options.public_host or self.options.host
        return url(f"{scheme}s" if self._configuration.config.is_ssl else scheme, host, self._port)

    def curl(self) -> str:
        """Return a curl command for the first page, which works on this machine."""
        # public_host is the name that other machines have for this one.
        return curl(self.url("base_url", "http", self.options.host), self.options.tls)

    def _not_started(self, name: str) -> NotRunningError:
        what = f"The server of {self.name} has no {name} before its first start."
        return NotRunningError(f"{what} Call start(), or use it in a with statement.")

    # Its starts and stops.

    def start(self) -> None:
        """Start the server. See `LiveServer.start`."""
        self.refuse_own_thread("start()")
        with self._lock:
            if self.running:
                raise StartupError(
                    f"The server of {self.name} runs already, at {self.url('base_url', 'http')}. "
                    "Call stop() first, or restart()."
                )
            self.bind()
            try:
                self.run = self._make_run()
                self._socks = []  # the run's now
                watch.tell_started(self)
                self.run.start(self._given)
            except BaseException:
                self._let_go()
                if self.run is not None:
                    self.run.discard()
                self.run = None
                raise
            if self.run is None:
                raise StartupError(
                    f"The server of {self.name} was stopped while it started, by a signal handler."
                )

    def bind(self) -> None:
        """Take the port. See `LiveServer.bind`."""
        self.refuse_own_thread("bind()")
        with self._lock:
            if self.running or self._socks:
                return
            check_real_threads()
            self.stop()  # of a run that ended by itself
            self._socks = listen(
                self.options.host,
                self.options.port if self._port is None else self._port,
                backlog=self._configuration.config.backlog,
                again=self._port is not None or self.options.port != 0,
            )
            self._port = self._socks[0].getsockname()[1]

    def _let_go(self) -> None:
        for sock in self._socks:
            sock.close()
        self._socks = []

    def _make_run(self) -> ServerRun:
        options, middleware = self.options, RecordingMiddleware(self.log)
        loop_thread = LoopThread(
            self._configuration, middleware, self._build_app, options.factory, self._socks
        )
        return ServerRun(options, loop_thread, self._socks, self.port, self.of_session)

    def _build_app(self) -> ASGIApp:
        self._built = self._make_app()
        add_app(self._given)
        if self.options.factory:
            add_app(self._built)
        return self._as_asgi(self._built)

    def stop(self) -> None:
        """Stop the server. See `LiveServer.stop`."""
        self.refuse_own_thread("stop()")
        with self._lock:
            run = self.run
            if run is None:
                self._let_go()
                return
            try:
                run.stop()
            finally:
                # After the stop: until then the server's own thread is refused, and a stop that
                # Ctrl-C interrupts can be called again.
                if run.over:
                    self.run = None

    def restart(self) -> None:
        """Stop and start the server. See `LiveServer.restart`."""
        self.refuse_own_thread("restart()")
        with self._lock:
            self.stop()
            self.start()

    def stops_at_once(self) -> bool:
        """Begin the stop; return whether `stop` has nothing left to wait for."""
        run = self.run
        return run is not None and run.stops_at_once()

    def refuse_own_thread(self, method: str) -> None:
        """Raise ShutdownError in the server's own thread, which would wait for itself."""
        run = self.run
        if run is not None and run.thread is threading.current_thread():
            raise ShutdownError(
                f"The server of {self.name} cannot wait for itself in its own thread, so {method} "
                "cannot be called in a handler. Call it in the test."
            )

    # Its requests.

    def serving_run(self, method: str) -> ServerRun:
        """Return the run, for a method of the user's."""
        run = self.run
        if run is None or not run.serves:
            raise NotRunningError(
                f"The server of {self.name} is not running. Call {method} between start() and "
                "stop()."
            )
        return run

    def wait_idle(self, timeout: float, method: str) -> None:
        """Wait until no request is running. See `LiveServer.wait_idle`."""
        self.refuse_own_thread(f"{method}()")
        check_timeout(timeout, method)
        self.serving_run(f"{method}()").portal.wait_idle(timeout)

    def run_for_call(self, method: str, func: object, timeout: float) -> ServerRun:
        """Check the arguments of `call` or `acall`, and return the run."""
        check_function(func, method)
        check_timeout(timeout, method)
        run = self.serving_run(f"{method}()")
        if run.thread is threading.current_thread():
            raise ConfigurationError(
                f"{method}() was used in the server's own thread, which would wait for itself. "
                "There, call the function directly, or await it."
            )
        return run

    def wait_for_requests(self, seconds: float, awaited: Awaited = is_awaited_by_test) -> bool:
        """Wait for requests, those that a test waits for; return whether they end in time."""
        # Even if none is known: one may be on its way.
        run = self.run
        if run is not None and run.serves:
            try:
                run.portal.wait_idle(seconds, awaited)
            except BusyTimeout:
                return False
        return True

    def finish_requests(self) -> None:
        """Wait for the test's requests, for `shutdown_timeout`; warn of those that still run.

        No later call waits for those again.

        Raises:
            ResourceWarning: Some still run, and the user makes warnings errors.
        """
        run, seconds = self.run, self.options.shutdown_timeout
        if run is None or run.portal.is_blocked() or self.wait_for_requests(seconds):
            return
        run.portal.note_block()
        left = list(filter(is_awaited_by_test, list(run.loop_thread.middleware.running)))
        if left:
            for record in left:
                record.waited_in_vain = True
            lines = listed(request_line(record, run.thread) for record in left)
            message = f"Requests still running after {seconds:g} s (shutdown_timeout):{lines}"
            warnings.warn(message, ResourceWarning, stacklevel=2)

    def place(self, record: RequestRecord) -> str:
        """Say where a running request is; an empty string if the server has stopped."""
        return "" if self.run is None else standing(record.task, self.run.thread)

    def observe(self, observer: Observer) -> None:
        """Tell an observer of the requests of this run, and of its end."""
        if self.run is not None:
            self.run.on_cuts = observer.cut
            observe(self.run.loop_thread.middleware, observer)
        if not self.running:
            observer.over()  # it ended before it could say so

    def abort(self) -> None:
        """Stop without waiting, in any thread."""
        if self.run is not None:
            self.run.abort()


def _renew_locks() -> None:
    for control in watch.servers():
        control._let_go()  # the copies; the parent has its own
        control._lock = threading.RLock()


in_forked_child(_renew_locks)
