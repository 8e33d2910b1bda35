"""The output of the command line: a line for each request, and the app's exceptions."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Self, TextIO

from liveserver._app.interface import interface
from liveserver._cli.django import is_django_handler
from liveserver._errors import LiveServerError
from liveserver._reporting.frames import app_frames
from liveserver._reporting.tracebacks import passed_through_app, plain_traceback
from liveserver._requests.record import RequestRecord
from liveserver._server.live_server import LiveServer

__all__ = ["Console"]

_logger = logging.getLogger("uvicorn.error")

# By the first digit of the status: green, cyan, yellow, red.
_COLOURS = {1: 32, 2: 32, 3: 36, 4: 33, 5: 31}


class Console:
    """Writes lines to standard output, unbuffered, from any thread.

    It also shows uvicorn's warnings in its `with` block.

    Args:
        over: Called when the server has ended.
    """

    def __init__(self, over: Callable[[], None]) -> None:
        self.over = over
        self._lock = threading.Lock()
        self._colours = _shows_colours(sys.stdout)
        # A path may hold characters that a pipe's encoding cannot encode.
        getattr(sys.stdout, "reconfigure", lambda **_: None)(errors="backslashreplace")
        self._warnings = _Warnings(self)

    def __enter__(self) -> Self:
        _logger.addHandler(self._warnings)
        return self

    def __exit__(self, *_: object) -> None:
        _logger.removeHandler(self._warnings)

    def greet(self, what: str, server: LiveServer) -> None:
        """Show the URLs of a server."""
        self.say(f"liveserver serves {what}. Ctrl-C stops it.\n")
        self.say(f"  {server.base_url}")
        if _takes_websockets(server):
            self.say(f"  {server.ws_url}")
        self.say(f"  {server._control.curl()}\n")

    def opened(self, record: RequestRecord) -> None:
        """Show that a stream or a WebSocket is open."""
        self._say_of(record, f"{record.served().answered()}, open")

    def ended(self, record: RequestRecord) -> None:
        """Show how a request ended, and the app's exception."""
        self._say_of(record, str(record.served()))
        error = record.exception
        if error is not None:
            self.say(_shown(error))
            record.reported = True
            record.exception = None  # its frames need not live as long as the log

    def explain(self, error: BaseException, text: str = "") -> None:
        """Show on standard error why the server failed.

        Args:
            error: The exception; one of ours is shown by its message and its cause.
            text: The traceback to show for any other, by default its own.
        """
        with self._lock:
            if not isinstance(error, LiveServerError):
                print(_set_off(text or plain_traceback(error)), file=sys.stderr)
                return
            cause = error.__cause__
            if cause is not None and passed_through_app(cause):
                print(_shown(cause), file=sys.stderr)
            notes = getattr(error, "__notes__", [])
            print("\n".join([f"liveserver: {error}", *notes]), file=sys.stderr)

    def cut(self, text: str) -> None:
        """Show which requests the stop cut."""
        self.explain(LiveServerError(text))

    def say(self, line: str) -> None:
        """Write one line to standard output."""
        with self._lock:
            try:
                print(line, flush=True)
            except OSError as error:
                if isinstance(error, LiveServerError):
                    raise  # a fixture's signal handler, which stopped the server, raised it here
                # The reader of the pipe has left; the server goes on.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _say_of(self, record: RequestRecord, text: str) -> None:
        line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
        if self._colours:
            colour = _COLOURS.get((record.status or 500) // 100, 31)
            line = f"\x1b[{colour}m{line}\x1b[0m"
        self.say(line)


class _Warnings(logging.Handler):
    """Shows uvicorn's warnings about requests that do not reach the app."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not record.exc_text:  # the app's exceptions are shown with their requests
            self._console.say(f"{record.levelname.lower()}: {record.getMessage()}")


def _shown(error: BaseException) -> str:
    return _set_off(plain_traceback(error.with_traceback(app_frames(error.__traceback__))))


def _set_off(text: str) -> str:
    """Put a blank line around a traceback; `print` ends the last one."""
    text = text.strip("\n")
    return f"\n{text}\n"


def _takes_websockets(server: LiveServer) -> bool:
    """Whether there is a library for WebSockets, and the app is of a kind that can have some."""
    run = server._control.run
    if run is None or run.loop_thread.server.config.ws_protocol_class is None:
        return False
    return interface(server.app) != "wsgi" and not is_django_handler(server.app)


def _shows_colours(stream: TextIO | Any) -> bool:
    if stream is None:  # the process was started without standard output
        return False
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
