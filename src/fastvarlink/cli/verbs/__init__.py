"""The verbs, each a module of this package: what it takes, what it does, and examples of its use.

A module has ``EXAMPLES``, command lines for its --help; ``arguments(parser)``, which adds what it takes; and
``run(args)``, which does it and returns the exit status, None for success. Only what is run is imported.
"""

from __future__ import annotations

__all__ = ["VERBS"]

#: By the heading they have in --help: the verbs and what they do.
VERBS = {
    "Talk to a service": {
        "info": "print what a service says of itself",
        "help": "print the documentation of an interface or a method",
        "list-interfaces": "list the interfaces of a service",
        "list-methods": "list the methods of a service, or of some of its interfaces",
        "call": "call a method and print the replies",
    },
    "Carry calls": {
        "bridge": "pass calls from stdin on to services",
    },
    "Run services": {
        "serve": "serve a service of Python, or a command",
        "mock": "serve example data, made from a definition alone",
    },
    "Run programs": {
        "exec": "run a program in which 'import varlink' means fastvarlink",
    },
}
