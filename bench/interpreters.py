"""Which interpreter has which library, and what to install where none has it."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from programs import command_output
from rounds import FailedRunError, MissingPeerError

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "bench"
VARLINK = "31.0.0"
MODULES = {"pyzmq": "zmq", "grpcio": "grpc"}  # where a package and its module differ in name


def find_fastvarlink() -> str:
    """Return this interpreter, if it has this project."""
    try:
        command_output([sys.executable, "-c", "from fastvarlink import Client, serve"])
    except FailedRunError as reason:
        raise MissingPeerError(f"{reason}; install this project into {sys.executable}") from None
    return sys.executable


def find_module(name: str) -> str:
    """Return this interpreter, if it has the package of that name."""
    if find_spec(MODULES.get(name, name)) is None:
        raise MissingPeerError(f"{name} is not installed; install it into {sys.executable}")
    return sys.executable


def find_varlink() -> str:
    """Return an interpreter that has python-varlink: the one named, or this one."""
    python = os.environ.get("FASTVARLINK_BENCH_VARLINK_PYTHON", sys.executable)
    if varlink_version(python) is None:
        raise MissingPeerError(
            f"{python} has no package varlink; install varlink=={VARLINK} into it, or name an interpreter"
            " that has it in FASTVARLINK_BENCH_VARLINK_PYTHON"
        )
    return python


def varlink_version(python: str) -> str | None:
    """Return the version of python-varlink in an interpreter, or None."""
    code = "import importlib.metadata as m; print(m.version('varlink'))"
    try:
        return command_output([python, "-c", code]).strip()
    except FailedRunError:
        return None
