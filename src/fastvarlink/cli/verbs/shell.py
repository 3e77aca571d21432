"""Talk to a service line by line: methods with their parameters, and a few commands ('help' lists them).

    Ping ping=hello
    more TestMore {"n": 3}

A method is written without its interface where no other has its name. On a terminal what is typed is
completed from what the service describes. From a pipe, lines are read one by one; the exit status is that
of the last one that failed.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.output import chosen_style, on_terminal
from fastvarlink.cli.shell.interpreter import Interpreter
from fastvarlink.cli.shell.plain import run_lines, run_typed
from fastvarlink.cli.shell.service import Service
from fastvarlink.cli.target import target_of, timeout_option, where_options

EXAMPLES = (
    "varlink shell unix:/run/org.example.more",
    "echo 'Ping ping=hello' | varlink shell unix:/run/org.example.more",
)


def arguments(parser: ArgumentParser) -> None:
    """What shell takes."""
    parser.add_argument("address", metavar="ADDRESS", nargs="?", help="where the service is")
    parser.add_argument("--json", choices=("pretty", "short"), help="print results in this form")
    timeout_option(parser)
    where_options(parser)


def run(args: Namespace) -> int | None:
    """Read lines and do what they say."""
    with target_of(args, args.address, None) as target:
        service = Service(target)
        try:
            # Better told now than after the first line.
            service.session()
            interpreter = Interpreter(service, chosen_style(args.json))
            if not (on_terminal() and sys.stdin is not None and sys.stdin.isatty()):
                return run_lines(interpreter)
            try:
                from fastvarlink.cli.shell.prompt import run_prompt
            except ModuleNotFoundError:
                print(
                    "Nothing is completed without prompt_toolkit; pip install 'fastvarlink[cli]' gets it.",
                    file=sys.stderr,
                )
                run_typed(interpreter)
            else:
                run_prompt(interpreter)
        finally:
            service.close()
    return None
