"""What the package exports is what it says it exports, and what programs of the original expect."""

import importlib
import types

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


def test_all_is_what_is_there() -> None:
    public = {
        name
        for name, value in vars(fastvarlink).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    # unittest's hook is there as in the original, which does not export it either.
    assert public - {"load_tests"} == set(fastvarlink.__all__)


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
