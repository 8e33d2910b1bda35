"""One run of a server: its thread, and the bounded waits for what happens in it.

The waits are those of `threading`, never a clock or a timer of asyncio: a test may have frozen
those (freezegun), and a server must start and stop all the same. Their sums:

    start   `startup_timeout` for the app, then twice GRACE to get rid of it
    stop    `shutdown_timeout` for the requests and twice GRACE to cut them,
            `shutdown_timeout` for the lifespan, then twice GRACE for the loop and its threads

With LIVESERVER_TIMEOUTS=off, `Options.bound` lifts the bounds of all of them, as somebody with a
debugger stands in the app. Two keep theirs: giving up, after Ctrl-C, and the end of the process.

A thread that is stuck in the app's own code cannot be ended by anybody. It is left behind as a
daemon, told to end as soon as it can, and the error shows where it stands.
"""

import contextlib
import os
import socket
import sys
import threading
import warnings
from functools import partial

from liveserver import _process
from liveserver._apps import describe
from liveserver._aside import AT_ONCE
from liveserver._diagnosis import chain, listed, standing, still_running, thread_stack
from liveserver._errands import Errands
from liveserver._errors import ShutdownTimeout, StartupError, StartupTimeout
from liveserver._options import GRACE, Options
from liveserver._serving import Serving

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["CUT", "Run"]

# How the warning of a stop begins.
CUT = "Cut at the stop"

# Seconds that event streams and WebSockets have to heed the disconnect before they are cancelled.
_LAST_EVENT = 0.1

# Seconds that requests and the lifespan have when the process ends and nobody stopped the server.
_AT_EXIT = 0.3


class Run:
    """The thread of one start, and its end. `LiveServer` holds a lock around its methods.

    Attributes:
        thread: The server's thread.
        errands: What can be asked of it while it runs; without that lock.
    """

    def __init__(
        self,
        options: Options,
        serving: Serving,
        sock: socket.socket,
        port: int,
        of_session: bool,
    ) -> None:
        self._options = options
        self._of_session = of_session
        # The bounds of a stop: shorter ones when the process ends and nobody stopped it.
        self._request_seconds = self._lifespan_seconds = options.bound(options.shutdown_timeout)
        self._grace = options.bound(GRACE)
        self._serving = serving
        self._sock = sock
        self._left_behind = False
        # A daemon: if the app is stuck for good, the process can still end.
        self.thread = threading.Thread(target=serving.run, name=f"liveserver-{port}", daemon=True)
        self.errands = Errands(options, serving, self.thread)

    @property
    def alive(self) -> bool:
        """Whether it serves: it got ready, and nothing has closed it since."""
        serving = self._serving
        return serving.server.started and not serving.server.closing and not serving.ended.is_open

    @property
    def over(self) -> bool:
        """Whether there is nothing left to stop: it ended, or was left behind as stuck."""
        return self._left_behind or self._serving.ended.is_open

    # The start.

    def start(self, app: object) -> None:
        """Start the thread and wait until the app is ready.

        Args:
            app: The app as the user gave it, to name it in an error.

        Raises:
            StartupError: The app failed to start. Nothing is left running.
            StartupTimeout: It was not ready in time. It is left running only if it is stuck.
        """
        ready = self._serving.ready
        try:
            self._start_thread()
            in_time = ready.wait(self._options.bound(self._options.startup_timeout))
        except BaseException:
            ready.give_up()
            self._give_up()
            raise
        if not in_time:
            place = standing(self._serving.startup_task, self.thread)
            # Unless it got ready, or failed, while this thread looked at the clock.
            if ready.give_up():
                raise self._late(app, place)
        if ready.failure is not None:
            self._ended(self._grace)
            raise _without_our_frames(ready.failure)

    def _start_thread(self) -> None:
        handled = sys.exception()
        try:
            _process.add(self)
            self.thread.start()
        except RuntimeError as error:
            if error.__context__ is not handled:
                # Somebody's signal handler raised while this thread waited for the other one to
                # begin, and upset the lock of the wait, which complains instead.
                raise error.__context__ or error from None
            raise StartupError(f"The system gave no thread for the server: {error}.") from error

    def forget(self) -> None:
        """After a start that failed or was interrupted, leave nothing of a thread that is none.

        One that has begun and is not known yet finds its socket closed, and ends.
        """
        if self.thread.ident is None:
            _process.remove(self)
            self._sock.close()

    def _late(self, app: object, place: str) -> StartupTimeout:
        left_behind = self._give_up()
        seconds = self._options.startup_timeout
        return StartupTimeout(
            f"{describe(app)} was not ready within {seconds:g} s: its startup stands {place}. "
            f"If it needs longer, raise startup_timeout.{left_behind}",
            seconds,
        )

    def _give_up(self) -> str:
        """End a run that does not get on; say what could not be ended."""
        for action in (self._serving.give_up, self._serving.halt):
            self._serving.post(action)
            if self._ended(GRACE):
                return ""
        # The thread, which owns the socket, is stuck. At least it shall not look like a server.
        self._left_behind = True
        self._serving.silence()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        return f"\nThread {self.thread.name} is stuck in the app and is left behind."

    # The stop.

    def ends_at_once(self) -> bool:
        """Begin to stop, and tell whether that was all."""
        if threading.current_thread() is self.thread:
            return False
        self._serving.post(self._serving.server.close)
        self._ended(AT_ONCE)
        return self._serving.ended.is_open and not self.thread.is_alive()

    def stop(self) -> None:
        """Bring the server down, and say what was wrong with that.

        Raises:
            ShutdownError: The app's lifespan failed. The server is down.
            ShutdownTimeout: Something did not end. It is left behind only if it is stuck.
        """
        try:
            error = self._bring_down()
        except BaseException:
            # Ctrl-C: let it end without waiting. A later stop() or the process's end will wait.
            self.hurry()
            raise
        _process.remove(self)  # even if it was left behind: its end was waited for
        try:
            self._warn()
        finally:
            if error is not None:
                raise _without_our_frames(error)

    def hurry(self) -> None:
        """Have it end without any patience for requests; any thread may call it."""
        server = self._serving.server
        for action in (server.close, server.cut_requests, server.cancel, server.leave):
            self._serving.post(action)

    def abort(self) -> None:
        """Have it end with little patience for the app's shutdown too, and say nothing of it."""
        self._serving.unheard = True
        self.hurry()
        self._serving.post(partial(self._serving.give_up_after, _AT_EXIT))

    def _bring_down(self) -> BaseException | None:
        """Go through the steps of a stop; return what was wrong, a `ShutdownError`."""
        self._serving.post(self._serving.server.close)
        if self._ended(min(_LAST_EVENT, self._request_seconds)):
            return self._serving.failure
        self._drain()
        seconds = max(self._grace, self._lifespan_seconds) if self._heeds else self._grace
        if self._ended(seconds):
            return self._serving.failure
        return self._overdue()

    def _drain(self) -> None:
        """Wait for the requests, then cut those that remain."""
        serving, server = self._serving, self._serving.server
        serving.post(server.cut_endless)
        if self._drained(max(0.0, self._request_seconds - _LAST_EVENT)):
            return
        for action in (server.cut_requests, server.cancel):
            serving.post(action)
            # A loop that is blocked heeds nothing, so there is nothing to wait for.
            if self._heeds and self._drained(self._grace):
                break
        serving.post(server.leave)

    def _overdue(self) -> ShutdownTimeout:
        """Describe what did not end, then end what can be ended."""
        seconds = self._lifespan_seconds
        pending = self._serving.requests(self.thread) + self._serving.other_tasks(self.thread)
        message = f"The server was not down within {seconds:g} s.{still_running(pending)}"
        if not self._heeds:
            message += "\nIts loop is blocked; its thread stands here:\n"
            message += thread_stack(self.thread)
        failure = self._serving.failure
        error = ShutdownTimeout(message + self._give_up(), seconds, pending)
        # What the app raised before it got stuck.
        error.__cause__ = failure
        return error

    def _warn(self) -> None:
        """Tell what ended otherwise than by itself, in one warning."""
        lines = self._serving.server.cut
        if self._serving.ended.is_open and self.thread.is_alive():
            self.thread.join(self._grace)  # workers that are idle end now
            if self.thread.is_alive():
                lines = [*lines, *self._serving.stuck_workers()]
        if lines:
            # The stack: this, stop(), LiveServer.stop(), and then who called it.
            warnings.warn(f"{CUT}:{listed(lines)}", ResourceWarning, stacklevel=4)

    @property
    def _heeds(self) -> bool:
        """Whether the loop did the first thing that the stop asked of it; else it is blocked."""
        return self._serving.server.closing

    def _ended(self, seconds: float) -> bool:
        ended = self._serving.ended
        if self.thread.ident is not None and not ended.is_open:
            # First the thread: in the good case this is the only wait of a stop. But not for long,
            # as workers of the app may keep it although all else has ended. It is not alive yet
            # if a signal came while it was being started.
            if self.thread.is_alive():
                self.thread.join(min(seconds, _LAST_EVENT))
            ended.wait(seconds)
        if ended.is_open:
            _process.remove(self)
        return ended.is_open

    def _drained(self, seconds: float) -> bool:
        return self._serving.drained.wait(seconds)

    # The end of the process, and its forks.

    def end_with_process(self) -> None:
        """Stop in a hurry, without warnings; but the app of a session has its time to shut down."""
        self._request_seconds = min(_AT_EXIT, self._request_seconds)
        self._grace = GRACE
        if not self._of_session:
            self._lifespan_seconds = self._request_seconds
        if not _process.can_start_threads():
            self._serving.work_inline()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.stop()

    def let_go(self) -> None:
        """Give up the copy of the socket that a forked child has."""
        self._serving.abandon()
        # Not close(): uvloop counts as a user of the socket and would put that off for ever.
        os.close(self._sock.detach())


def _without_our_frames(error: BaseException) -> BaseException:
    """Leave the app's frames, in the cause; those of the server's thread tell a reader nothing."""
    if error.__cause__ is not None:
        chain(error, error.__cause__)
    return error.with_traceback(None)
