"""Addresses that stand for programs, with the asyncio client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from client.programs import answering, executable, stand_in_ssh
from fastvarlink import aio
from fastvarlink.error import AddressError, ConnectionLost

MORE = "org.example.more"
Run = Callable[[Callable[[], Any]], None]


def children() -> set[str]:
    """The processes that this one has started, zombies included."""
    return set(Path("/proc/self/task", str(os.getpid()), "children").read_text().split())


def test_a_client_of_a_program(run: Run, tmp_path: Path) -> None:
    address = f"exec:{answering(tmp_path)}"
    before = children()

    async def main() -> None:
        async with aio.Client(address) as client:
            assert str(client) == address
            more = await client.open(MORE)
            assert await more.Ping("here") == {"pong": "here"}
            assert len([reply async for reply in more.TestMore(2, _more=True)]) == 5
        assert children() == before

    run(main)


def test_a_pool_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEMD_SSH", str(stand_in_ssh(tmp_path)))
    before = children()

    async def main() -> None:
        async with aio.Pool(f"ssh-exec:somewhere:{answering(tmp_path)}", size=2) as pool:
            more = await pool.open(MORE)
            async with more.TestMore(1, _more=True) as stream:
                await anext(stream)
                assert await more.Ping("beside") == {"pong": "beside"}
            assert len(children() - before) == 2
        assert children() == before

    asyncio.run(main())


def test_a_program_that_ends_before_it_answers(run: Run, tmp_path: Path) -> None:
    program = executable(tmp_path / "ending", "#!/bin/sh\nexit 3\n")

    async def main() -> None:
        async with aio.Client(f"exec:{program}") as client:
            with pytest.raises(ConnectionLost, match=f"'{program}' has ended with exit status 3"):
                await client.open(MORE)

    run(main)


def test_addresses_that_are_none(tmp_path: Path) -> None:
    async def main() -> None:
        async with aio.Client(f"exec:{tmp_path}/missing") as client:
            with pytest.raises(FileNotFoundError, match="missing"):
                await client.open(MORE)
        with pytest.raises(AddressError, match="no helper program"):
            aio.Client("gopher:hole")

    asyncio.run(main())


def test_a_port_of_a_machine_that_is_not_there(run: Run) -> None:
    async def main() -> None:
        async with aio.Client("vsock:4294967290:1", timeout=0.05) as client:
            with pytest.raises(OSError, match=r"."):
                await client.open(MORE)

    run(main)
