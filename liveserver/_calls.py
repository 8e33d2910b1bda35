"""A function of the test, run on the server's loop."""

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any

from liveserver._errors import ConfigurationError, NotRunningError

# unittest and pytest leave the frames of a module that says this out of their reports.
__unittest = __tracebackhide__ = True

__all__ = ["Call", "check_function"]


def check_function(function: object, method: str) -> None:
    """Refuse what a function returned in the place of the function.

    Args:
        function: What should be a function.
        method: The name of the method that it was given to.

    Raises:
        ConfigurationError: It cannot be called.
    """
    if callable(function):
        return
    if inspect.iscoroutine(function):
        function.close()  # nobody will await it
    raise ConfigurationError(
        f"{method}() was given {function!r}, which cannot be called. Give the function and its "
        f"arguments, {method}(func, arg), not what it returns, {method}(func(arg))."
    )


class Call:
    """One call, from when it is asked for to its outcome.

    Attributes:
        outcome: Set by the server's thread, or by whoever finds that there is none any more. The
            caller waits for it.
        task: In which it runs; written by the server's thread when it begins.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.outcome: Future[Any] = Future()
        self.task: asyncio.Task[None] | None = None
        self._function = function
        self._args = args

    def __str__(self) -> str:
        return getattr(self._function, "__qualname__", None) or repr(self._function)

    def refuse(self) -> None:
        """Tell the caller that the server has ended; any thread may do it."""
        self._fail(NotRunningError(f"The server stopped before the call of {self} was done."))

    def _fail(self, error: BaseException) -> None:
        with contextlib.suppress(InvalidStateError):  # it has an outcome
            self.outcome.set_exception(error)

    # On the server's loop.

    def begin(self) -> None:
        """Run the function, unless the caller has given up."""
        if self.outcome.set_running_or_notify_cancel():
            self.task = asyncio.get_running_loop().create_task(self._run())

    def give_up(self) -> None:
        """Cancel it; it has begun."""
        assert self.task is not None
        self.task.cancel()

    async def _run(self) -> None:
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
