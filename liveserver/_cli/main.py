"""Serve an app, or the server of a test, for use by hand with curl or a browser."""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from liveserver._cli.django import set_up_django
from liveserver._cli.serve import INTERRUPTED, Host
from liveserver._cli.signals import SignalWait
from liveserver._cli.target import check_app, find
from liveserver._errors import ConfigurationError
from liveserver._options.server_options import ServerOptions, make_options

__all__ = ["main"]

_EPILOG = """\
TARGET is one of:
  shop.main:app                        an ASGI or WSGI app
  shop.main:create_app --factory       a function that builds one
  tests.test_shop.ShopTests            a live server test class: its setUpClass() is run
  tests.test_shop.ShopTests.test_buy   one test: its setUp() is run too, its body is not

Where each test has a server of its own (server_scope = "test"), a class alone would have none, so
its setUp() is run too. Cleanups and tearDowns are run at the end. Names are looked up from the
current folder.

Each request is shown when the app has returned from it, an event stream and a WebSocket also when
they open, and an exception that the app did not handle with its traceback.

Ctrl-C and SIGTERM stop the server in good order; the exit status is then 0. A second Ctrl-C stops
at once; the exit status is then 130. It is 1 if the server did not start, failed while stopping or
ended by itself, and 2 if TARGET or an option is wrong.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(2, f"liveserver: {message}. See {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m liveserver",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="TARGET", help="what to serve, see below")
    parser.add_argument("--factory", action="store_true", help="TARGET is a function for the app")
    parser.add_argument("--host", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (a free one)")
    parser.add_argument("--tls", action="store_true", help="serve https and wss")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes or the server ends.

    Args:
        arguments: Those of the command line, by default the process's own.

    Returns:
        The exit status.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    options: ServerOptions = {}
    if given.host is not None:
        options["host"] = given.host
    if given.port is not None:
        options["port"] = given.port
    if given.tls:
        options["tls"] = True
    is_app = ":" in given.target
    if given.factory and not is_app:
        parser.error("--factory is for an app, module:factory")
    if given.factory:
        options["factory"] = True
    try:
        with SignalWait() as signals:
            return Host(signals, options, given.open).run(partial(_serve, given.target, options))
    except KeyboardInterrupt:  # one more, after the end
        return INTERRUPTED


def _serve(target: str, options: ServerOptions, host: Host) -> None:
    make_options(options)  # checks them before the target is imported
    if "::" in target:
        name = target.replace(".py::", ".").replace("::", ".").replace("/", ".")
        raise ConfigurationError(f"{target!r} is how pytest names a test. Write {name!r}.")
    if ":" in target:
        check_app(target, options.get("factory", False))
        host.serve_app(target)
    else:
        set_up_django()
        host.serve_test(find(target))
