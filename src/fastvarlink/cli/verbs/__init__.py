"""The verbs, each a module of this package: what it takes, what it does, and examples of its use.

A module has ``EXAMPLES``, command lines for its --help; ``arguments(parser)``, which adds what it takes; and
``run(args)``, which does it and returns the exit status, None for success. Only what is run is imported.
"""

from __future__ import annotations

__all__ = ["HIDDEN", "VERBS"]

#: By the heading they have in --help: the verbs and what they do.
VERBS = {
    "Talk to a service": {
        "info": "print what a service says of itself",
        "help": "print the documentation of an interface or a method",
        "list-interfaces": "list the interfaces of a service",
        "list-methods": "list the methods of a service, or of some of its interfaces",
        "call": "call a method and print the replies",
        "shell": "talk to a service line by line, with completion",
    },
    "Carry calls": {
        "bridge": "pass calls from stdin on to services",
    },
    "Run programs": {
        "exec": "run a program in which 'import varlink' means fastvarlink",
    },
    "Set up": {
        "completion": "print what makes a shell complete this command",
    },
}

#: Verbs for other programs, which no --help lists.
HIDDEN = {"complete"}
