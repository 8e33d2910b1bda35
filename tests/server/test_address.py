"""The listening socket: what it is set to, and what becomes of it when it is not to be had."""

import os
import socket
import unittest
from typing import Any
from unittest import mock

from liveserver._server.address import listen, url
from tests.helpers.support import StrictTestCase


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
                listen("127.0.0.1", 0, backlog=5, again=again) as sock,
            ):
                self.assertTrue(reuse(sock))
                self.assertEqual(bool(seen[-1]), again)

    def test_on_windows_it_never_does(self) -> None:
        with (
            mock.patch("liveserver._server.address._POSIX", False),
            listen("127.0.0.1", 0, backlog=5, again=True) as sock,
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
            listen("::", 0, backlog=5, again=False),
        ):
            self.assertIn((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1), seen)


class URLTests(StrictTestCase):
    """Where a server is, in the form in which clients want it."""

    def test_a_zone(self) -> None:
        self.assertEqual(url("http", "fe80::1%eth0", 80), "http://[fe80::1%25eth0]:80")
