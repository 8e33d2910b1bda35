"""The lifespan protocol of ASGI: startup, shutdown, and what the app raised on the way.

uvicorn's own driver serves an app whose startup raised (with `lifespan="auto"`), leaves by
`SystemExit` when it does not, and keeps the exception in a log record. This one raises it.
The rules are those of https://asgi.readthedocs.io/en/latest/specs/lifespan.html, with one made
sharper: an exception *before the first* `receive()` means that the app has no lifespan, an
exception after it is a failure.

Everything here runs on the server's loop.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Literal

from liveserver._app.asgi import ASGIApp, Message
from liveserver._errors import ShutdownError, StartupError, describe_error, without_first_frame
from liveserver._requests.log import BackgroundFailure

__all__ = ["Lifespan"]

_logger = logging.getLogger("uvicorn.error")


class Lifespan:
    """One run of an app's lifespan, in the shape that `uvicorn.Server.startup` expects."""

    # uvicorn reads it after startup() and would leave by SystemExit; here startup() raises.
    should_exit = False

    def __init__(
        self,
        app: ASGIApp,
        mode: Literal["auto", "on", "off"],
        asgi_version: str,
        on_failure: Callable[[BackgroundFailure], None],
    ) -> None:
        self._app = app
        self._on_failure = on_failure
        # What it raised while the app served, and when.
        self._death: BackgroundFailure | None = None
        self._died = 0.0
        self._mode = mode
        self._asgi_version = asgi_version
        self.state: dict[str, Any] = {}
        self.task: asyncio.Task[None] | None = None
        self._receives = 0  # calls of receive()
        self._stop = asyncio.Event()
        self._answers: dict[str, Message] = {}  # what the app sent, by the message's type
        self._error: BaseException | None = None
        self._reported = False
        # Set when the app answered, or ended without an answer.
        self._startup_over = asyncio.Event()
        self._shutdown_over = asyncio.Event()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the app's lifespan in the loop's next turn."""
        if self._mode != "off":
            _logger.info("Waiting for application startup.")
            self.task = loop.create_task(self._run())

    async def startup(self) -> None:
        """Wait for the app's answer to the startup event.

        Raises:
            StartupError: It failed.
        """
        if self.task is None:
            return
        await self._startup_over.wait()
        if "lifespan.startup.failed" in self._answers or (
            self._error is not None and (self._receives or self._mode == "on")
        ):
            _logger.error("Application startup failed.")
            raise StartupError(self._failure("startup")) from self._error
        if self._error is not None:
            _logger.info("ASGI 'lifespan' protocol appears unsupported.")
            self.task = None
        _logger.info("Application startup complete.")

    async def shutdown(self) -> None:
        """Tell the app to shut down, and wait for its answer.

        Raises:
            ShutdownError: It failed, or its lifespan had ended with an exception before.
        """
        if self.task is None:
            return
        if self._death is not None:
            self._raise_death(self._death)
            return
        _logger.info("Waiting for application shutdown.")
        self._stop.set()
        await self._shutdown_over.wait()
        for _ in range(10):
            if self.task.done():
                break
            # What an app raises right after its answer is a failure too.
            await asyncio.sleep(0)
        if "lifespan.shutdown.failed" in self._answers or self._error is not None:
            _logger.error("Application shutdown failed.")
            raise ShutdownError(self._failure("shutdown")) from self._error
        _logger.info("Application shutdown complete.")

    def _raise_death(self, death: BackgroundFailure) -> None:
        """Raise what ended the lifespan while the app served, if no test was told of it."""
        self._reported = True
        if not death.reported:
            death.reported = True
            raise ShutdownError(
                f"The app's lifespan ended by itself, {time.perf_counter() - self._died:.1f} s "
                f"before the stop: {death.error}"
            ) from self._error

    def break_cycles(self) -> None:
        """Forget what the app raised: its frames hold this object's methods."""
        self._error = self._death = None

    def unreported_failure(self) -> ShutdownError | None:
        """Return what the app raised after its answer, or while its task was cancelled."""
        if self._reported or self._error is None or not self._receives:
            return None
        if isinstance(self._error, asyncio.CancelledError):
            return None
        error = ShutdownError(self._failure("shutdown"))
        error.__cause__ = self._error
        return error

    def _failure(self, phase: str) -> str:
        self._reported = True
        text = self._answers.get(f"lifespan.{phase}.failed", {}).get("message")
        if self._error is not None:
            # Starlette's message is its whole traceback; the chained cause shows it better.
            text = describe_error(self._error)
        return f"The app's lifespan {phase} failed: {text or 'it gave no reason'}{_hint(text)}"

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": self._asgi_version, "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except BaseException as error:  # a SystemExit must not get into the event loop
            self._error = without_first_frame(error)  # which has this object
            if "lifespan.startup.complete" in self._answers and not self._stop.is_set():
                self._died = time.perf_counter()
                self._death = BackgroundFailure("the app's lifespan ended by itself: it", error)
                self._on_failure(self._death)
        finally:
            self._startup_over.set()
            self._shutdown_over.set()

    async def _receive(self) -> Message:
        self._receives += 1
        if self._receives == 1:
            return {"type": "lifespan.startup"}
        await self._stop.wait()
        if self._receives > 2:
            await asyncio.Event().wait()  # there is no further event
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("lifespan.startup.complete", "lifespan.startup.failed"):
            over, in_turn = self._startup_over, True
        elif kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            over, in_turn = self._shutdown_over, self._startup_over.is_set()
        else:
            raise RuntimeError(f"{kind!r} is not a message that an app's lifespan may send.")
        if over.is_set() or not in_turn:
            raise RuntimeError(f"{kind!r} was sent twice or out of turn.")
        self._answers[kind] = message
        over.set()


# What errors of a startup say, and what to do about them.
_HINTS = (
    (
        # Of Python's signal module, of asyncio and of uvloop.
        re.compile(r"(sig|wakeup_fd).* main thread"),
        "The server runs in a thread, and Python allows signal handlers in the main thread alone. "
        "Let the app install none in tests, by a setting of its own.",
    ),
    (
        re.compile(r"\b(once per instance|only be (called|used|started|run|entered) once)\b"),
        "An app that can start only once is to be made anew for each server: by create_app() of "
        "the test class, or by a function that is given with factory=True.",
    ),
)


def _hint(text: str | None) -> str:
    """Return what to do about the text of a failure, after a full stop."""
    hints = [hint for pattern, hint in _HINTS if pattern.search(text or "")]
    return f". {hints[0]}" if hints else ""
