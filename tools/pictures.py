"""Makes the pictures of the terminal in docs/command.md, by running the command on a terminal.

Usage: pictures.py [FOLDER]
FOLDER is docs/pictures where it is not given. Needs the extra "cli", for rich, which draws.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "unix:/run/org.example.more"
COLUMNS, LINES = 88, 40
PATIENCE = 60

# By the name of the picture: the command lines in it.
PICTURES = {
    "call": [
        "varlink call unix:/run/org.example.more/org.example.more.Ping ping=hello",
        "varlink call --more unix:/run/org.example.more/org.example.more.TestMore n=1",
        "varlink call unix:/run/org.example.more/org.example.more.Ping",
    ],
    "validate": ["varlink validate faulty.varlink", "varlink diff old.varlink org.example.more.varlink"],
    "help": ["varlink help unix:/run/org.example.more/org.example.more.TestMore"],
    "introspect": ["varlink introspect unix:/run/org.example.more org.example.more"],
    "ping": ["varlink ping --flood -c 20000 unix:/run/org.example.more"],
}


# Files beside the command: the definition of the example, what it was once, and one with mistakes.
DEFINITION = (ROOT / "examples" / "org.example.more.varlink").read_text("utf-8")
FILES = {
    "org.example.more.varlink": DEFINITION,
    "old.varlink": DEFINITION.replace("Ping(ping: string)", "Ping(ping: int)").replace(
        "  end: ?bool", "  over: ?bool"
    ),
    "faulty.varlink": DEFINITION.replace("ping: string", "ping: str").replace(
        "(state: State)", "(state: Stat)"
    ),
}


def output_of(command: str, address: str, folder: str) -> str:
    """What a command line shows on a terminal in a folder, as if the service were at SERVICE."""
    words = [sys.executable, "-m", "fastvarlink", *command.replace(SERVICE, address).split()[1:]]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    environment["TERM"] = "xterm-256color"
    shown = b""
    with open(ours, "rb", buffering=0, closefd=True) as terminal:
        with closing(os.fdopen(theirs, "wb", buffering=0)) as end:
            process = subprocess.Popen(words, stdin=end, stdout=end, stderr=end, env=environment, cwd=folder)
        with process:
            while select.select([terminal], [], [], PATIENCE)[0]:
                try:
                    data = terminal.read(65536)
                except OSError:
                    # What Linux says when nobody has the terminal open any more.
                    break
                shown += data or b""
            process.kill()
    text = shown.decode().replace("\r\n", "\n").replace(address, SERVICE)
    # Of a line that was drawn again and again, the last state.
    return "\n".join(line.rpartition("\r")[2] for line in text.rstrip("\n").split("\n"))


def draw(commands: list[str], address: str, folder: str) -> str:
    """The picture of a terminal in which the command lines were run, as SVG."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for command in commands:
        console.print(Text("$ ", style="bold green") + Text(command, style="bold"))
        console.print(Text.from_ansi(output_of(command, address, folder)))
    # The same file for the same text, so that a picture changes only with what it shows.
    picture = console.export_svg(title="varlink", unique_id="terminal")
    # A page that shows it need not fetch fonts from anywhere.
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


def main() -> None:
    """Draw all pictures into the folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        address = f"unix:{place}/more"
        for name, text in FILES.items():
            Path(place, name).write_text(text, "utf-8")
        service = [sys.executable, str(ROOT / "examples" / "more.py"), f"--varlink={address}", "--pause=0"]
        with subprocess.Popen(service, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                process.stdout.readline()
                for name, commands in PICTURES.items():
                    (folder / f"{name}.svg").write_text(draw(commands, address, place), "utf-8")
            finally:
                process.kill()


if __name__ == "__main__":
    main()
