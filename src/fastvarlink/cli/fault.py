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
import json
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from fastvarlink.error import DeadlineExceeded, EncodingError, MessageTooLarge, ProtocolError, VarlinkError

__all__ = [
    "BROKEN",
    "FAILED",
    "LATE",
    "LEFT",
    "MISUSED",
    "REJECTED",
    "UNREACHABLE",
    "end_quietly",
    "explain",
    "fail",
    "say",
    "told",
]

FAILED = 1
MISUSED = 2
UNREACHABLE = 3
LATE = 4
REJECTED = 5
BROKEN = 6
LEFT = 141


def fail(sentence: str, status: int = FAILED) -> NoReturn:
    """Say what was wrong and what to do, and end the program."""
    say(sentence)
    raise SystemExit(status)


def say(sentence: str) -> None:
    """Say on stderr what was wrong, if anybody can be told."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(sentence, file=sys.stderr, flush=True)


def end_quietly(status: int) -> NoReturn:
    """End the program without a word, also where what is still to be printed cannot be."""
    # What is still buffered for a reader who has left must not fail once more at exit.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(status)


# By the error, what its receiver can do. {whom} and {method} are what was called.
_ADVICE = {
    "InterfaceNotFound": "'varlink list-interfaces {whom}' lists those that it has.",
    "MethodNotFound": "'varlink list-methods {whom}' lists those that it has.",
    "InvalidParameter": "'varlink help {whom}/{method}' tells what it takes.",
    "ExpectedMore": "Call it with --more.",
    "ExpectedUpgrade": "Call it with --upgrade.",
}


def explain(whom: str, error: BaseException, method: str | None = None) -> tuple[str, int]:
    """The sentence and the exit status for what went wrong with a service. ``whom`` says who was called."""
    if isinstance(error, VarlinkError):
        return _explain_reply(whom, error, method), FAILED
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


def _explain_reply(whom: str, error: VarlinkError, method: str | None) -> str:
    parameters = error.parameters()
    shown = f" {json.dumps(parameters, ensure_ascii=False)}" if parameters else ""
    interface, _, name = error.error().rpartition(".")
    advice = _ADVICE.get(name) if interface == "org.varlink.service" and method is not None else None
    added = "" if advice is None else " " + advice.format(whom=whom, method=method)
    return f"{whom} answered {error.error()}{shown}.{added}"


def _sentence(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{reason.rstrip('.')}."


@contextlib.contextmanager
def told(whom: str, method: str | None = None) -> Iterator[None]:
    """Turn the errors of calls and connections into a failure. ``whom`` was called, for the method."""
    try:
        yield
    except (VarlinkError, OSError, SyntaxError, MessageTooLarge, EncodingError) as error:
        fail(*explain(whom, error, method))
