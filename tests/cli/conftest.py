"""Services for the command to talk to."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
PATIENCE = 60
RESOLVER_IDL = """interface org.varlink.resolver
method GetInfo() -> (vendor: string, product: string, version: string, url: string,
  interfaces: []string)
method Resolve(interface: string) -> (address: string)
error InterfaceNotFound (interface: string)
"""
# Resolves org.example.more and org.varlink.resolver, and nothing else.
RESOLVER = """
import sys
import fastvarlink as varlink
folder, address, more = sys.argv[1:]
service = varlink.Service(vendor="resolver", interface_dir=folder)

@service.interface("org.varlink.resolver")
class Resolver:
    def GetInfo(self):
        return dict(vendor="resolved", product="", version="", url="", interfaces=[])
    def Resolve(self, interface):
        if interface != "org.example.more":
            raise varlink.VarlinkError({"error": "org.varlink.resolver.InterfaceNotFound",
                                        "parameters": {"interface": interface}})
        return {"address": more}

class Handler(varlink.RequestHandler):
    pass

Handler.service = service
with varlink.ThreadingServer(address, Handler) as server:
    print("ready", flush=True)
    server.serve_forever()
"""


@contextlib.contextmanager
def started(*words: str) -> Iterator[None]:
    """A program in Python that has printed its first line, until the end of the block."""
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
            assert readable
            assert process.stdout.readline()
            yield
        finally:
            process.kill()


@pytest.fixture(scope="session")
def more(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running examples/more.py."""
    address = f"unix:{tmp_path_factory.mktemp('more')}/more"
    with started(str(EXAMPLES / "more.py"), f"--varlink={address}", "--pause=0"):
        yield address


@pytest.fixture(scope="session")
def resolver(more: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running resolver that knows the service more."""
    folder = tmp_path_factory.mktemp("resolver")
    (folder / "org.varlink.resolver.varlink").write_text(RESOLVER_IDL)
    address = f"unix:{folder}/resolver"
    with started("-c", RESOLVER, str(folder), address, more):
        yield address


@pytest.fixture
def registry(more: str, tmp_path: Path) -> Path:
    """What to set XDG_RUNTIME_DIR to. The registry in it has the service more, and things of no use."""
    folder = tmp_path / "varlink" / "registry"
    folder.mkdir(parents=True)
    (folder / "org.example.more").symlink_to(more.removeprefix("unix:"))
    (folder / "org.example.file").write_text("")
    (folder / "org.example.nowhere").symlink_to(tmp_path / "nowhere")
    return tmp_path
