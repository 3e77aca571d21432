"""Programs of a real systemd, from the folder that tools/systemd_peer.sh makes."""

import os
import socket
import subprocess
import time
from pathlib import Path

from programs import PATIENCE
from rounds import FailedRunError, MissingPeerError


def program_of_systemd(name: str) -> list[str]:
    """Return the words that run a program with the libraries of its folder; MissingPeerError without it."""
    named = os.environ.get("FASTVARLINK_SYSTEMD_TREE")
    if not named:
        raise MissingPeerError(
            "FASTVARLINK_SYSTEMD_TREE is not set; run tools/systemd_peer.sh FOLDER and name the folder"
        )
    tree = Path(named)
    loaders = list(tree.glob("lib64/ld-linux*"))
    if not loaders or not (tree / name).exists():
        raise MissingPeerError(f"FASTVARLINK_SYSTEMD_TREE names {tree}, where no {name} is")
    if os.geteuid() != 0:
        raise MissingPeerError("only root may run what is in FASTVARLINK_SYSTEMD_TREE")
    libraries = [folder for lib in tree.glob("usr/lib/*-linux-gnu") for folder in (lib, lib / "systemd")]
    return [str(loaders[0]), "--library-path", ":".join(map(str, libraries)), str(tree / name)]


def wait_and_stay(process: subprocess.Popen[str], path: str) -> socket.socket:
    """Connect once the service listens, which it does not announce; it ends with its last connection."""
    deadline = time.monotonic() + PATIENCE
    connection = socket.socket(socket.AF_UNIX)
    while True:
        try:
            connection.connect(path)
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                connection.close()
                raise FailedRunError(f"the service does not listen ({error})") from None
            time.sleep(0.01)
        else:
            return connection
