"""The command line: ``varlink``, ``python -m fastvarlink``, ``python -m fastvarlink.cli``.

The verbs of the package ``varlink`` are functions, too, that take parsed arguments.
"""

from fastvarlink.cli.main import main
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

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
