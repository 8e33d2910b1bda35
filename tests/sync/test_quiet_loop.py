"""Whether a loop sleeps and nothing has arrived, as another thread sees it."""

import asyncio
import contextlib
import select
import selectors
import socket
import sys
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from liveserver import LiveServer
from liveserver._server.loop_thread import LoopThread
from liveserver._sync import quiet_loop
from liveserver._sync.quiet_loop import is_quiet
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, loops, new_loop, until, with_loop


def make_loop(kind: str) -> asyncio.AbstractEventLoop:
    """Make the loop that a server would have."""
    return quiet_loop.new_event_loop() if kind == "asyncio" else new_loop(kind)


def becomes_quiet(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> bool:
    """Whether it is quiet within some seconds."""
    end = time.monotonic() + 10
    while not is_quiet(loop, thread):
        if time.monotonic() > end:
            return False
    return True


@contextmanager
def running(loop: asyncio.AbstractEventLoop) -> Iterator[threading.Thread]:
    """Run a loop in a thread of its own."""
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield thread
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def blocked(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Keep a loop in a callback."""
    begun, release = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        release.wait(10)

    loop.call_soon_threadsafe(block)
    try:
        assert begun.wait(10)
        yield
    finally:
        release.set()


@unittest.skipUnless(sys.platform == "linux", "only Linux says what threads wait for")
class QuietLoopTests(StrictTestCase):
    """A loop in another thread."""

    def each_loop(self) -> Iterator[asyncio.AbstractEventLoop]:
        for kind in loops():
            with self.subTest(loop=kind):
                yield make_loop(kind)

    def test_it_is_quiet_when_it_waits(self) -> None:
        for loop in self.each_loop():
            with running(loop) as thread:
                self.assertTrue(becomes_quiet(loop, thread))

    def test_it_is_quiet_while_a_timer_runs(self) -> None:
        for loop in self.each_loop():
            loop.call_later(1000, print)
            with running(loop) as thread:
                self.assertTrue(becomes_quiet(loop, thread))

    def test_it_is_not_before_it_runs_and_not_when_it_is_closed(self) -> None:
        for loop in self.each_loop():
            thread = threading.Thread(target=loop.run_forever)
            self.assertFalse(is_quiet(loop, thread))
            loop.close()
            self.assertFalse(is_quiet(loop, thread))
            self.assertFalse(is_quiet(loop, threading.current_thread()))

    def test_it_is_not_while_it_runs_a_callback_or_has_one_to_run(self) -> None:
        for loop in self.each_loop():
            seen: list[bool] = []
            done = threading.Event()

            def look(again: bool, loop: Any = loop, seen: Any = seen, done: Any = done) -> None:
                seen.append(is_quiet(loop, threading.current_thread()))
                if again:
                    loop.call_soon(look, False)
                else:
                    done.set()

            with running(loop):
                loop.call_soon_threadsafe(look, True)
                self.assertTrue(done.wait(10))
            self.assertEqual(seen, [False, False])

    def test_it_is_not_while_it_is_blocked(self) -> None:
        for loop in self.each_loop():
            with running(loop) as thread:
                self.assertTrue(becomes_quiet(loop, thread))
                with blocked(loop):
                    self.assertFalse(is_quiet(loop, thread))
                self.assertTrue(becomes_quiet(loop, thread))


@unittest.skipUnless(hasattr(select, "epoll"), "this system has no epoll")
class AsyncioTests(StrictTestCase):
    """asyncio's loop, whose selector says when it sleeps."""

    def test_it_is_not_when_a_timer_is_due(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop:
            loop.call_later(0.2, wake.set)
            with running(loop) as thread:
                self.assertTrue(becomes_quiet(loop, thread))
                until(lambda: not is_quiet(loop, thread))
                self.assertFalse(is_quiet(loop, thread))
                self.assertFalse(wake.is_set())
                wake.set()

    def test_it_is_not_when_something_has_arrived_and_was_not_read(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop:
            ours, its = socket.socketpair()
            with ours, its:
                loop.add_reader(its, print)
                with running(loop) as thread:
                    self.assertTrue(becomes_quiet(loop, thread))
                    ours.send(b"?")
                    self.assertFalse(is_quiet(loop, thread))
                    its.recv(1)
                    self.assertTrue(is_quiet(loop, thread))
                    loop.call_soon_threadsafe(loop.remove_reader, its)
                    self.assertFalse(is_quiet(loop, thread))  # that call waits for it
                    wake.set()

    def test_it_is_not_if_it_woke_up_while_one_looked(self) -> None:
        wake = threading.Event()
        with self.sleepless(wake) as loop, running(loop) as thread:
            self.assertTrue(becomes_quiet(loop, thread))
            poll = mock.Mock()
            poll.return_value.poll.side_effect = lambda _: self.wake_up(loop, wake)
            with mock.patch("liveserver._sync.quiet_loop.select.poll", poll):
                self.assertFalse(is_quiet(loop, thread))

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
            yield quiet_loop.new_event_loop()


@unittest.skipUnless("uvloop" in loops(), "uvloop is not installed")
@unittest.skipUnless(sys.platform == "linux", "only Linux says what threads wait for")
class UvloopTests(StrictTestCase):
    """uvloop, whose thread Linux says that it sleeps."""

    def test_it_is_not_when_something_has_arrived_and_was_not_read(self) -> None:
        here = threading.current_thread()
        ours, its = socket.socketpair()
        with (
            contextlib.closing(new_loop("uvloop")) as loop,
            ours,
            its,
            mock.patch.object(quiet_loop, "_is_wait", return_value=True),
        ):
            loop.add_reader(its, print)
            loop.run_until_complete(asyncio.sleep(0.001))  # it watches now
            self.assertTrue(is_quiet(loop, here))
            ours.send(b"?")
            self.assertFalse(is_quiet(loop, here))
            its.recv(1)
            self.assertTrue(is_quiet(loop, here))
            loop.call_soon_threadsafe(print)
            self.assertFalse(is_quiet(loop, here))  # that call waits for it

    def test_it_is_not_when_it_has_something_in_its_hand(self) -> None:
        loop = new_loop("uvloop")
        poll = mock.Mock()
        poll.return_value.poll.return_value = []  # it has taken what arrived
        with running(loop) as thread, mock.patch.object(quiet_loop.select, "poll", poll):
            self.assertTrue(becomes_quiet(loop, thread))
            with blocked(loop):
                self.assertFalse(is_quiet(loop, thread))

    def test_a_tracer_holds_it_with_something_in_its_hand(self) -> None:
        here = threading.current_thread()
        ours, its = socket.socketpair()

        def accept(*_: object) -> bool:
            ours.send(b"?")  # on a connection that it has accepted, and watches now
            return True

        with contextlib.closing(new_loop("uvloop")) as loop, ours, its:
            loop.add_reader(its, print)
            loop.run_until_complete(asyncio.sleep(0.001))  # it watches now
            with mock.patch.object(quiet_loop, "_is_wait", accept):
                self.assertFalse(is_quiet(loop, here))
                its.recv(1)
            calls = [b"281 0x7 0x7f 0x400 0xffffffff 0x0", b"202 0x7f 0x189 0x0 0x7f 0x0"]
            with (
                mock.patch.object(quiet_loop, "_is_wait", return_value=True),
                mock.patch.object(quiet_loop.os, "pread", side_effect=calls),
            ):
                self.assertFalse(is_quiet(loop, here))
            self.assertFalse(is_quiet(loop, here))
            with (
                mock.patch.object(quiet_loop, "_is_wait", return_value=True),
                mock.patch.object(quiet_loop.os, "pread", return_value=calls[0]),
            ):
                self.assertTrue(is_quiet(loop, here))

    def test_what_linux_says(self) -> None:
        texts = {
            b"281 0x7 0x7f30df6e29e0 0x400 0xffffffff 0x0 0x8 0x7ffd 0x7f30\n": True,
            b"22 0x7 0x7f30df6e29e0 0x400 0x3e8 0x0 0x8 0x7ffd 0x7f30\n": True,  # a timer runs
            b"281 0x7 0x7f30df6e29e0 0x400 0x0 0x0 0x8 0x7ffd 0x7f30\n": False,  # it only looks
            b"281 0x8 0x7f30df6e29e0 0x400 0xffffffff 0x0 0x8 0x7ffd 0x7f30\n": False,
            b"202 0x7f30df6e29e0 0x189 0x0 0x7f30 0x0 0xffffffff 0x7ffd 0x7f30\n": False,
            b"-1 0x7ffd 0x7f30\n": False,
            b"running\n": False,
            b"": False,
        }
        for text, waits in texts.items():
            with self.subTest(text=text):
                self.assertIs(quiet_loop._is_wait(text, 7), waits)

    def test_where_the_system_does_not_tell(self) -> None:
        loop = new_loop("uvloop")
        with running(loop) as thread:
            self.assertTrue(becomes_quiet(loop, thread))
            with mock.patch.object(quiet_loop.os, "open", side_effect=FileNotFoundError):
                self.assertFalse(is_quiet(loop, thread))
            with mock.patch.object(quiet_loop.sys, "platform", "darwin"):
                self.assertFalse(is_quiet(loop, thread))
            with contextlib.closing(asyncio.SelectorEventLoop()) as other:
                self.assertFalse(is_quiet(other, thread))
            self.assertTrue(is_quiet(loop, thread))


class WaitIdleTests(StrictTestCase):
    """`wait_idle()` of a server."""

    @unittest.skipUnless(sys.platform == "linux", "only Linux says what threads wait for")
    def test_it_asks_a_quiet_loop_for_nothing(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                run = server._control.run
                assert run is not None
                until(lambda: run.loop_thread.is_quiet(run.thread))  # noqa: B023
                with mock.patch.object(LoopThread, "post", side_effect=AssertionError):
                    server.wait_idle(5)

    def test_it_waits_for_what_was_sent_just_before(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop), LiveServer(apps.hello, **with_loop(loop)) as server:
                for number in range(300):
                    with socket.create_connection((server.host, server.port), 5) as client:
                        client.sendall(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
                        server.wait_idle(5)
                        last = server.requests[-1]
                        self.assertEqual((last.path, last.running), (f"/{number}", False))
