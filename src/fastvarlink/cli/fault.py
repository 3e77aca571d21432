"""How a command fails: one sentence on stderr and an exit status, never a traceback.

The exit statuses:

0   it was done
1   the service answered with an error; or what was checked has faults, changes or findings
2   the command line was wrong
3   the service cannot be reached, or the connection was lost
4   it took longer than --timeout
5   the input cannot be used: JSON that is none, parameters that the method does not take, a faulty definition
6   the other side broke the protocol
130 ctrl-C
141 whoever read the output has left
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from fastvarlink.error import DeadlineExceeded, EncodingError, MessageTooLarge, ProtocolError, VarlinkError

__all__ = [
    "BROKEN",
    "FAILED",
    "INTERRUPTED",
    "LATE",
    "LEFT",
    "MISUSED",
    "REJECTED",
    "UNREACHABLE",
    "end_quietly",
    "explain",
    "fail",
    "told",
]

FAILED = 1
MISUSED = 2
UNREACHABLE = 3
LATE = 4
REJECTED = 5
BROKEN = 6
INTERRUPTED = 130
LEFT = 141


def fail(sentence: str, status: int = FAILED) -> NoReturn:
    """Say what was wrong and what to do, and end the program."""
    with contextlib.suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
    raise SystemExit(status)


def end_quietly(status: int) -> NoReturn:
    """End the program without a word, also where what is still to be printed cannot be."""
    # What is still buffered for a reader who has left must not fail once more at exit.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(status)


def explain(whom: str, error: BaseException) -> tuple[str, int]:
    """The sentence and the exit status for what went wrong with a service. ``whom`` says who was called."""
    if isinstance(error, VarlinkError):
        parameters = error.parameters()
        return f"{whom} answered {error.error()}{f' {parameters}' if parameters else ''}.", FAILED
    if isinstance(error, DeadlineExceeded | TimeoutError):
        return f"{whom} took too long: {_sentence(error)}", LATE
    if isinstance(error, ProtocolError):
        return f"{whom} does not speak Varlink as it should: {_sentence(error)}", BROKEN
    if isinstance(error, MessageTooLarge | EncodingError):
        return f"The call cannot be sent to {whom}: {_sentence(error)}", REJECTED
    if isinstance(error, FileNotFoundError):
        missing = f" {error.filename!r}" if error.filename else ""
        return (
            f"{whom} cannot be reached: there is no such file{missing}. Is the service running?",
            UNREACHABLE,
        )
    if isinstance(error, ConnectionRefusedError):
        return f"{whom} cannot be reached: nobody listens there. Is the service running?", UNREACHABLE
    if isinstance(error, PermissionError) and error.filename:
        return (
            f"{whom} cannot be started: {error.filename!r} is no program that this user may run.",
            UNREACHABLE,
        )
    if isinstance(error, PermissionError):
        return (
            f"{whom} cannot be reached: permission denied. Does it let this user in?",
            UNREACHABLE,
        )
    if isinstance(error, OSError):
        return f"{whom} cannot be reached: {_sentence(error)}", UNREACHABLE
    if isinstance(error, SyntaxError):
        return f"{whom} describes an interface that cannot be understood: {error}", BROKEN
    raise error


def _sentence(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{reason.rstrip('.')}."


@contextlib.contextmanager
def told(whom: str) -> Iterator[None]:
    """Turn the errors of calls and connections into a failure. ``whom`` says who was called."""
    try:
        yield
    except (VarlinkError, OSError, SyntaxError, MessageTooLarge, EncodingError) as error:
        fail(*explain(whom, error))
