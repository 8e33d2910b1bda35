"""The executor of a server's loop, and the app's own executors, whose jobs a stop waits for.

The threads of `concurrent.futures.ThreadPoolExecutor` are joined when the process ends, so one that
is stuck in the app would keep it for ever. Those of a loop's own executor here end with the server.
"""

import asyncio
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any

__all__ = ["AppExecutors", "DaemonExecutor"]

# asyncio's own maximum. With few processors asyncio starts fewer, and WSGI requests that wait for
# each other could then block all of them.
_MAX_WORKERS = 32


class DaemonExecutor(ThreadPoolExecutor):
    """A thread pool with daemon threads, which start when they are needed.

    asyncio takes no executor of another class. Only the loop's thread submits to it and shuts
    it down.

    Args:
        enter_thread: Each thread calls it first.
    """

    # Set by the process's end, on a Python that then starts no threads.
    inline = False
    _is_shut_down = False

    def __init__(self, enter_thread: Callable[[], None]) -> None:
        self._enter_thread = enter_thread
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
        self._enter_thread()
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


class AppExecutors:
    """The executors that an app sets or makes, and that it uses through a server's loop.

    A stop waits for their jobs as `asyncio.run` waits for those of the default executor. One that
    the app made may outlive the server; one that it set is shut down by asyncio, with the loop.
    """

    def __init__(self) -> None:
        # Any thread may add a job, take it out when it is done, and read a copy.
        self._jobs: dict[Future[Any], str] = {}
        # Only the loop's thread uses it.
        self._default: Executor | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note each job that a loop gives to another executor than its own one."""
        run, set_default = loop.run_in_executor, loop.set_default_executor

        def run_in_executor(executor: Any, function: Any, *args: Any) -> Any:
            executor = executor or self._default
            if executor is not None:
                executor = _Watched(executor, self._jobs)
            return run(executor, function, *args)

        def set_default_executor(executor: Any) -> None:
            set_default(executor)
            self._default = executor

        # On the instance: uvloop's class takes no attributes.
        instance: Any = loop
        instance.run_in_executor = run_in_executor
        instance.set_default_executor = set_default_executor

    def unwatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave no reference from the loop to itself, and none to the app's executor."""
        instance: Any = loop
        del instance.run_in_executor, instance.set_default_executor
        self._default = None

    def wait(self) -> None:
        """Wait until all jobs have ended."""
        jobs = list(self._jobs)
        if jobs:
            wait(jobs)

    def jobs(self) -> list[tuple["Future[Any]", str]]:
        """Return the jobs that have not ended, each with its executor's class."""
        return list(self._jobs.items())


class _Watched:
    """Stands for an executor where a loop submits one job to it."""

    def __init__(self, executor: Executor, jobs: "dict[Future[Any], str]") -> None:
        self._executor = executor
        self._jobs = jobs

    def submit(self, function: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        job = self._executor.submit(function, *args)
        self._jobs[job] = type(self._executor).__name__
        job.add_done_callback(lambda done: self._jobs.pop(done, None))
        return job
