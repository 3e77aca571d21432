"""What the package exports is what it says it exports, and what programs of the original expect."""

import ast
import importlib
from pathlib import Path

import pytest

import fastvarlink

# The names that the package varlink, in its versions 31 and 32, has at its top.
ORIGINAL = {
    "BrokenPipeError",
    "Client",
    "ClientInterfaceHandler",
    "ConnectionError",
    "ForkingServer",
    "Interface",
    "InterfaceNotFound",
    "InvalidParameter",
    "MethodNotFound",
    "MethodNotImplemented",
    "RequestHandler",
    "Scanner",
    "Server",
    "Service",
    "SimpleClientInterfaceHandler",
    "ThreadingServer",
    "VarlinkEncoder",
    "VarlinkError",
    "get_listen_fd",
}


@pytest.mark.parametrize(
    "package", ["fastvarlink", "fastvarlink.aio", "fastvarlink.client", "fastvarlink.idl"]
)
def test_what_is_deferred_is_declared(package: str) -> None:
    """The three lists agree: what type checkers see, what is exported, and where it is imported from."""
    module = importlib.import_module(package)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    declared = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert declared == module._HOMES
    # unittest's hook is there as in the original, which does not export it either.
    assert declared.keys() - set(module.__all__) <= {"load_tests"}
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert set(dir(module)) >= set(module.__all__)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Nope'"):
        module.Nope  # noqa: B018


def test_the_original_names_are_there() -> None:
    assert set(fastvarlink.__all__) >= ORIGINAL


@pytest.mark.parametrize("module", ["client", "server", "scanner", "error", "mock", "cli"])
def test_the_original_modules_are_there(module: str) -> None:
    assert importlib.import_module(f"fastvarlink.{module}").__name__ == f"fastvarlink.{module}"


@pytest.mark.parametrize("module", ["fastvarlink.client", "fastvarlink.server", "fastvarlink.error"])
def test_all_of_modules_exists(module: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
    assert loaded.__all__ == sorted(loaded.__all__)
