"""Our clients against a service of systemd that streams: the one that offers files as volumes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE
from systemd import command, running

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ExpectedMore

OPEN_FILES = Path("/proc/self/fd")
STORAGE = "io.systemd.StorageProvider"
VOLUME = {"name": "a", "createMode": "any", "requestAs": "reg", "createSizeBytes": 4096}
# Some of those that it knows.
TEMPLATES = {"directory", "sparse-file", "subvolume"}


@pytest.fixture
def words(systemd_tree: Path, tmp_path: Path) -> list[str]:
    """What runs the service, with its volumes in a folder of the test."""
    program = "usr/lib/systemd/systemd-storage-fs"
    if not (systemd_tree / program).exists():
        pytest.skip("This systemd does not offer volumes yet.")
    folder = tmp_path / "state"
    folder.mkdir()
    return ["env", f"XDG_STATE_HOME={folder}", *command(systemd_tree, program), "--user"]


@pytest.fixture
def storage(words: list[str], tmp_path: Path) -> Iterator[str]:
    """The address of the service."""
    address = f"unix:{tmp_path}/storage"
    with running(words, address):
        yield address


def test_streams(storage: str) -> None:
    with fastvarlink.Client(storage) as client, client.open(STORAGE) as provider:
        assert {reply["name"] for reply in provider.ListTemplates(_more=True)} >= TEMPLATES
        with pytest.raises(ExpectedMore):
            provider.ListTemplates()
        with pytest.raises(provider.NoSuchVolume):
            list(provider.ListVolumes(_more=True))
        assert [reply["name"] for reply in provider.ListTemplates("sub*", _more=True)] == ["subvolume"]


@pytest.mark.rule("R6")
def test_streams_that_are_left(storage: str) -> None:
    with fastvarlink.Client(storage) as client, client.open(STORAGE) as provider:
        replies = provider.ListTemplates(_more=True)
        assert next(replies)["name"]
        replies.close()
        # Over a new connection.
        assert {reply["name"] for reply in provider.ListTemplates(_more=True)} >= TEMPLATES


def test_streams_of_tasks(storage: str) -> None:
    async def main() -> None:
        async with aio.Client(storage) as client, await client.open(STORAGE) as provider:

            async def names() -> set[str]:
                return {reply["name"] async for reply in provider.ListTemplates(_more=True)}

            found = await asyncio.gather(*(names() for _ in range(5)))
            assert found[0] >= TEMPLATES
            assert found == found[:1] * 5
            with pytest.raises(ExpectedMore):
                await provider.ListTemplates()
            with pytest.raises(provider.NoSuchVolume):
                await anext(provider.ListVolumes(_more=True))

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_descriptors_that_nobody_wants(storage: str) -> None:
    """A volume comes as a descriptor beside the reply."""
    with fastvarlink.Client(storage) as client, client.open(STORAGE) as provider:
        before = len(list(OPEN_FILES.iterdir()))
        for _ in range(3):
            reply = provider.Acquire(**VOLUME)
            assert reply["fileDescriptorIndex"] == 0
            assert reply["type"] == "reg"
        assert len(list(OPEN_FILES.iterdir())) == before


@pytest.mark.rule("D2")
def test_descriptor(storage: str) -> None:
    text = os.urandom(4096)
    with fastvarlink.Client(storage) as client, client.open(STORAGE) as provider:
        for mode in ("new", "open"):
            received = fastvarlink.Descriptors()
            reply = provider.Acquire(**{**VOLUME, "createMode": mode}, _descriptors=received)
            volume = received.take(reply["fileDescriptorIndex"])
            with open(volume, "r+b", buffering=0) as file:
                assert not os.get_inheritable(volume)
                assert os.fstat(volume).st_size == 4096
                if mode == "new":
                    file.write(text)
                assert os.pread(volume, 4096, 0) == text
        with pytest.raises(provider.VolumeExists):
            provider.Acquire(**{**VOLUME, "createMode": "new"})


def test_started_with_a_listening_socket(words: list[str]) -> None:
    with fastvarlink.Client.new_with_activate(words) as client:
        assert STORAGE in client.get_interfaces()


def test_started_behind_standard_input(words: list[str]) -> None:
    with fastvarlink.Client.new_with_bridge(["env", "SYSTEMD_VARLINK_LISTEN=-", *words]) as client:
        assert STORAGE in client.get_interfaces()
        with client.open(STORAGE) as provider:
            assert {reply["name"] for reply in provider.ListTemplates(_more=True)} >= TEMPLATES
