"""Apps for the tests, each named for what it does. Plain ASGI, so that nothing else is tested."""

import asyncio
import contextlib
import signal
import threading
import warnings
from typing import Any

Scope = Any
Receive = Any
Send = Any


async def answer(send: Send, body: bytes, status: int = 200, kind: bytes = b"text/plain") -> None:
    """Send a whole response."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Receive, send: Send) -> None:
    """Go through a lifespan in which nothing happens."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every request with "hello"."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await answer(send, b"hello")


async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses every scope but http."""
    assert scope["type"] == "http", scope["type"]
    await answer(send, b"hello")


class Recorder:
    """An app that writes down what happens to it, and counts its requests."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.events.append("startup")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.events.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
        else:
            self.requests += 1
            await answer(send, str(self.requests).encode())


class Stream:
    """An event stream that sends one event and then waits for ever, heeding a disconnect."""

    def __init__(self, kind: bytes = b"text/event-stream; charset=utf-8") -> None:
        self.kind = kind
        self.ended = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        headers = [(b"content-type", self.kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.ended = "disconnect"
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise


class DeafStream(Stream):
    """An event stream that never looks whether its client is still there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def never() -> Any:
            await asyncio.Event().wait()

        await super().__call__(scope, receive if scope["type"] == "lifespan" else never, send)


# Apps of which the fault matrix is made. Each is built anew for each server.


class Blocked:
    """Blocks its thread until it is released, and for ten seconds at most."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()

    def wait(self) -> None:
        """Block; call it where the app should be stuck."""
        self.begun.set()
        self.released.wait(10)


class Faulty:
    """An app with one fault: a coroutine function for its startup, its shutdown or its handler.

    Each gets the app itself, `receive` and `send`. `blocked` is there for those that block.
    """

    def __init__(self, startup: Any = None, shutdown: Any = None, handler: Any = None) -> None:
        self.startup, self.shutdown, self.handler = startup, shutdown, handler
        self.blocked = Blocked()
        self.begun = threading.Event()  # a request has reached the handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.run_lifespan(receive, send)
        elif scope.get("path") == "/fine" or self.handler is None:
            await answer(send, b"fine")
        else:
            self.begun.set()
            await self.handler(self, receive, send)

    async def run_lifespan(self, receive: Receive, send: Send) -> None:
        for name, step in (("startup", self.startup), ("shutdown", self.shutdown)):
            await receive()
            if step is not None:
                await step(self, receive, send)
            await send({"type": f"lifespan.{name}.complete"})


class Trouble(Exception):
    """An exception that nobody else raises."""


class WorseTrouble(BaseException):
    """The same, outside of what `except Exception` catches."""


async def raise_trouble(app: Faulty, receive: Receive, send: Send) -> None:
    raise Trouble("out of order")


async def raise_worse_trouble(app: Faulty, receive: Receive, send: Send) -> None:
    raise WorseTrouble("out of order")


async def exit_process(app: Faulty, receive: Receive, send: Send) -> None:
    raise SystemExit(7)


async def interrupt(app: Faulty, receive: Receive, send: Send) -> None:
    raise KeyboardInterrupt


async def cancel_itself(app: Faulty, receive: Receive, send: Send) -> None:
    raise asyncio.CancelledError


async def hang(app: Faulty, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def hang_for_all_that(app: Faulty, receive: Receive, send: Send) -> None:
    """Swallows every cancellation until it is released."""
    while not app.blocked.released.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)


async def block_the_loop(app: Faulty, receive: Receive, send: Send) -> None:
    app.blocked.wait()


async def block_a_worker(app: Faulty, receive: Receive, send: Send) -> None:
    await asyncio.to_thread(app.blocked.wait)


async def fail_startup(app: Faulty, receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.failed", "message": "out of order"})
    await receive()


async def fail_startup_and_raise(app: Faulty, receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.failed", "message": "a long traceback"})
    raise Trouble("out of order")


async def fail_shutdown(app: Faulty, receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.shutdown.failed", "message": "out of order"})
    await asyncio.Event().wait()


async def start_response(send: Send, length: int | None = None) -> None:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def raise_midway(app: Faulty, receive: Receive, send: Send) -> None:
    await start_response(send)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise Trouble("out of order")


async def raise_after(app: Faulty, receive: Receive, send: Send) -> None:
    await answer(send, b"whole")
    raise Trouble("out of order")


async def answer_500_and_raise(app: Faulty, receive: Receive, send: Send) -> None:
    """What Starlette does with an exception of a handler."""
    await answer(send, b"Internal Server Error", status=500)
    raise Trouble("out of order")


async def recurse(app: Faulty, receive: Receive, send: Send) -> None:
    def deeper() -> None:
        deeper()

    deeper()


async def start_twice(app: Faulty, receive: Receive, send: Send) -> None:
    await start_response(send)
    await start_response(send)


async def body_before_start(app: Faulty, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"too early"})


async def too_short(app: Faulty, receive: Receive, send: Send) -> None:
    await start_response(send, length=10)
    await send({"type": "http.response.body", "body": b"short"})


async def answer_nothing(app: Faulty, receive: Receive, send: Send) -> None:
    pass


async def answer_a_lot(app: Faulty, receive: Receive, send: Send) -> None:
    await start_response(send, length=100 << 20)
    for _ in range(100):
        await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
    await send({"type": "http.response.body"})


async def read_everything(app: Faulty, receive: Receive, send: Send) -> None:
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await answer(send, b"read")


async def long_poll(app: Faulty, receive: Receive, send: Send) -> None:
    """Waits for news that never come, until its client is gone."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


async def event_stream(app: Faulty, receive: Receive, send: Send) -> None:
    await Stream()({"type": "http"}, receive, send)


async def ignore_the_close(app: Faulty, receive: Receive, send: Send) -> None:
    """A WebSocket handler that never looks at what it receives."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


async def raise_after_the_close(app: Faulty, receive: Receive, send: Send) -> None:
    """A WebSocket handler that cannot save what its client, who has closed, has sent."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    await asyncio.sleep(0.05)
    raise Trouble("out of order")


async def raise_after_the_client_left(app: Faulty, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    await asyncio.sleep(0.05)
    raise Trouble("out of order")


async def raise_departures(app: Faulty, receive: Receive, send: Send) -> None:
    """Fail because other clients have left, and this one has not."""
    raise ExceptionGroup("two members have left", [ConnectionResetError(), BrokenPipeError()])


async def forget_to_await(app: Faulty, receive: Receive, send: Send) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        send({"type": "http.response.start", "status": 200, "headers": []}).close()  # type: ignore[attr-defined]


async def leave_a_job(app: Faulty, receive: Receive, send: Send) -> None:
    """Answer while a job of the loop's executor is stuck."""
    app.job = asyncio.get_running_loop().run_in_executor(None, app.blocked.wait)  # type: ignore[attr-defined]
    await answer(send, b"left")


async def install_a_signal_handler(app: Faulty, receive: Receive, send: Send) -> None:
    signal.signal(signal.SIGUSR1, print)


async def leave_a_task(app: Faulty, receive: Receive, send: Send) -> None:
    app.task = asyncio.create_task(hang(app, receive, send))  # type: ignore[attr-defined]
    await answer(send, b"left")


async def leave_a_raising_task(app: Faulty, receive: Receive, send: Send) -> None:
    task = asyncio.create_task(raise_trouble(app, receive, send))
    await asyncio.wait([task])
    task.exception()  # seen, so that asyncio does not complain
    await answer(send, b"left")
