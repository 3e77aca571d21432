"""The compiled core: one Extension a module, and the build modes. Everything else is in pyproject.toml.

FASTVARLINK_BUILD chooses the mode:
  release   (default) optimised, no debug information
  debug     the core's own checks on, symbols kept, warnings are errors
  coverage  line tracing for coverage.py
  sanitize  AddressSanitizer and UndefinedBehaviorSanitizer, with gcc; tools/sanitize.sh runs it
  fuzz      the same two and counters for libFuzzer, with CC=clang; tools/fuzz.sh runs it
"""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup

MODULES = (
    "tree",  # interface definitions as syntax trees
    "lexer",  # the tokens of a definition
    "reading",  # a walk over tokens
    "structs",  # the types of a definition
    "grammar",  # from a definition to its tree
    "names",  # names that are declared, and names that are used
    "forked",  # whose process this is
    "countdown",  # spans of time
    "deadline",  # until when a call may take
    "buffer",  # owned bytes
    "control",  # file descriptors that travel with messages
    "framing",  # NUL
    "message",  # envelopes of calls and replies
    "session",  # whose turn it is
    "value",  # what JSON can carry
    "shape",  # the program's classes for structs and enums
    "schema",  # checkers made from IDL types
    "context",  # where calls come from
    "interception",  # what stands around calls
    "plan",  # what is known of a method before it is called
    "tasks",  # handlers that are coroutines
    "dispatch",  # from a call to its handler and back
    "link",  # one socket
    "reactor",  # epoll and who waits in it
    "watchdog",  # who sees that it is held up
    "hosted",  # a reactor that an event loop leads
    "listener",  # a descriptor that a Python callable is told of
    "terms",  # what connections have in common
    "endpoint",  # the server's end of one socket
    "connection",  # when to do what with it
    "waiting",  # the same on a thread of its own
    "call",  # from arguments to a call, from a reply to its result
    "intercepted",  # what interceptors see of a call that is made
    "channel",  # the client's end of one socket
    "taskchannel",  # the same in an event loop
    "taskcalls",  # calls and streams that tasks wait for
    "remote",  # methods of a service
    "pool",  # connections that are lent
    "pipeline",  # many calls in flight
)

HEADERS = ("check", "control", "park", "spin")

# The -fwrapv that Python was built with would hide overflows.
SANITIZED = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-wrapv"]

# -O3 is named here because a CFLAGS in the environment would drop the one Python was built with.
MODES = {
    "release": {"args": ["-O3", "-g0"], "macros": [], "directives": {}},
    "debug": {"args": ["-O1", "-g", "-Werror"], "macros": [("FASTVARLINK_DEBUG", "1")], "directives": {}},
    "coverage": {
        "args": ["-O0", "-g"],
        "macros": [("FASTVARLINK_DEBUG", "1"), ("CYTHON_TRACE_NOGIL", "1")],
        "directives": {"linetrace": True},
    },
    "sanitize": {
        # Undefined behaviour traps, and AddressSanitizer reports the trap: where gcc's runtimes for both are
        # in one process, only one of them writes its reports to a log.
        "args": [*SANITIZED, "-fsanitize=address,undefined", "-fsanitize-undefined-trap-on-error"],
        "macros": [("FASTVARLINK_DEBUG", "1")],
        "directives": {},
    },
    "fuzz": {
        "args": [
            *SANITIZED,
            "-fsanitize=fuzzer-no-link,address,undefined",
            "-fno-sanitize-recover=undefined",
            # Cython adds 0 to NULL where a function gets no arguments. gcc has this check without that case.
            "-fno-sanitize=pointer-overflow",
        ],
        "macros": [("FASTVARLINK_DEBUG", "1")],
        "directives": {},
    },
}

mode = os.environ.get("FASTVARLINK_BUILD", "release")
if mode not in MODES:
    raise SystemExit(f"FASTVARLINK_BUILD={mode} is no build mode; choose one of {', '.join(MODES)}.")
build = MODES[mode]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"fastvarlink._core.{name}",
                [f"cext/fastvarlink/_core/{name}.pyx"],
                extra_compile_args=[*build["args"], "-fvisibility=hidden", "-Wall", "-Wextra"],
                include_dirs=["cext/fastvarlink/_core"],
                depends=[f"cext/fastvarlink/_core/{name}.h" for name in HEADERS],
                define_macros=[("_GNU_SOURCE", None), *build["macros"]],
            )
            for name in MODULES
        ],
        include_path=["cext"],
        build_dir=f"build/{mode}/cython",
        compiler_directives={"language_level": "3str", "embedsignature": True, **build["directives"]},
    ),
    # A folder for each mode: what one has compiled must not pass for another's.
    options={"build": {"build_base": f"build/{mode}"}, "build_ext": {"parallel": os.cpu_count()}},
)
