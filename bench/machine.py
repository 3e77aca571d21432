"""What the figures depend on."""

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from board import OTHERS
from interpreters import varlink_version
from lab import FASTVARLINK, HERE, PYTHON_VARLINK, Lab
from programs import command_output
from rounds import FailedRunError, MissingPeerError

PACKAGES = ["fastvarlink", "orjson", "asyncvarlink", "uvloop", *OTHERS, "pytest-benchmark", "matplotlib"]


def describe_machine(lab: Lab) -> list[str]:
    """Return what the figures depend on: processor, kernel and versions."""
    processor = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    parts = [f"Python {sys.version.split()[0]}"]
    for package in PACKAGES:
        try:
            parts.append(f"{package} {version(package)}")
        except ModuleNotFoundError:
            parts.append(f"{package} {'built in place' if package == FASTVARLINK else 'missing'}")
    try:
        python = lab.python_of(PYTHON_VARLINK)
        theirs = command_output([python, "-c", "import sys; print(sys.version.split()[0])"])
        parts.append(f"python-varlink {varlink_version(python)} on Python {theirs.strip()}")
    except (MissingPeerError, FailedRunError):
        parts.append("python-varlink missing")
    for command in (["cc", "--version"], ["go", "version"]):
        if shutil.which(command[0]):
            parts.append(command_output(command).splitlines()[0])
        else:
            parts.append(f"{command[0]} missing")
    try:
        words = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
        parts.append(f"commit {command_output(words).strip()}")
    except (FailedRunError, OSError):
        parts.append("commit unknown")
    core = " ".join(lab.pin)
    uname = os.uname()
    return [
        f"{processor}, {os.cpu_count()} cores, {uname.sysname} {uname.release}",
        ", ".join(parts),
        f"every measured process under {core}, but for clients that are said to have another core",
    ]
