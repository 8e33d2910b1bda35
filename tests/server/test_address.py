"""The listening socket: what it is set to, and what becomes of it when it is not to be had."""

import errno
import os
import socket
import unittest
from typing import Any
from unittest import mock

from liveserver import LiveServer, StartupError
from liveserver._server.address import listen, url
from tests.helpers import apps
from tests.helpers.support import StrictTestCase, get, loops, with_loop


def reuse(sock: socket.socket) -> int:
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


class ListenTests(StrictTestCase):
    """Only who takes its own port again may share it with connections that linger."""

    @unittest.skipUnless(os.name == "posix", "the option means something else on Windows")
    def test_it_may_share_its_port_after_it_is_its_own(self) -> None:
        seen: list[int] = []

        class Noted(socket.socket):
            def bind(self, address: Any) -> None:
                seen.append(reuse(self))
                super().bind(address)

        for again in (False, True):
            with (
                self.subTest(again=again),
                mock.patch("liveserver._server.address.socket.socket", Noted),
                listen("127.0.0.1", 0, backlog=5, again=again)[0] as sock,
            ):
                self.assertTrue(reuse(sock))
                self.assertEqual(bool(seen[-1]), again)

    def test_on_windows_it_never_does(self) -> None:
        with (
            mock.patch("liveserver._server.address._POSIX", False),
            listen("127.0.0.1", 0, backlog=5, again=True)[0] as sock,
        ):
            self.assertFalse(reuse(sock))

    def test_it_is_closed_when_ctrl_c_comes_between(self) -> None:
        made: list[socket.socket] = []

        class Interrupted(socket.socket):
            def listen(self, backlog: int = 0) -> None:
                made.append(self)
                raise KeyboardInterrupt

        with (
            mock.patch("liveserver._server.address.socket.socket", Interrupted),
            self.assertRaises(KeyboardInterrupt),
        ):
            listen("127.0.0.1", 0, backlog=5, again=False)
        self.assertEqual([sock.fileno() for sock in made], [-1])

    def test_ipv6_leaves_ipv4_alone(self) -> None:
        seen: list[tuple[int, int, int]] = []

        class Noted(socket.socket):
            def setsockopt(self, *args: Any) -> None:
                seen.append(args)

            def bind(self, address: Any) -> None:
                pass

        with (
            mock.patch("liveserver._server.address.socket.socket", Noted),
            listen("::", 0, backlog=5, again=False)[0],
        ):
            self.assertIn((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1), seen)

    def test_an_address_is_not_looked_up(self) -> None:
        server = LiveServer(apps.hello, host="127.0.0.1")
        self.addCleanup(server.stop)
        target = "liveserver._server.address.socket.getaddrinfo"
        with mock.patch(target, side_effect=socket.gaierror("no resolver")):
            server.start()
            with self.assertRaisesRegex(StartupError, "does not resolve"):
                LiveServer(apps.hello, host="localhost").start()
        self.assertEqual(get(server.base_url).status, 200)


class SeveralAddressesTests(StrictTestCase):
    """A host listens on one port of all its addresses: `localhost` on IPv4 and on IPv6."""

    def setUp(self) -> None:
        super().setUp()
        self.resolve("127.0.0.1", "127.0.0.2", "127.0.0.1")

    def resolve(self, *hosts: str) -> None:
        """Let `shop.localhost` have these addresses."""
        usual = socket.getaddrinfo

        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            names = hosts if host == "shop.localhost" else [host]
            return [each for name in names for each in usual(name, port, *args, **kwargs)]

        target = "liveserver._server.address.socket.getaddrinfo"
        self.enterContext(mock.patch(target, getaddrinfo))

    def absent(self) -> Any:
        """Let this machine have no address that begins with 192."""

        class Absent(socket.socket):
            def bind(self, address: Any) -> None:
                if address[0].startswith("192."):
                    raise OSError(errno.EADDRNOTAVAIL, "absent")
                super().bind(address)

        return mock.patch("liveserver._server.address.socket.socket", Absent)

    def answers(self, host: str, port: int) -> bool:
        try:
            return get(f"http://{host}:{port}").status == 200
        except ConnectionRefusedError:
            return False

    def test_each_is_served_until_the_stop(self) -> None:
        for loop in loops():
            with self.subTest(loop=loop):
                server = LiveServer(apps.hello, host="shop.localhost", **with_loop(loop))
                for _ in range(2):
                    with server:
                        self.assertTrue(self.answers("127.0.0.1", server.port))
                        self.assertTrue(self.answers("127.0.0.2", server.port))
                        self.assertFalse(self.answers("127.0.0.3", server.port))
                    self.assertFalse(self.answers("127.0.0.1", server.port))
                    self.assertFalse(self.answers("127.0.0.2", server.port))

    def test_one_that_this_machine_has_not_is_left_out(self) -> None:
        for hosts in (("192.0.2.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.1")):
            with self.subTest(hosts=hosts):
                self.resolve(*hosts)
                with self.absent(), LiveServer(apps.hello, host="shop.localhost") as server:
                    self.assertTrue(self.answers("127.0.0.1", server.port))

    def test_none_is_there(self) -> None:
        self.resolve("192.0.2.1", "192.0.2.2")
        with self.absent(), self.assertRaisesRegex(StartupError, "has no such address"):
            LiveServer(apps.hello, host="shop.localhost").start()

    def test_a_free_port_that_is_taken_at_another_address(self) -> None:
        failures = [errno.EADDRINUSE] * 3

        class Taken(socket.socket):
            def bind(self, address: Any) -> None:
                if address[0] == "127.0.0.2" and failures:
                    raise OSError(failures.pop(), "taken")
                super().bind(address)

        with mock.patch("liveserver._server.address.socket.socket", Taken):
            with LiveServer(apps.hello, host="shop.localhost") as server:
                self.assertTrue(self.answers("127.0.0.2", server.port))
            self.assertEqual(failures, [])
            failures += [errno.EADDRINUSE] * 100
            with self.assertRaisesRegex(StartupError, "in use"):
                LiveServer(apps.hello, host="shop.localhost").start()
            left = len(failures)
            with self.assertRaisesRegex(StartupError, "in use"):
                server.start()  # on its own port, which it cannot change
            self.assertEqual(len(failures), left - 1)


class URLTests(StrictTestCase):
    """Where a server is, in the form in which clients want it."""

    def test_a_zone(self) -> None:
        self.assertEqual(url("http", "fe80::1%eth0", 80), "http://[fe80::1%25eth0]:80")
