"""The server's thread: its loop, from the first turn to the last, and what others hear of it."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from liveserver._asgi import ASGIApp
from liveserver._calls import Call
from liveserver._diagnosis import request_line, standing, thread_standing
from liveserver._errors import LiveServerError, ShutdownError, StartupError
from liveserver._latch import Latch, Readiness, tell
from liveserver._logs import mark_server_thread
from liveserver._uvicorn import UvicornServer
from liveserver._uvicorn_config import Configuration
from liveserver._witness import Witness
from liveserver._workers import Workers

__all__ = ["Serving"]


class Serving:
    """One run of a server, from its startup to its closed loop, in the thread of `run`.

    Attributes:
        ready: Told when requests are served, or why they are not. Who is tired of waiting gives it
            up, and the run then ends.
        drained: Open when no connection and no request is left.
        ended: Open when the loop is closed; `failure` then says what was wrong.

    The three are set by the server's thread and may be waited for by any.
    """

    def __init__(
        self,
        configuration: Configuration,
        witness: Witness,
        make_app: Callable[[], ASGIApp],
        factory: bool,
        sock: socket.socket,
    ) -> None:
        self.server = UvicornServer(configuration, witness, sock)
        self.ready = Readiness()
        self.drained = Latch()
        self.ended = Latch()
        self._workers = Workers()
        self._make_loop = configuration.make_loop
        self._make_app = make_app
        self._factory = factory
        self._witness = witness
        self._fatal: BaseException | None = None  # what a task of the app ended the loop with
        # Any thread adds to it; whoever sees the outcome of a call, or the end, takes it out.
        self._calls: set[Call] = set()
        self._waits: set[Future[None]] = set()
        # Set once, by any thread: nobody wants to hear of a failure any more.
        self.unheard = False
        # Written by the server's thread; others read it when `ended` is done, or overdue.
        self.failure: BaseException | None = None
        # Both are written by the server's thread, once, the loop last.
        self._main: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # Called by any thread.

    def post(self, action: Callable[[], None]) -> None:
        """Have the server's loop call a function; when it is closed, that is no error."""
        if self._loop is not None:
            try:  # noqa: SIM105  # contextlib.suppress() takes as long as the call itself
                self._loop.call_soon_threadsafe(action)
            except RuntimeError:
                pass

    def accept(self, call: Call) -> None:
        """Have the loop run a call, or refuse it when there is no loop any more."""
        self._calls.add(call)
        call.outcome.add_done_callback(lambda _: self._calls.discard(call))
        self.post(call.begin)
        if self.ended.is_open:
            self._leave_nobody_waiting()

    def tell_when(self, action: Callable[["Future[None]"], None], done: "Future[None]") -> None:
        """Have the loop run an action that sets a future; it is set at the latest at the end."""
        self._waits.add(done)
        done.add_done_callback(self._waits.discard)
        self.post(partial(action, done))
        if self.ended.is_open:
            self._leave_nobody_waiting()

    def _leave_nobody_waiting(self) -> None:
        for call in list(self._calls):
            call.refuse()
        for done in list(self._waits):
            tell(done)

    def work_inline(self) -> None:
        """From now on run in the loop's own thread what an executor would run."""
        self._workers.inline = True

    def silence(self) -> None:
        """Let a loop that is blocked, and was reported, say nothing more when it gets free."""
        if self._loop is not None:
            self._loop.set_exception_handler(lambda _loop, _context: None)

    def abandon(self) -> None:
        """In a forked child: this object's loop and thread are the parent's."""
        self._loop = None
        self.drained.open()
        self.ended.open()

    @property
    def startup_task(self) -> "asyncio.Task[Any] | None":
        """The task that a start waits for: the app's lifespan, or what comes before it."""
        lifespan = self.server.app_lifespan
        return self._main if lifespan is None or lifespan.task is None else lifespan.task

    def requests(self, thread: threading.Thread) -> list[str]:
        """Say which requests still run, and where they stand."""
        return [request_line(each, thread) for each in list(self._witness.running)]

    def other_tasks(self, thread: threading.Thread) -> list[str]:
        """Say which tasks still run that are not requests, and where they stand."""
        if self._loop is None or self._loop.is_closed():
            return []
        lifespan = self.server.app_lifespan
        known = {self._main} | {request.task for request in list(self._witness.running)}
        lines = []
        for task in asyncio.all_tasks(self._loop) - known:
            name = "lifespan" if lifespan and task is lifespan.task else f"task {task.get_name()}"
            lines.append(f"{name}, {standing(task, thread)}")
        return lines

    def stuck_workers(self) -> list[str]:
        """Say which threads of the loop's executor still run, and where they stand."""
        return [
            f"worker thread {thread.name}, {thread_standing(thread)}"
            for thread in self._workers.threads()
        ]

    # Called in the server's thread.

    def run(self) -> None:
        """Serve until the server is closed, by others or by itself. Raises nothing."""
        mark_server_thread()
        try:
            self.server.with_users_logging(self._run_loop)
        except BaseException as error:
            self._fail(error)
        finally:
            self.server.stop_listening()
            self.drained.open()
            self.ended.open()
            self._witness.end()
            self._leave_nobody_waiting()
            self.server.let_go()
            # Last, as nobody can end a function that is stuck in a worker.
            self._workers.shutdown()

    def _run_loop(self) -> None:
        loop = self._make_loop()
        try:
            loop.set_default_executor(self._workers)
            if not self._factory:
                # Before the other task, so that both are done with the start in the loop's first
                # turn. A factory, which may want a running loop, costs two turns more.
                self.server.begin(self._build_app(), loop)
            self._main = loop.create_task(self._serve(loop))
            # Last, as it lets others post what must not come before the task has begun.
            self._loop = loop
            self._run_until_done(loop, self._main)
        finally:
            # Left are those that have no end; the stop's error or warning names them.
            for task in asyncio.all_tasks(loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # as gather()
            loop.close()

    def _run_until_done(self, loop: asyncio.AbstractEventLoop, main: "asyncio.Task[None]") -> None:
        while True:
            try:
                return loop.run_until_complete(main)
            except (SystemExit, KeyboardInterrupt) as error:
                # A task of the app raised it. In production the process would end now, so the
                # server goes down, in good order.
                if main.done():
                    main.exception()  # seen, so that asyncio does not report it as well
                    raise
                self._fatal = error
                loop.call_soon(self.server.close)  # it has to run on the loop

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if self._factory:
                self.server.begin(self._build_app(), loop)
            await self.server.up()
            if self.ready.tell(None):
                await self.server.until_drained()
                self.drained.open()
            await self.server.down()
        except (Exception, asyncio.CancelledError) as error:
            self._fail(error)
        # Not in a finally: that would run, without a loop, when a halted run is collected.
        await self._tidy(loop)
        late = self._fatal or self.server.unreported_failure()
        if late is not None:
            self._fail(late)

    def _build_app(self) -> ASGIApp:
        try:
            return self._make_app()
        except LiveServerError:
            raise
        except (Exception, SystemExit) as error:
            message = f"The app could not be built: {type(error).__name__}: {error}"
            raise StartupError(message) from error

    def _fail(self, error: BaseException) -> None:
        """Hand an exception to whoever waits for this run."""
        if self.ready.tell(_as(StartupError, "did not start", error)):
            return
        if self.failure is None and not (self.ready.given_up or self.unheard):
            self.failure = _as(ShutdownError, "ended", error)

    async def _tidy(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave nothing on the loop: listeners, late connections, tasks, generators."""
        self.server.stop_listening()
        self.server.abort()
        await self._cancel_others(loop)
        # Not before, as those that a task is in the middle of cannot be closed.
        await loop.shutdown_asyncgens()

    async def _cancel_others(self, loop: asyncio.AbstractEventLoop) -> None:
        # What is cancelled may start new tasks; but not for ever.
        for _ in range(10):
            others = asyncio.all_tasks(loop)
            others.discard(self._main)
            if not others:
                return
            for task in others:
                task.cancel()
            await asyncio.wait(others)
        self.server.cut += self.other_tasks(threading.current_thread())

    # Called on the server's loop.

    def when_idle(self, whole: bool, waiter: "Future[None]", turns: int = 8) -> None:
        """Set a future when no request runs; what clients have sent by now counts as begun."""
        if turns:
            # In these turns the loop reads what has arrived; a new connection takes asyncio five.
            asyncio.get_running_loop().call_soon(self.when_idle, whole, waiter, turns - 1)
        else:
            self._witness.when_idle(waiter, whole)

    def give_up(self) -> None:
        """Cancel the whole run, wherever it is."""
        assert self._main is not None  # it was there before the loop was known to others
        self._main.cancel()

    def give_up_after(self, seconds: float) -> None:
        """Do so in a while; a frozen clock would put that off for ever."""
        asyncio.get_running_loop().call_later(seconds, self.give_up)

    def halt(self, turns: int = 20) -> None:
        """Stop the loop, whatever still runs on it.

        Not in this turn: on a loop that was blocked, `give_up` came only just before.
        """
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self.halt, turns - 1)
        else:
            loop.stop()


def _as(kind: type[LiveServerError], what: str, error: BaseException) -> BaseException:
    """Wrap what is not one of our errors, so that it has a place in the tree and a cause."""
    if isinstance(error, LiveServerError):
        return error
    wrapped = kind(f"The server {what}: {type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
