"""How a server runs.

Threads
    the user's threads   call `start`, `stop` and the other methods of `LiveServer`; a lock of
                         `ServerControl` is held through each start, stop and restart
    the server's thread  runs the loop: uvicorn, the app, its lifespan (`LoopThread.run`). It is a
                         daemon, because nothing can end a thread that is stuck in the app's code
    worker threads       run what the app gives to the loop's executor: sync handlers, WSGI
    helper threads       run a blocking call of ours for an `async` one (`run_in_thread`)
    Other threads reach the loop by `LoopThread.post`; it answers by a `Latch` or an `Outcome`.

A start
    1  `address.listen`         user's    bind and listen: the port is taken
    2  `ServerRun.start`        user's    start the thread, wait `startup_timeout` for the outcome
    3  `UvicornServer.begin`    server's  build the app, start its lifespan
    4  `start_serving`          server's  wait for the app's startup, accept connections
    5  `Outcome.set_result`     server's  ready, or the failure
    After a timeout or Ctrl-C, steps 7 to 9 of a stop follow.

A stop; each step is taken only if the run did not end within the bound of the one before
    0  `leaves_work`       wait for requests whose client has left before         CLIENT_LEFT, twice
    1  `close`             stop accepting; close idle connections, WebSockets    STREAM_END
                           (1012), event streams; cancel abandoned requests
    2  `cancel_streams`    cancel event streams and WebSockets that still run    `shutdown_timeout`
    3  `abort_requests`    record the requests that still run, abort their       GRACE
                           connections: the app sees a disconnect
    4  `cancel_requests`   cancel their tasks                                    GRACE
    5  `stop_waiting`      go on without them                                    -
    6  `shut_down_app`     the app's lifespan shuts down, always                 `shutdown_timeout`
    7  `cancel_main_task`  cancel the whole run, the lifespan too                GRACE
    8  `stop_loop`         stop the loop, whatever runs on it                    GRACE
    9  `mute_loop`         leave the stuck thread behind; the error says where it is
    10 join                wait for the executors' jobs, name those that remain  `shutdown_timeout`
    A stop that Ctrl-C interrupts posts steps 1 and 3 to 5, and does not wait.

Bounds, in seconds (`_options/bounds.py`)
    GRACE         0.5    what takes less than a millisecond unless something is wrong
    STREAM_END    0.1    event streams and WebSockets end by themselves after their disconnect
    AT_EXIT       0.3    requests, then the app's shutdown, when the process ends with the server
    CLIENT_LEFT   0.5    a request whose client has left is waited for, twice at most
    LOOP_BLOCK    0.005  a stop may block the caller's loop so long, to save a helper thread
    RESPONSE_END  0.5    from a complete response to its request's end, for a note
    OUTCOME       1.0    a thread that has decided an outcome publishes it
    SIGNAL_CHECK  0.5    between two checks for signals in a blocking read
    THREAD_START  5.0    a system that is busy begins a thread
    The waits are `threading`'s, never a clock or timer of asyncio, which freezegun freezes.
    LIVESERVER_TIMEOUTS=off lifts all but those after Ctrl-C and at the process's end.
"""

import contextlib
import os
import socket
import threading
import warnings
from collections.abc import Callable
from functools import partial

from liveserver._app.loading import describe
from liveserver._errors import BusyTimeout, ShutdownTimeout, StartupError, StartupTimeout
from liveserver._options import bounds
from liveserver._options.server_options import Options
from liveserver._reporting.tracebacks import chain
from liveserver._reporting.wording import listed, standing, still_running, thread_stack
from liveserver._server import process_hooks
from liveserver._server.loop_thread import LoopThread
from liveserver._server.portal import Portal, leaves_work
from liveserver._sync.threads import DaemonThread

__unittest = __tracebackhide__ = True

__all__ = ["ServerRun"]


class ServerRun:
    """The thread of one start, and its end. `ServerControl` holds a lock around its methods.

    Attributes:
        thread: The server's thread.
        loop_thread: What runs in it.
        portal: What other threads ask of it while it runs; without that lock.
        on_cuts: Called by `stop` with a text that names what it cut. By default it warns.
    """

    def __init__(
        self,
        options: Options,
        loop_thread: LoopThread,
        socks: list[socket.socket],
        port: int,
        of_session: bool,
    ) -> None:
        self._options = options
        self._of_session = of_session
        # The bounds of this run's stop. The process's end writes shorter ones, before it stops.
        self._request_seconds = self._lifespan_seconds = options.bound(options.shutdown_timeout)
        self._grace = options.bound(bounds.GRACE)
        self._used_up = False  # whether requests took all of `_request_seconds`
        self.loop_thread = loop_thread
        self.on_cuts: Callable[[str], None] = _warn
        self._socks = socks
        # Written under the lock of ServerControl; any thread may read it.
        self._left_behind = False
        self.thread = DaemonThread(self._run_thread, f"liveserver-{port}")
        self.portal = Portal(options, loop_thread, self.thread)

    @property
    def serves(self) -> bool:
        """Whether it is ready, and its stop has not begun."""
        server, ended = self.loop_thread.server, self.loop_thread.ended
        return server.started and not server.closing and not ended.is_set()

    @property
    def over(self) -> bool:
        """Whether nothing is left to stop: it has ended, or is stuck and left behind."""
        return self._left_behind or self.loop_thread.ended.is_set()

    def start(self, app: object) -> None:
        """Start the thread and wait until the app is ready.

        Args:
            app: The app as the user gave it, for an error."""
        options, outcome = self._options, self.loop_thread.outcome
        try:
            self._start_thread()
            in_time = self.thread.wait_for(outcome, options.bound(options.startup_timeout))
        except BaseException:
            outcome.cancel()
            self._kill()
            raise
        if not in_time:
            place = standing(self.loop_thread.startup_task, self.thread)
            # Unless the server's thread sets it while this thread looks at the clock.
            if outcome.cancel():
                raise self._start_timeout(app, place)
        if outcome.error is not None:
            self._wait_ended(self._grace)
            raise _without_our_frames(outcome.error)

    def _start_thread(self) -> None:
        try:
            process_hooks.register(self)
            self.thread.start()
        except RuntimeError as error:
            raise StartupError(f"The system gave no thread for the server: {error}.") from error

    def _run_thread(self) -> None:
        self.loop_thread.run()
        if self.loop_thread.failure is None:  # else a stop, or the process's end, tells it
            process_hooks.unregister(self)

    def discard(self) -> None:
        """Forget a run whose thread did not begin. If it begins later, its sockets are closed."""
        if self.thread.ident is None:
            process_hooks.unregister(self)
            for sock in self._socks:
                sock.close()

    def _start_timeout(self, app: object, place: str) -> StartupTimeout:
        left_behind = self._kill()
        seconds = self._options.startup_timeout
        return StartupTimeout(
            f"{describe(app)} was not ready within {seconds:g} s: its startup stands {place}. "
            f"If it needs longer, raise startup_timeout.{left_behind}",
            seconds,
        )

    def _kill(self) -> str:
        """Take steps 7 to 9 of a stop; say what did not end."""
        self.loop_thread.unheard = True
        if not self.thread.wait_begun(bounds.GRACE):
            return ""  # if it begins later, it finds its outcome cancelled, and ends
        for action in (self.loop_thread.cancel_main_task, self.loop_thread.stop_loop):
            self.loop_thread.post(action)
            if self._wait_ended(bounds.GRACE):
                return ""
        self._left_behind = True
        self.loop_thread.mute_loop()
        # The stuck thread owns the sockets. It must not look like a server any longer.
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        return f"\nThread {self.thread.name} is stuck in the app and is left behind."

    def stops_at_once(self) -> bool:
        """Begin the stop; return whether it is done within `LOOP_BLOCK`."""
        if threading.current_thread() is self.thread or self.loop_thread.middleware.running:
            return False
        self.loop_thread.post(self.loop_thread.server.close)
        self._wait_ended(bounds.LOOP_BLOCK)
        return self.loop_thread.ended.is_set() and not self.thread.is_alive()

    def stop(self) -> None:
        """Stop the server, and report what went wrong."""
        try:
            error = self._bring_down()
        except BaseException:
            # Ctrl-C. A later stop(), or the process's end, waits for the end of the run.
            self.stop_without_waiting()
            raise
        process_hooks.unregister(self)  # even if it is left behind: its end was waited for
        try:
            self._report_cuts()
        finally:
            if error is not None:
                raise _without_our_frames(error)

    def stop_without_waiting(self) -> None:
        """Post all steps of a stop but the last ones. Any thread may call this."""
        server = self.loop_thread.server
        steps = (server.close, server.abort_requests, server.cancel_requests, server.stop_waiting)
        for action in steps:
            self.loop_thread.post(action)

    def abort(self) -> None:
        """Do that, give the app's shutdown `AT_EXIT` seconds, and report no failure."""
        self.loop_thread.unheard = True
        self.stop_without_waiting()
        self.loop_thread.post(partial(self.loop_thread.cancel_main_task_after, bounds.AT_EXIT))

    def _bring_down(self) -> BaseException | None:
        """Take the steps of a stop; return what went wrong, a `ShutdownError`."""
        if self.loop_thread.middleware.running:  # its client may have left just now
            with contextlib.suppress(BusyTimeout):
                self.portal.wait_idle(self._request_seconds, leaves_work)
        self.loop_thread.post(self.loop_thread.server.close)
        if self._wait_ended(min(bounds.STREAM_END, self._request_seconds)):
            return self.loop_thread.failure
        self._drain()
        # A blocked loop reacts to nothing, so there is nothing to wait for.
        reacts = self._loop_reacts
        if self._wait_ended(max(self._grace, self._lifespan_seconds) if reacts else self._grace):
            return self.loop_thread.failure
        return self._stop_timeout()

    def _drain(self) -> None:
        """Wait for the requests, then abort and cancel those that remain."""
        server, drained = self.loop_thread.server, self.loop_thread.drained
        self.loop_thread.post(server.cancel_streams)
        if drained.wait(max(0.0, self._request_seconds - bounds.STREAM_END)):
            return
        self._used_up = True
        for action in (server.abort_requests, server.cancel_requests):
            self.loop_thread.post(action)
            if self._loop_reacts and drained.wait(self._grace):
                break
        self.loop_thread.post(server.stop_waiting)

    def _stop_timeout(self) -> ShutdownTimeout:
        """Describe what did not end, then end what can be ended."""
        seconds = self._lifespan_seconds
        pending = self.loop_thread.request_lines(self.thread)
        pending += self.loop_thread.other_task_lines(self.thread)
        message = f"The server was not down within {seconds:g} s.{still_running(pending)}"
        if not self._loop_reacts:
            message += "\nIts loop is blocked; its thread stands here:\n"
            message += thread_stack(self.thread)
        failure = self.loop_thread.failure  # what the app raised before it got stuck
        error = ShutdownTimeout(message + self._kill(), seconds, pending)
        error.__cause__ = failure
        return error

    def _report_cuts(self) -> None:
        """Name what did not end by itself, in one text."""
        lines = self.loop_thread.server.cut
        if self.loop_thread.ended.is_set() and self.thread.is_alive():
            rest = 0.0 if self._used_up else self._request_seconds  # one bound for both waits
            self.thread.join(max(self._grace, rest))  # idle workers end now
            if self.thread.is_alive():
                lines = [*lines, *self.loop_thread.worker_lines()]
        if lines:
            self.on_cuts(f"Cut at the stop:{listed(lines)}")

    @property
    def _loop_reacts(self) -> bool:
        """Whether the loop has taken the first step of the stop; else it is blocked."""
        return self.loop_thread.server.closing

    def _wait_ended(self, seconds: float) -> bool:
        ended = self.loop_thread.ended
        # First the thread: usually this is the only wait of a stop. Not for long, as an app's
        # workers may keep it although the loop has ended; and it may not be alive yet.
        if not ended.is_set() and self.thread.is_alive():
            self.thread.join(min(seconds, bounds.STREAM_END))
        return ended.wait(seconds)

    # The end of the process, and its forks.

    def end_with_process(self) -> None:
        """Stop in a hurry, without warnings; but the app of a session has its time to shut down."""
        self._request_seconds = min(bounds.AT_EXIT, self._request_seconds)
        self._grace = bounds.GRACE
        if not self._of_session:
            self._lifespan_seconds = self._request_seconds
        if not process_hooks.can_start_threads():
            self.loop_thread.executor.inline = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.stop()

    def detach_in_child(self) -> None:
        """Close the copies of the sockets that a forked child has."""
        self.loop_thread.detach_in_child()
        # Not close(): uvloop counts as a user of the socket and would postpone that for ever.
        for sock in self._socks:
            with contextlib.suppress(OSError):  # it has ended by itself
                os.close(sock.detach())


def _warn(text: str) -> None:
    # At the line that called LiveServer.stop(), which is five frames above.
    warnings.warn(text, ResourceWarning, stacklevel=6)


def _without_our_frames(error: BaseException) -> BaseException:
    """Keep the app's frames, in the cause; those of the server's thread tell a reader nothing."""
    if error.__cause__ is not None:
        chain(error, error.__cause__)
    return error.with_traceback(None)
