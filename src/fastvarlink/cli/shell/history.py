"""Where the lines that were typed are kept."""

from __future__ import annotations

import os

__all__ = ["history_file"]


def history_file() -> str:
    """The path of the file, made for this user alone if it was not there. OSError if it cannot be written."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = os.path.expanduser("~/.local/state")
    folder = os.path.join(state, "fastvarlink")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, "history")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    return path
