"""What the command imports: the start of the program is most of what one call takes."""

from __future__ import annotations

import subprocess
import sys

from .command import PATIENCE

# What a call may import of the package, beside the core. Each one makes every call slower, so whoever adds to
# this list has measured it.
OURS = {
    "fastvarlink",
    "fastvarlink.address",
    "fastvarlink.cli",
    "fastvarlink.cli.fault",
    "fastvarlink.cli.finding",
    "fastvarlink.cli.dispatch",
    "fastvarlink.cli.output",
    "fastvarlink.cli.parameters",
    "fastvarlink.cli.replies",
    "fastvarlink.cli.session",
    "fastvarlink.cli.target",
    "fastvarlink.cli.verbs",
    "fastvarlink.cli.verbs.call",
    "fastvarlink.client",
    "fastvarlink.client.connect",
    "fastvarlink.client.ways",
    "fastvarlink.deferred",
    "fastvarlink.error",
    "fastvarlink.limits",
    "fastvarlink.marks",
    "fastvarlink.unixpath",
}
CORE = {
    "buffer",
    "call",
    "channel",
    "control",
    "countdown",
    "deadline",
    "forked",
    "framing",
    "link",
    "message",
    "schema",
    "session",
    "shape",
    "value",
}
# What orjson and socket do not bring along already.
OTHERS = {
    "argparse",
    "warnings",
    "gettext",
    "locale",
    "_locale",
    "shlex",
    "typing",
    "_typing",
    "threading",
    "__future__",
}

IMPORTED = """
import sys
import orjson, socket
before = set(sys.modules)
sys.argv = ["varlink", *sys.argv[1:]]
from fastvarlink.cli import main
status = main()
print(*sorted(set(sys.modules) - before), file=sys.stderr)
sys.exit(status)
"""


def imported(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], capture_output=True, check=True, timeout=PATIENCE
    )
    return set(done.stderr.decode().split())


def test_call_imports_no_more_than_it_may(more: str) -> None:
    allowed = OURS | OTHERS | {"fastvarlink._core"} | {f"fastvarlink._core.{name}" for name in CORE}
    got = imported("call", f"{more}/org.example.more.Ping", '{"ping": "x"}')
    # What Cython and typing make of themselves.
    made = {name for name in got if name.startswith(("cython_runtime", "_cython_", "typing."))}
    assert got - allowed - made == set()


def test_help_loads_no_verb() -> None:
    assert not any(name.startswith("fastvarlink.cli.verbs.") for name in imported("--help"))
