"""Programs that answer org.example.more, to be started by a client; and a stand-in for ssh."""

from __future__ import annotations

import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"

_SERVICE = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
from more import More, service
More.pause = 0
service.serve()
"""

# It carries to this machine what ssh would carry to another one, whose shell gets the words as one line.
_SSH = f"""#!/bin/sh
echo "$@" >> "$0.calls"
if [ "$1" = -W ]; then
    [ "$3" = somewhere ] && exec {sys.executable} -m fastvarlink bridge --connect "unix:$2"
elif [ "$1 $2 $3 $4" = "-e none -T somewhere" ]; then
    shift 4
    exec sh -c "$*"
fi
exit 255
"""


def executable(path: Path, text: str) -> Path:
    """A program that the text is."""
    path.write_text(text)
    path.chmod(0o755)
    return path


def answering(folder: Path, name: str = "answering") -> Path:
    """A program that serves org.example.more where whoever starts it wants it to."""
    return executable(folder / name, _SERVICE)


def stand_in_ssh(folder: Path) -> Path:
    """A command that is called as ssh is and knows one host, ``somewhere``. Its calls are in FILE.calls."""
    return executable(folder / "ssh", _SSH)
