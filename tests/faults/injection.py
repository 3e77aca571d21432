"""The library that makes calls fail: built, preloaded into programs, and told what is to fail."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
from pathlib import Path
from typing import Self

#: As in inject.c, in its order.
KINDS = (
    "accept", "recv", "recvmsg", "send", "sendmsg", "epoll_wait", "epoll_ctl", "poll", "eventfd_read",
    "thread", "raw", "object",
)  # fmt: skip
#: In the place of an errno: one byte is transferred, or one event told.
SHORT = -1
ALWAYS = (1, 1 << 62)


class Fault(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64) for name in ("calls", "first", "last", "share", "failure", "struck")
    ]  # fmt: skip


class _Layout(ctypes.Structure):
    _fields_ = [("seed", ctypes.c_int64), ("faults", Fault * len(KINDS))]


def build(folder: Path) -> Path:
    """Compile the library."""
    library = folder / "inject.so"
    source = Path(__file__).parent / "inject.c"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


class Injection:
    """What is to fail in one process. Changes reach it while it runs."""

    def __init__(self, library: Path, path: Path) -> None:
        path.write_bytes(bytes(ctypes.sizeof(_Layout)))
        self._library = library
        self._path = path
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._layout = _Layout.from_buffer(self._memory)

    def environment(self) -> dict[str, str]:
        """For the process to start with."""
        preload = " ".join(filter(None, (os.environ.get("LD_PRELOAD"), str(self._library))))
        return {"LD_PRELOAD": preload, "FASTVARLINK_FAULTS": str(self._path)}

    def arm(
        self, kind: str, failure: int, numbers: tuple[int, int] = (0, 0), share: float = 0.0, seed: int = 0
    ) -> None:
        """Have calls fail: those of the numbers from first to last, counted from now on, or a share."""
        self._layout.seed = seed
        fault = self._of(kind)
        fault.failure = 0
        fault.calls = fault.struck = 0
        fault.first, fault.last = numbers
        fault.share = int(share * 65536)
        fault.failure = failure

    def disarm(self) -> None:
        """Nothing fails any more. The counts go on."""
        for fault in self._layout.faults:
            fault.failure = 0

    def reset(self) -> None:
        """Nothing fails any more, and all counts begin anew."""
        for fault in self._layout.faults:
            fault.failure = fault.calls = fault.struck = 0

    def calls(self, kind: str) -> int:
        """How many calls there were since arm() or reset()."""
        return int(self._of(kind).calls)

    def struck(self, kind: str) -> int:
        """How many of them have failed."""
        return int(self._of(kind).struck)

    def _of(self, kind: str) -> Fault:
        found: Fault = self._layout.faults[KINDS.index(kind)]
        return found

    def close(self) -> None:
        # The view goes first, which the map cannot be closed under.
        del self._layout
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
