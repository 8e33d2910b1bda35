"""Whether a loop sleeps and nothing has arrived, as another thread sees it."""

import asyncio
import select
import selectors
import socket
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from liveserver import LiveServer
from liveserver._server.loop_thread import LoopThread
from liveserver._sync.quiet_loop import is_quiet, new_event_loop
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, until


def becomes_quiet(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is quiet within some seconds."""
    end = time.monotonic() + 10
    while not is_quiet(loop):
        if time.monotonic() > end:
            return False
    return True


@contextmanager
def running(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Run a loop in a thread of its own."""
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@unittest.skipUnless(hasattr(select, "epoll"), "this system has no epoll")
class QuietLoopTests(StrictTestCase):
    """A loop in another thread."""

    def test_it_is_quiet_when_it_waits(self) -> None:
        loop = new_event_loop()
        with running(loop):
            self.assertTrue(becomes_quiet(loop))

    def test_it_is_not_before_it_runs_and_not_when_it_is_closed(self) -> None:
        loop = new_event_loop()
        self.assertFalse(is_quiet(loop))
        loop.close()
        self.assertFalse(is_quiet(loop))

    def test_it_is_not_while_it_runs_a_callback_or_has_one_to_run(self) -> None:
        loop = new_event_loop()
        seen: list[bool] = []

        def look(again: bool) -> None:
            seen.append(is_quiet(loop))
            if again:
                loop.call_soon(look, False)
            else:
                done.set()

        done = threading.Event()
        with running(loop):
            loop.call_soon_threadsafe(look, True)
            self.assertTrue(done.wait(10))
        self.assertEqual(seen, [False, False])

    def test_it_is_quiet_while_a_timer_runs(self) -> None:
        loop = new_event_loop()
        loop.call_later(1000, print)
        with running(loop):
            self.assertTrue(becomes_quiet(loop))

    def test_it_is_not_when_a_timer_is_due(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop:
            loop.call_later(0.2, wake.set)
            with running(loop):
                self.assertTrue(becomes_quiet(loop))
                until(lambda: not is_quiet(loop))
                self.assertFalse(is_quiet(loop))
                self.assertFalse(wake.is_set())
                wake.set()

    def test_it_is_not_when_something_has_arrived_and_was_not_read(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop:
            ours, its = socket.socketpair()
            with ours, its:
                loop.add_reader(its, print)
                with running(loop):
                    self.assertTrue(becomes_quiet(loop))
                    ours.send(b"?")
                    self.assertFalse(is_quiet(loop))
                    its.recv(1)
                    self.assertTrue(is_quiet(loop))
                    loop.call_soon_threadsafe(loop.remove_reader, its)
                    self.assertFalse(is_quiet(loop))  # that call waits for it
                    wake.set()

    def test_it_is_not_if_it_woke_up_while_one_looked(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop, running(loop):
            self.assertTrue(becomes_quiet(loop))
            poll = mock.Mock()
            poll.return_value.poll.side_effect = lambda _: self.wake_up(loop, wake)
            with mock.patch("liveserver._sync.quiet_loop.select.poll", poll):
                self.assertFalse(is_quiet(loop))

    def wake_up(self, loop: asyncio.AbstractEventLoop, wake: threading.Event) -> list[int]:
        """Let a loop sleep no more; find nothing to read."""
        done = threading.Event()
        loop.call_soon_threadsafe(done.set)
        wake.set()
        self.assertTrue(done.wait(10))
        return []

    @contextmanager
    def sleepless(self, wake: threading.Event) -> Iterator[asyncio.AbstractEventLoop]:
        """A loop that what arrives does not wake until the event is set."""
        select = selectors.EpollSelector.select

        def wait(
            self: selectors.EpollSelector, timeout: float | None = None
        ) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is None or timeout > 0:
                wake.wait(10)
            return select(self, timeout)

        with mock.patch("selectors.EpollSelector.select", wait):
            yield new_event_loop()


@unittest.skipUnless(hasattr(select, "epoll"), "this system has no epoll")
class WaitIdleTests(StrictTestCase):
    """`wait_idle()` of a server on asyncio's loop."""

    def test_it_asks_a_quiet_loop_for_nothing(self) -> None:
        with LiveServer(apps.hello, uvicorn_config={"loop": "asyncio"}) as server:
            loop = server.call(asyncio.get_running_loop)
            self.assertTrue(becomes_quiet(loop))
            with mock.patch.object(LoopThread, "post", side_effect=AssertionError):
                server.wait_idle(5)

    def test_it_waits_for_what_was_sent_just_before(self) -> None:
        with LiveServer(apps.hello, uvicorn_config={"loop": "asyncio"}) as server:
            for number in range(300):
                with socket.create_connection((server.host, server.port), 5) as client:
                    client.sendall(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
                    server.wait_idle(5)
                    last = server.requests[-1]
                    self.assertEqual((last.path, last.running), (f"/{number}", False))
