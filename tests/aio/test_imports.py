"""What fastvarlink.aio imports beside asyncio: more would make programs that use it start later."""

from __future__ import annotations

import subprocess
import sys

PATIENCE = 60
IMPORTED = """
import sys
import asyncio, orjson, socket
before = set(sys.modules)
exec(sys.argv[1])
print(*sorted(set(sys.modules) - before))
"""


def imported(statement: str) -> tuple[set[str], set[str]]:
    """The modules of this package, without its name, that a statement imports, and the others."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, statement],
        capture_output=True,
        check=True,
        text=True,
        timeout=PATIENCE,
    )
    names = set(done.stdout.split())
    ours = {name.removeprefix("fastvarlink.") for name in names if name.startswith("fastvarlink.")}
    # What Cython makes of itself is no module.
    others = {name for name in names if not name.startswith(("fastvarlink", "cython_runtime", "_cython_"))}
    return ours, others


def of(package: str, names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == package}


def test_the_package_alone_imports_next_to_nothing() -> None:
    assert imported("import fastvarlink.aio") == ({"aio", "deferred"}, {"__future__"})


def test_a_client_imports_nothing_of_servers_and_of_blocking_clients() -> None:
    ours, others = imported("from fastvarlink.aio import Client")
    assert of("server", ours) | of("service", ours) == set()
    ways = {"client", "client.connect", "client.interceptors", "client.plans", "client.typed", "client.ways"}
    assert of("client", ours) <= ways
    assert of("aio", ours) & {"aio.loop", "aio.pool", "aio.server"} == set()
    assert others <= {"__future__", "difflib"}


def test_a_server_imports_nothing_of_clients() -> None:
    ours, others = imported("from fastvarlink.aio import serve")
    assert of("client", ours) | of("aio", ours) & {"aio.client", "aio.pool"} == set()
    assert others <= {"__future__", "_queue", "difflib", "mmap", "queue", "resource", "socketserver"}
