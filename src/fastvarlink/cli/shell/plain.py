"""Lines as they come: from a pipe, or from a terminal without completion."""

from __future__ import annotations

import sys

from fastvarlink.cli.fault import REJECTED, fail
from fastvarlink.cli.shell.interpreter import Interpreter
from fastvarlink.cli.shell.line import is_open

__all__ = ["run_lines", "run_typed"]


def run_lines(interpreter: Interpreter) -> int:
    """Do what stdin says, to its end or to ``exit``. Returns the status of the last line that failed."""
    if sys.stdin is None:
        fail("The lines cannot be read: stdin is closed.", REJECTED)
    text = ""
    try:
        for line in sys.stdin.buffer:
            text += line.decode().rstrip("\n") if line.strip() else "\n"
            if is_open(text):
                text += " "
            elif not interpreter.run(text):
                return interpreter.status
            else:
                text = ""
        if text:
            interpreter.run(text)
    except UnicodeDecodeError as error:
        fail(f"The lines on stdin are not UTF-8: {error}.", REJECTED)
    except OSError as error:
        fail(f"The lines cannot be read from stdin: {error.strerror}.", REJECTED)
    return interpreter.status


def run_typed(interpreter: Interpreter) -> None:
    """Do what is typed on a terminal, until ctrl-D or ``exit``."""
    while True:
        try:
            text = input("varlink> ")
            while is_open(text):
                text += f"\n{input('... ')}"
            if not interpreter.run(text):
                return
        except KeyboardInterrupt:
            print()
        except EOFError:
            print()
            return
