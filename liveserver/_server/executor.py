"""The executor of a server's loop: its threads end with the server, and never hold up the process.

The threads of `concurrent.futures.ThreadPoolExecutor` are joined when the process ends, so one that
is stuck in the app would keep it for ever.
"""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

__all__ = ["DaemonExecutor"]

# asyncio's own maximum. With few processors asyncio starts fewer, and WSGI requests that wait for
# each other could then block all of them.
_MAX_WORKERS = 32


class DaemonExecutor(ThreadPoolExecutor):
    """A thread pool with daemon threads, which start when they are needed.

    asyncio takes no executor of another class. Only the loop's thread submits to it and shuts
    it down.
    """

    # Set by the process's end, on a Python that then starts no threads.
    inline = False
    _is_shut_down = False

    def __init__(self) -> None:
        self._workers: list[threading.Thread] = []

    def _set_up(self) -> None:
        """Prepare for the first job: most servers run nothing in their executor."""
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # Workers release it when they wait for a job.
        self._idle = threading.Semaphore(0)
        self._names = itertools.count()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        job = _Job(function, args, kwargs)
        if self.inline:
            job.run()
            return job.future
        if not self._workers:
            self._set_up()
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and len(self._workers) < _MAX_WORKERS:
            name = f"liveserver-worker_{next(self._names)}"
            worker = threading.Thread(target=self._work, name=name, daemon=True)
            self._workers.append(worker)
            worker.start()
        return job.future

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job.run()
            del job  # its result may be large
            self._idle.release()

    def threads(self) -> list[threading.Thread]:
        """Return the worker threads that still run."""
        return [each for each in self._workers if each.is_alive()]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End each worker after its job."""
        if not self._is_shut_down:
            self._is_shut_down = True
            for _ in self._workers:
                self._jobs.put(None)
        for worker in self._workers if wait else ():
            worker.join()


class _Job:
    """A function and the future of its result; the frame of `run` leads to both."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.future: Future[Any] = Future()
        self._call = function, args, kwargs

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        function, args, kwargs = self._call
        try:
            self.future.set_result(function(*args, **kwargs))
        except BaseException as error:
            self.future.set_exception(error)
            del self  # else the exception's frame refers to the exception
