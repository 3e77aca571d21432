"""The verbs, each a module of this package: what it takes, what it does, and examples of its use.

A module has ``EXAMPLES``, command lines for its --help; ``arguments(parser)``, which adds what it takes; and
``run(args)``, which does it and returns the exit status, None for success. Only what is run is imported.
"""

from __future__ import annotations

__all__ = ["ALIASES", "HIDDEN", "VERBS"]

#: By the heading they have in --help: the verbs and what they do.
VERBS = {
    "Talk to a service": {
        "info": "print what a service says of itself",
        "help": "print the documentation of an interface, a method or a verb",
        "introspect": "print the definitions of a service's interfaces",
        "list-interfaces": "list the interfaces of a service",
        "list-methods": "list the methods of a service, or of some of its interfaces",
        "call": "call a method and print the replies",
        "shell": "talk to a service line by line, with completion",
    },
    "Find services": {
        "resolve": "print the address of the service that has an interface",
        "list-registry": "list the services that are registered by their interfaces",
        "list-sockets": "list the listening sockets that are marked as those of services",
    },
    "Work on definitions": {
        "validate": "find the faults of definitions",
        "format": "print or write definitions in the one usual form",
        "lint": "find what other implementations refuse or misread",
        "diff": "tell what changed between two versions, and what breaks",
        "generate": "make a typed Python module from a definition",
        "docs": "make documentation, as Markdown or HTML",
    },
    "Carry calls": {
        "bridge": "pass calls from stdin on to services",
    },
    "Watch and measure": {
        "monitor": "show what clients and a service say to each other",
        "replay": "make recorded calls again and compare the replies, or answer as recorded",
        "ping": "measure how long a service takes to answer",
    },
    "Run services": {
        "serve": "serve a service of Python, or a command",
        "mock": "serve example data, made from a definition alone",
    },
    "Run programs": {
        "exec": "run a program in which 'import varlink' means fastvarlink",
    },
    "Set up": {
        "completion": "print what makes a shell complete this command",
    },
}

#: What verbs are called elsewhere, which --help does not list.
ALIASES = {
    "validate-idl": "validate",
}

#: Verbs for other programs, which no --help lists.
HIDDEN = {"complete"}
