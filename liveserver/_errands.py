"""What others ask of a server while it runs, and the bounded waits for the answers."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from liveserver._aside import came
from liveserver._calls import Call
from liveserver._diagnosis import standing, still_running, thread_standing
from liveserver._errors import BusyTimeout
from liveserver._options import GRACE, Options
from liveserver._serving import Serving

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["Errands"]


class Errands:
    """For one run of a server; any thread may use it, except the server's own."""

    def __init__(self, options: Options, serving: Serving, thread: threading.Thread) -> None:
        self._options = options
        self._serving = serving
        self._thread = thread

    def wait_idle(self, seconds: float, whole: bool = True) -> None:
        """Wait until no request runs, except those that have no end of their own.

        Args:
            seconds: How long.
            whole: Whether to wait for requests whose client has left, and for open streams, too.

        Raises:
            BusyTimeout: Some request runs still.
        """
        self._wait_for(partial(self._serving.when_idle, whole), seconds, "was not idle")

    def drop_connections(self) -> None:
        """Cut every open connection.

        Raises:
            BusyTimeout: The loop is blocked.
        """
        seconds = self._options.shutdown_timeout + GRACE
        self._wait_for(self._serving.server.drop_connections, seconds, "did not heed a call")

    def _wait_for(
        self, action: Callable[["Future[None]"], None], seconds: float, what: str
    ) -> None:
        done: Future[None] = Future()
        self._serving.tell_when(action, done)
        try:
            done.result(self._options.bound(seconds))
        except TimeoutError:
            if done.cancel():
                pending = self._serving.requests(self._thread)
                message = f"The server {what} within {seconds:g} s.{still_running(pending)}"
                raise BusyTimeout(message, seconds, pending) from None

    def call(self, call: Call, seconds: float) -> Any:
        """Run a call on the loop and return its result.

        Raises:
            BusyTimeout: It took too long, and was cancelled.
        """
        self._serving.accept(call)
        try:
            return call.outcome.result(self._options.bound(seconds))
        except TimeoutError:
            if call.outcome.done():
                return call.outcome.result()  # it came just now; or the function raised it
            raise self._unanswered(call, seconds) from None
        finally:
            self._settle(call)

    async def acall(self, call: Call, seconds: float) -> Any:
        """Do the same without blocking the running loop."""
        self._serving.accept(call)
        try:
            if not await came(call.outcome, self._options.bound(seconds)):
                raise self._unanswered(call, seconds)
            return call.outcome.result()
        finally:
            self._settle(call)

    def _unanswered(self, call: Call, seconds: float) -> BusyTimeout:
        if call.task is None:
            place = (
                f"the loop is not free for it; its thread stands {thread_standing(self._thread)}"
            )
        else:
            place = f"it stands {standing(call.task, self._thread)}"
        pending = [f"call of {call}, {place}"]
        return BusyTimeout(
            f"The call of {call} was not done within {seconds:g} s: {place}. It is cancelled.",
            seconds,
            pending,
        )

    def _settle(self, call: Call) -> None:
        # One that has not begun need not begin.
        if not call.outcome.done() and not call.outcome.cancel():
            self._serving.post(call.give_up)
