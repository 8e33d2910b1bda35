"""What other threads ask of a running server, and the bounded waits for the answers."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from liveserver._errors import (
    BusyTimeout,
    ConfigurationError,
    NotRunningError,
    without_first_frame,
)
from liveserver._options import bounds
from liveserver._options.server_options import Options
from liveserver._options.validation import is_seconds
from liveserver._reporting.await_chain import waits_for_thread
from liveserver._reporting.wording import standing, still_running, thread_standing
from liveserver._requests.middleware import Awaited
from liveserver._requests.record import RequestRecord
from liveserver._server.loop_thread import LoopThread
from liveserver._sync.latches import Outcome
from liveserver._sync.threads import wait_for_outcome

__unittest = __tracebackhide__ = True

__all__ = [
    "Portal",
    "RemoteCall",
    "check_function",
    "check_timeout",
    "is_awaited_by_test",
    "leaves_work",
]


def has_an_end(record: RequestRecord) -> bool:
    """Whether `wait_idle` waits for a request."""
    if record.abandoned:
        return leaves_work(record)
    return not record.endless


def is_awaited_by_test(record: RequestRecord) -> bool:
    """Whether the end of a test waits for a request: not for a response that goes on.

    One whose framework has caught an exception is at its end: a client that counts the bytes has
    them all before the app says that they are all.
    """
    goes_on = record.response_started and record.announced is None
    if record.waited_in_vain or (goes_on and not record.abandoned):
        return False
    return has_an_end(record)


def leaves_work(record: RequestRecord) -> bool:
    """Whether a request goes on though its client has left, and is waited for."""
    return record.abandoned and (not record.waits_are_over or waits_for_thread(record.task))


class Portal:
    """Into the loop of one run. Any thread may use it, except the server's own."""

    def __init__(self, options: Options, loop_thread: LoopThread, thread: threading.Thread) -> None:
        self._options = options
        self._loop_thread = loop_thread
        self._thread = thread
        # Any thread that waits writes it, and reads it.
        self._blocked = False

    def is_blocked(self) -> bool:
        """Whether the loop did not react at `note_block`, and still does not."""
        return self._blocked and not self._reacts()

    def note_block(self) -> None:
        """Remember whether the loop still reacts. Call this after a wait that timed out."""
        self._blocked = not self._reacts()

    def _reacts(self) -> bool:
        return self._is_done(lambda done: done.set_result(None), bounds.GRACE)

    def wait_idle(self, seconds: float, awaited: Awaited = has_an_end) -> None:
        """Wait until no request runs that is awaited.

        The wait has parts of `CLIENT_LEFT`. After two of them a request whose client has left is
        not waited for any longer, unless it waits for a worker thread.

        Args:
            seconds: How long.
            awaited: Whether to wait for a request; by default for all that have an end.
        """
        if self._loop_thread.is_quiet(self._thread):
            return
        action = partial(self._loop_thread.when_idle, awaited)
        rest = self._options.bound(seconds)
        while not self._is_done(action, min(rest, bounds.CLIENT_LEFT)):
            rest -= bounds.CLIENT_LEFT
            if rest <= 0:
                raise self._busy("was not idle", seconds)
            self._loop_thread.post(self._loop_thread.middleware.count_waits)

    def drop_connections(self, reset: bool) -> None:
        """Abort every open connection."""
        seconds = self._options.shutdown_timeout + bounds.GRACE
        action = partial(self._loop_thread.server.drop_connections, reset)
        if not self._is_done(action, self._options.bound(seconds)):
            raise self._busy("did not drop its connections", seconds)

    def _is_done(self, action: Callable[[Outcome[None]], object], seconds: float) -> bool:
        """Call a function on the loop that sets an outcome; return whether it does in time."""
        done: Outcome[None] = Outcome()
        self._loop_thread.submit(partial(action, done), done, partial(done.set_result, None))
        return done.wait(seconds) or not done.cancel()

    def _busy(self, what: str, seconds: float) -> BusyTimeout:
        pending = self._loop_thread.request_lines(self._thread)
        message = f"The server {what} within {seconds:g} s.{still_running(pending)}"
        return BusyTimeout(message, seconds, pending)

    def call(self, call: "RemoteCall", seconds: float) -> Any:
        """Run a call on the loop and return its result."""
        self._submit(call)
        try:
            if not call.outcome.wait(self._options.bound(seconds)) and call.outcome.cancel():
                raise self._unanswered(call, seconds)
            return call.outcome.result()
        finally:
            self._cancel_if_running(call)

    async def acall(self, call: "RemoteCall", seconds: float) -> Any:
        """Do the same without blocking the running loop."""
        self._submit(call)
        try:
            in_time = await wait_for_outcome(call.outcome, self._options.bound(seconds))
            if not in_time and call.outcome.cancel():
                raise self._unanswered(call, seconds)
            return call.outcome.result()
        finally:
            self._cancel_if_running(call)

    def _submit(self, call: "RemoteCall") -> None:
        self._loop_thread.submit(call.begin, call.outcome, call.refuse)

    def _unanswered(self, call: "RemoteCall", seconds: float) -> BusyTimeout:
        if call.task is None:
            place = (
                f"the loop is not free for it; its thread stands {thread_standing(self._thread)}"
            )
        else:
            place = f"it stands {standing(call.task, self._thread)}"
        return BusyTimeout(
            f"The call of {call} was not done within {seconds:g} s: {place}. It is cancelled.",
            seconds,
            [f"call of {call}, {place}"],
        )

    def _cancel_if_running(self, call: "RemoteCall") -> None:
        if call.outcome.cancel():
            self._loop_thread.post(call.cancel)


class RemoteCall:
    """A call of a function on the server's loop, from the request for it to its outcome.

    Attributes:
        outcome: The thread that asked waits for it. The server's thread sets it, or any thread
            that finds the run ended.
        task: The task that it runs in. The server's thread writes it when the call begins.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.outcome: Outcome[Any] = Outcome()
        self.task: asyncio.Task[None] | None = None
        self._function = function
        self._args = args

    def __str__(self) -> str:
        return getattr(self._function, "__qualname__", None) or repr(self._function)

    def refuse(self) -> None:
        """Tell the caller that the server has ended. Any thread may call this."""
        self._fail(NotRunningError(f"The server stopped before the call of {self} was done."))

    def _fail(self, error: BaseException) -> None:
        self.outcome.set_exception(without_first_frame(error))

    # On the server's loop.

    def begin(self) -> None:
        """Run the function, unless the caller has stopped waiting."""
        if not self.outcome.cancelled:
            self.task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Cancel the call, if it has begun."""
        if self.task is not None:
            self.task.cancel()

    async def _run(self) -> None:
        _forget_library()
        try:
            result = self._function(*self._args)
            if inspect.isawaitable(result):
                result = await result
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                self.refuse()
                raise
            self._fail(error)
        except BaseException as error:  # the caller's, even if it would end the process
            self._fail(error)
        else:
            self.outcome.set_result(result)


def _forget_library() -> None:
    """Let sniffio find asyncio, though the caller's context may say that it is trio's."""
    sniffio: Any = sys.modules.get("sniffio")
    if sniffio is not None:
        sniffio.current_async_library_cvar.set(None)


def check_timeout(seconds: object, method: str) -> None:
    """Refuse what is no number of seconds, with a ConfigurationError."""
    if not is_seconds(seconds):
        raise ConfigurationError(
            f"{method}() was given timeout={seconds!r}. Use a number of seconds, 0 or more, or "
            "math.inf for no bound."
        )


def check_function(function: object, method: str) -> None:
    """Refuse the result of a function where the function itself is needed.

    Args:
        function: What should be a function.
        method: The name of the method that it was given to.

    Raises:
        ConfigurationError: It cannot be called.
    """
    if callable(function):
        return
    if inspect.iscoroutine(function):
        function.close()  # nothing will await it
    raise ConfigurationError(
        f"{method}() was given {function!r}, which cannot be called. Give the function and its "
        f"arguments, {method}(func, arg), not what it returns, {method}(func(arg))."
    )
