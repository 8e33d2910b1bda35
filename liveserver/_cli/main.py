"""Serve an app, or the server of a test, for curl or a browser."""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import NoReturn, cast

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
  tests.test_shop.ShopTests            a live server test class: its setUpClass() runs
  tests.test_shop.ShopTests.test_buy   one test: its setUp() runs too, its body does not

With server_scope = "test" the setUp() of a class runs too, as it starts the server. Cleanups and
tearDowns run at the end. Names are looked up from the current folder.

A line shows each request when it ends; event streams and WebSockets also when they open. A
traceback shows each exception that the app does not handle.

Exit status:
  0    Ctrl-C or SIGTERM stopped the server
  1    the server did not start, failed while stopping, or ended by itself
  2    TARGET or an option is wrong
  130  a second Ctrl-C stopped it at once
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Show what is wrong in one line, and exit."""
        self.exit(2, f"liveserver: {message}. See {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m liveserver",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,  # leave out what is not given
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
        arguments: The arguments of the command line, by default those of the process.

    Returns:
        The exit status.
    """
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    target, opens = given.pop("target"), given.pop("open", False)
    options = cast(ServerOptions, given)
    if "factory" in options and ":" not in target:
        parser.error("--factory is for an app, module:factory")
    try:
        with SignalWait() as signals:
            return Host(signals, options, opens).run(partial(_serve, target, options))
    except KeyboardInterrupt:  # a further Ctrl-C, after the end
        return INTERRUPTED


def _serve(target: str, options: ServerOptions, host: Host) -> None:
    make_options(options)  # check them before the import of the target
    if "::" in target or target.endswith(".py"):
        what = "how pytest names a test" if "::" in target else "a file"
        name = target.replace(".py::", ".").replace("::", ".").removesuffix(".py")
        name = name.replace("/", ".").lstrip(".")
        raise ConfigurationError(f"{target!r} is {what}. Write {name!r}.")
    if ":" in target:
        check_app(target, options.get("factory", False))
        host.serve_app(target)
    else:
        set_up_django()
        host.serve_test(find(target))
