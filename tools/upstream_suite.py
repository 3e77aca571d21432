"""Runs the tests that ship inside the package ``varlink`` 31.0.0, with fastvarlink in its place.

Usage: python tools/upstream_suite.py [SITE-PACKAGES]

The interpreter must have fastvarlink; SITE-PACKAGES is where varlink is, if it is not installed for
the same interpreter. Ends with status 0 only when every test ran on fastvarlink and passed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import fastvarlink

# As many as 31.0.0 has. Fewer means that some were not found.
TESTS = 16


def load() -> unittest.TestSuite:
    """All tests of varlink.tests, each module of which must have got fastvarlink as ``varlink``."""
    fastvarlink.install()
    package = import_module("varlink.tests")
    if package.__file__ is None:
        sys.exit("The tests of the package varlink were not found; install varlink==31.0.0.")
    suite = unittest.TestSuite()
    for path in sorted(Path(package.__file__).parent.glob("test_*.py")):
        module = import_module(f"varlink.tests.{path.stem}")
        if getattr(module, "varlink", fastvarlink) is not fastvarlink:
            sys.exit(f"{module.__name__} has imported {module.varlink}, not fastvarlink.")
        suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(module))
    return suite


def names(suite: unittest.TestSuite) -> Iterator[str]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from names(test)
        else:
            yield test.id()


def main() -> None:
    sys.path.extend(os.path.abspath(path) for path in sys.argv[1:])
    try:
        suite = load()
    except ModuleNotFoundError as error:
        sys.exit(f"{error}; install varlink==31.0.0, or give the folder where it is.")
    loaded = len(list(names(suite)))
    # Some of the tests leave files where they run.
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        os.chdir("/")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped) + len(result.expectedFailures)
    passed = result.testsRun - failed - skipped
    print(f"varlink's own tests: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if loaded < TESTS or passed != loaded:
        sys.exit(f"All of at least {TESTS} tests must pass; {loaded} were found, {passed} passed.")


if __name__ == "__main__":
    main()
