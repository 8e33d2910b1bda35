"""The server's thread: its loop, from the first turn to the last, and what it tells other threads.

`lifecycle.py` has the order in which other threads call what is here.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from liveserver._app.asgi import ASGIApp
from liveserver._errors import LiveServerError, ShutdownError, StartupError, describe_error
from liveserver._reporting.wording import job_standing, request_line, standing, thread_standing
from liveserver._requests.log_lines import LogLines
from liveserver._requests.middleware import Awaited, RecordingMiddleware
from liveserver._requests.record import RequestRecord
from liveserver._server.background import exception_handler
from liveserver._server.executor import AppExecutors, DaemonExecutor
from liveserver._sync.latches import Latch, Outcome
from liveserver._sync.quiet_loop import is_quiet
from liveserver._uvicorn.config import Configuration
from liveserver._uvicorn.loggers import mark_server_thread
from liveserver._uvicorn.server import UvicornServer

__all__ = ["LoopThread"]


class LoopThread:
    """One run of a server, from its startup to its closed loop, in a thread that calls `run`.

    Attributes:
        outcome: Set when requests are served, or with the reason why not. The thread that
            waits may cancel it, and the run then ends.
        drained: Set when no connection and no request is left.
        ended: Set when the loop is closed; `failure` then says what was wrong.
        unheard: Nobody waits for a failure any more. Any thread sets it, once.
        failure: What was wrong with the end. The server's thread writes it; other threads read it
            when `ended` is set, or overdue.
        executor: The loop's executor.
    """

    def __init__(
        self,
        configuration: Configuration,
        middleware: RecordingMiddleware,
        make_app: Callable[[], ASGIApp],
        factory: bool,
        socks: list[socket.socket],
    ) -> None:
        self.server = UvicornServer(configuration, middleware, socks)
        self.middleware = middleware
        self.outcome: Outcome[None] = Outcome()
        self.drained = Latch()
        self.ended = Latch()
        self.unheard = False
        self.failure: BaseException | None = None
        self._enter_thread = partial(_enter_thread, middleware.log.lines)
        self.executor = DaemonExecutor(self._enter_thread)
        self._app_executors = AppExecutors()
        self._configuration = configuration
        self._make_app = make_app
        self._factory = factory
        # What a task of the app ended the loop with. Only the server's thread uses it.
        self._fatal: BaseException | None = None
        # Outcomes that other threads wait for, and what sets each of them if the run ends first.
        # Any thread adds to it; an outcome that is set or cancelled takes itself out.
        self._unset: dict[Outcome[Any], Callable[[], object]] = {}
        # Only the server's thread uses it.
        self._tasks_ended = False
        # The server's thread writes both, once, the loop last. Any thread may read them then.
        self._main: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # Any thread calls these.

    def post(self, action: Callable[[], object]) -> None:
        """Call a function on the server's loop; do nothing if the loop is closed."""
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(action)
            except RuntimeError:  # it is closed
                return

    def is_quiet(self, thread: threading.Thread) -> bool:
        """Whether no request runs, and none is on its way. False may also mean: ask the loop."""
        loop = self._loop
        quiet = loop is not None and is_quiet(loop, thread)
        # After it: what arrived before that is among these, or has ended.
        return quiet and not self.middleware.tasks and not self.middleware.running

    def submit(
        self, action: Callable[[], object], outcome: Outcome[Any], at_end: Callable[[], object]
    ) -> None:
        """Call a function on the server's loop that sets an outcome.

        Args:
            action: The function.
            outcome: The outcome.
            at_end: Sets the outcome, in any thread, if the run ends first.
        """
        self._unset[outcome] = at_end
        outcome.add_done_callback(lambda: self._unset.pop(outcome, None))
        self.post(action)
        if self.ended.is_set():
            self._set_all()

    def _set_all(self) -> None:
        for set_at_end in list(self._unset.values()):
            set_at_end()

    def mute_loop(self) -> None:
        """Let a loop that is blocked, and was reported, log nothing more when it continues."""
        if self._loop is not None:
            self._loop.set_exception_handler(lambda _loop, _context: None)

    def detach_in_child(self) -> None:
        """In a forked child: this object's loop and thread are the parent's."""
        self._loop = None
        self.drained.set()
        self.ended.set()

    @property
    def startup_task(self) -> "asyncio.Task[Any] | None":
        """The task that a start waits for: the app's lifespan, or what comes before it."""
        lifespan = self.server.app_lifespan
        return self._main if lifespan is None or lifespan.task is None else lifespan.task

    def request_lines(
        self, thread: threading.Thread, only: Callable[[RequestRecord], bool] = lambda _: True
    ) -> list[str]:
        """Describe the requests that still run, and where they are."""
        return [request_line(each, thread) for each in list(self.middleware.running) if only(each)]

    def other_task_lines(self, thread: threading.Thread) -> list[str]:
        """Describe the tasks that still run and are no requests, and where they are."""
        if self._loop is None or self._loop.is_closed():
            return []
        lifespan = self.server.app_lifespan
        known = {self._main} | {record.task for record in list(self.middleware.running)}
        lines = []
        for task in asyncio.all_tasks(self._loop) - known:
            name = "lifespan" if lifespan and task is lifespan.task else f"task {task.get_name()}"
            lines.append(f"{name}, {standing(task, thread)}")
        return lines

    def worker_lines(self) -> list[str]:
        """Describe the threads of executors that still run, and where they are."""
        own = [
            f"worker thread {thread.name}, {thread_standing(thread)}"
            for thread in self.executor.threads()
        ]
        jobs = self._app_executors.jobs()
        return own + [f"job of a {executor}, {job_standing(job)}" for job, executor in jobs]

    # The server's thread calls these.

    def run(self) -> None:
        """Serve until the stop, or until the server ends by itself. Raises nothing."""
        try:
            self._enter_thread()
            self.middleware.log.lines.lower_root_level()
            if not self.outcome.cancelled:
                self._configuration.run_with_settings(self._run_loop)
        except BaseException as error:
            self._fail(error)
        finally:
            self.server.stop_listening()
            self.drained.set()
            self.ended.set()
            self.middleware.end()
            self._set_all()
            self.server.break_cycles()
            # Last: nothing can end a function that is stuck in a worker.
            self.executor.shutdown()
            self._app_executors.wait()

    def _run_loop(self) -> None:
        loop = self._configuration.make_loop()
        try:
            loop.set_default_executor(self.executor)
            self._app_executors.watch(loop)
            loop.set_exception_handler(exception_handler(self.middleware.log))
            if not self._factory:
                # Before the other task, so that both finish the start in the loop's first turn.
                # A factory may want a running loop; it costs two turns more.
                self.server.begin(self._build_app(), loop)
            self._main = loop.create_task(self._serve(loop))
            # Last: other threads may post from now on, and must not come before the task.
            self._loop = loop
            self._run_until_done(loop, self._main)
        finally:
            # These tasks have no end; the stop's error or warning names them.
            for task in () if self._tasks_ended else asyncio.all_tasks(loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # as gather()
            loop.close()
            self._app_executors.unwatch(loop)

    def _run_until_done(self, loop: asyncio.AbstractEventLoop, main: "asyncio.Task[None]") -> None:
        while True:
            try:
                return loop.run_until_complete(main)
            except (SystemExit, KeyboardInterrupt) as error:
                # A task of the app raised it. In production the process would end now, so the
                # server stops in good order.
                if main.done():
                    main.exception()  # retrieved, so that asyncio does not report it as well
                    raise
                self._fatal = error
                loop.call_soon(self.server.close)  # it has to run on the loop

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if self._factory:
                self.server.begin(self._build_app(), loop)
            await self.server.start_serving()
            if self.outcome.set_result(None):
                await self.server.serve_until_drained()
                self.drained.set()
            await self.server.shut_down_app()
        except (Exception, asyncio.CancelledError) as error:
            self._fail(error)
        # Not in a finally: that would run, without a loop, when a stopped loop is collected.
        await self._clean_up(loop)
        late = self._fatal or self.server.unreported_failure()
        if late is not None:
            self._fail(late)

    def _build_app(self) -> ASGIApp:
        try:
            return self._make_app()
        except LiveServerError:
            raise
        except (Exception, SystemExit) as error:
            message = f"The app could not be built: {describe_error(error)}"
            raise StartupError(message) from error

    def _fail(self, error: BaseException) -> None:
        """Deliver an exception to the thread that waits for this run."""
        if self.outcome.set_exception(_wrapped(StartupError, "did not start", error)):
            return
        if self.failure is None and not (self.outcome.cancelled or self.unheard):
            self.failure = _wrapped(ShutdownError, "ended", error)

    async def _clean_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """End everything on the loop: listeners, late connections, tasks, generators."""
        self.server.stop_listening()
        self.server.abort_connections()
        await self._cancel_other_tasks(loop)
        # After the tasks: a generator cannot be closed while a task is in it.
        await loop.shutdown_asyncgens()

    async def _cancel_other_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        for record in list(self.middleware.running):
            record.cancel()
        # A cancelled task may start new tasks; but not for ever.
        for _ in range(10):
            others = asyncio.all_tasks(loop)
            others.discard(self._main)
            if not others:
                self._tasks_ended = True
                return
            for task in others:
                task.cancel()
            await asyncio.wait(others)
        self.server.cut += self.other_task_lines(threading.current_thread())

    # Posted to the server's loop.

    def when_idle(self, awaited: Awaited, waiter: Outcome[None], turns: int = 8) -> None:
        """Set an outcome when no request runs that is awaited.

        Requests that are sent by now have begun then.
        """
        if turns:
            # In these turns the loop reads what has arrived; a new connection takes asyncio five.
            asyncio.get_running_loop().call_soon(self.when_idle, awaited, waiter, turns - 1)
        else:
            self.middleware.when_idle(waiter, awaited)

    def cancel_main_task(self) -> None:
        """Cancel the whole run, wherever it is."""
        assert self._main is not None  # it was there before other threads knew the loop
        self._main.cancel()

    def cancel_main_task_after(self, seconds: float) -> None:
        """Cancel the whole run later. A frozen clock would postpone this for ever."""
        asyncio.get_running_loop().call_later(seconds, self.cancel_main_task)

    def stop_loop(self, turns: int = 20) -> None:
        """Stop the loop, whatever still runs on it.

        After some turns: on a loop that was blocked, `cancel_main_task` came only just before.
        """
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self.stop_loop, turns - 1)
        else:
            loop.stop()


def _wrapped(kind: type[LiveServerError], what: str, error: BaseException) -> BaseException:
    """Give an exception that is none of ours its place in the tree of errors."""
    if isinstance(error, LiveServerError):
        return error
    wrapped = kind(f"The server {what}: {describe_error(error)}")
    wrapped.__cause__ = error
    return wrapped


def _enter_thread(lines: LogLines) -> None:
    """Let what the calling thread logs be a server's."""
    mark_server_thread()
    lines.enter_thread()
