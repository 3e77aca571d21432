"""The command line: ``varlink``, ``python -m fastvarlink``, ``python -m fastvarlink.cli``.

The verbs of the package ``varlink`` are functions, too, that take parsed arguments.
"""

import sys
from collections.abc import Sequence

from fastvarlink.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvarlink.cli.original import varlink_bridge, varlink_call, varlink_help, varlink_info

__all__ = ["main", "varlink_bridge", "varlink_call", "varlink_help", "varlink_info"]

_HOMES = {
    "varlink_bridge": "fastvarlink.cli.original",
    "varlink_call": "fastvarlink.cli.original",
    "varlink_help": "fastvarlink.cli.original",
    "varlink_info": "fastvarlink.cli.original",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status; a failed verb raises SystemExit."""
    try:
        # Here, so that ctrl-C is heard from the first moment on.
        from fastvarlink.cli.dispatch import run

        return run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        # What a shell reports for a program that ctrl-C ended.
        return 130


if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
