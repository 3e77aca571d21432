"""The functions of the original's command line, which take its parsed arguments."""

from __future__ import annotations

from argparse import Namespace

from fastvarlink.cli.verbs import bridge, call, help, info

__all__ = ["varlink_bridge", "varlink_call", "varlink_help", "varlink_info"]


def varlink_call(args: Namespace) -> None:
    """Call args.METHOD, [ADDRESS/]INTERFACE.METHOD, with args.ARGUMENTS and print each reply.

    Uses args.more, args.activate, args.bridge and args.resolver. Raises SystemExit when it fails.
    """
    words = [args.METHOD, *([args.ARGUMENTS] if args.ARGUMENTS else [])]
    _end(call.run(call.settings(words=words, more=args.more, json="pretty", lines=True, **_where(args))))


def varlink_help(args: Namespace) -> None:
    """Print the description of args.INTERFACE, [ADDRESS/]INTERFACE. Raises SystemExit when it fails."""
    _end(help.run(Namespace(words=[args.INTERFACE], text=True, json=None, **_where(args))))


def varlink_info(args: Namespace) -> None:
    """Print what the service at args.ADDRESS says of itself. Raises SystemExit when it fails."""
    _end(info.run(Namespace(address=args.ADDRESS, json=None, **_where(args))))


def varlink_bridge(args: Namespace) -> None:
    """Pass messages on between stdin, stdout and services. Uses args.connect, and what varlink_call uses."""
    bridge.run(Namespace(connect=args.connect, **_where(args)))


def _where(args: Namespace) -> dict[str, str | None]:
    return {name: getattr(args, name, None) for name in ("activate", "bridge", "resolver", "timeout")}


def _end(status: int | None) -> None:
    if status:
        raise SystemExit(status)
