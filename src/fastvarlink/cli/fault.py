"""How a command fails: one sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn

from fastvarlink.error import VarlinkError

FAILED = 1
MISUSED = 2


def fail(sentence: str, status: int = FAILED) -> NoReturn:
    """Say what was wrong and what to do, and end the program."""
    print(sentence, file=sys.stderr)
    raise SystemExit(status)


@contextlib.contextmanager
def told(whom: str) -> Iterator[None]:
    """Turn the errors of calls and connections into a failure. ``whom`` says who was called."""
    try:
        yield
    except VarlinkError as error:
        parameters = error.parameters()
        fail(f"{whom} answered {error.error()}{f' {parameters}' if parameters else ''}.")
    except FileNotFoundError as error:
        missing = f" {error.filename!r}" if error.filename else ""
        fail(f"{whom} cannot be reached: there is no such file{missing}. Is the service running?")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        fail(f"{whom} cannot be reached: {reason.rstrip('.')}.")
    except SyntaxError as error:
        fail(f"{whom} describes an interface that cannot be understood: {error}")
