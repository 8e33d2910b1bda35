"""The awaitable methods of `LiveServer`: what its blocking ones do, without blocking the loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar, overload

from liveserver._server.control import ServerControl
from liveserver._server.portal import RemoteCall
from liveserver._sync.threads import check_asyncio, run_in_thread, take_turns

__unittest = __tracebackhide__ = True

__all__ = ["AwaitableServer"]

_T = TypeVar("_T")


class AwaitableServer:
    """The awaitable methods, of which `LiveServer` has the blocking ones.

    Before they return, the running loop has had its turns: its clients know that their connections
    are gone, and which close code their WebSockets got.
    """

    # The rest of the package uses this, and no other private attribute.
    _control: ServerControl

    # A subclass may override them.
    start: Callable[[], None]
    stop: Callable[[], None]
    restart: Callable[[], None]

    async def astart(self) -> None:
        """Do what `start` does without blocking the running loop.

        Raises:
            ConfigurationError: A factory returned something that is not an app, or the running
                loop is not asyncio's.
            StartupError: The port or the app refused, or the server runs already.
            StartupTimeout: The app was not ready within `startup_timeout`.
        """
        check_asyncio("astart()", "start()")
        try:
            await run_in_thread(self.start)
        except asyncio.CancelledError:
            await run_in_thread(self.stop)
            raise

    async def astop(self) -> None:
        """Do what `stop` does without blocking the running loop.

        Raises:
            ConfigurationError: The running loop is not asyncio's.
            ShutdownError: The app failed while stopping.
            ShutdownTimeout: Something of the app did not end in time.
        """
        check_asyncio("astop()", "stop()")
        self._control.refuse_own_thread("astop()")
        if self._control.stops_at_once():
            self.stop()  # nothing is left to wait for
        else:
            await run_in_thread(self.stop)
        await take_turns()

    async def arestart(self) -> None:
        """Do what `restart` does without blocking the running loop.

        Raises:
            ConfigurationError: The running loop is not asyncio's.
            ShutdownError: The app failed while stopping. The server stays stopped.
            StartupError: The app or the port refused the new start.
        """
        check_asyncio("arestart()", "restart()")
        self._control.refuse_own_thread("arestart()")
        await run_in_thread(self.restart)
        await take_turns()

    async def adrop_connections(self, *, reset: bool = False) -> None:
        """Do what `drop_connections` does without blocking the running loop.

        Args:
            reset: Whether to reset the connections (RST).

        Raises:
            BusyTimeout: A handler blocks the server's loop.
            ConfigurationError: The running loop is not asyncio's.
            NotRunningError: The server is not running.
        """
        check_asyncio("adrop_connections()", "drop_connections()")
        self._control.refuse_own_thread("adrop_connections()")
        run = self._control.serving_run("adrop_connections()")
        await run_in_thread(run.portal.drop_connections, reset)
        await take_turns()

    async def await_idle(self, timeout: float) -> None:
        """Do what `wait_idle` does without blocking the running loop.

        Args:
            timeout: Seconds to wait; `math.inf` for no bound.

        Raises:
            BusyTimeout: Requests are still running; it names them.
            ConfigurationError: `timeout` is no number of seconds, or the running loop is not
                asyncio's.
            NotRunningError: The server is not running.
        """
        check_asyncio("await_idle()", "wait_idle()")
        await run_in_thread(self._control.wait_idle, timeout, "await_idle")

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
            ConfigurationError: `func` is a coroutine or something else that cannot be called,
                `timeout` is no number of seconds, the running loop is not asyncio's, or this is the
                server's own thread, which would wait for itself.
            NotRunningError: The server is not running, or stopped before the call was done.
        """
        check_asyncio("acall()", "call()")
        run = self._control.run_for_call("acall", func, timeout)
        return await run.portal.acall(RemoteCall(func, args), timeout)

    async def __aenter__(self) -> Self:
        check_asyncio("async with", "with")
        await self.astart()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.astop()
