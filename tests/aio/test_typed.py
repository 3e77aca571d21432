"""Asynchronous clients as they are generated from a definition."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, InterfaceError, InvalidParameter
from wire.sample import RunningServer

from .running import run

TEXT = """\
interface org.example.places

type Kind (town, village)
type Place (name: string, kind: Kind, class: ?int)

method Find(name: string, kind: ?Kind) -> (place: Place)
method List(n: int) -> (place: Place)
method Forget() -> ()

error Unknown (name: string, similar: []Place)
"""


class Kind(enum.Enum):
    TOWN = "town"
    VILLAGE = "village"


@dataclass
class Place:
    name: str
    kind: Kind
    class_: int | None = None


@dataclass
class Found:
    place: Place


class Unknown(InterfaceError):
    name: str
    similar: list[Place]


DEFINITION = fastvarlink.Definition(
    TEXT, {"Kind": Kind, "Place": Place, "Find.output": Found, "List.output": Found, "Unknown": Unknown}
)


class AsyncPlaces(fastvarlink.AsyncTypedClient, definition=DEFINITION):
    def Find(self, name: str, kind: Kind | None = None, *, _more: bool = False, _oneway: bool = False) -> Any:
        return self._invoke("Find", (name, kind), _more, _oneway)

    def List(self, n: int, *, _more: bool = False, _oneway: bool = False) -> Any:
        return self._invoke("List", (n,), _more, _oneway)

    def Forget(self, *, _more: bool = False, _oneway: bool = False) -> Any:
        return self._invoke("Forget", (), _more, _oneway)


class BlockingPlaces(fastvarlink.TypedClient, definition=DEFINITION):
    pass


class Handlers(fastvarlink.TypedService, definition=DEFINITION):
    def Find(self, name: str, kind: Kind | None) -> Found:
        place = Place(name, kind or Kind.VILLAGE, 3)
        if name == "nowhere":
            raise Unknown(name=name, similar=[place])
        return Found(place)

    def List(self, n: int) -> Iterator[Found]:
        for i in range(n):
            yield Found(Place(str(i), Kind.TOWN))

    def Forget(self) -> None:
        return None


@pytest.fixture
def places(tmp_path: Path) -> Iterator[RunningServer]:
    service = fastvarlink.Service()
    service.interface(Handlers)
    server = RunningServer(tmp_path, service=service)
    yield server
    server.stop()


def test_results_are_objects(places: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(places.address) as client, await client.open(AsyncPlaces) as typed:
            assert await typed.Find("a") == Found(Place("a", Kind.VILLAGE, 3))
            found = await typed.Find("b", Kind.TOWN)
            assert found.place.kind is Kind.TOWN
            assert await typed.Forget() is None
            assert await typed.Forget(_oneway=True) is None
            both = await asyncio.gather(typed.Find("c"), typed.Find("d"))
            assert [each.place.name for each in both] == ["c", "d"]

    run(main)


def test_replies_of_a_stream_are_objects(places: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(places.address) as client:
            typed = await client.open(AsyncPlaces)
            names = [reply.place.name async for reply in typed.List(3, _more=True)]
            assert names == ["0", "1", "2"]
            async for reply in typed.List(100, _more=True):
                assert reply == Found(Place("0", Kind.TOWN))
                break
            assert await typed.Find("a") == Found(Place("a", Kind.VILLAGE, 3))

    run(main)


def test_errors_are_objects(places: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(places.address) as client:
            typed = await client.open(AsyncPlaces)
            with pytest.raises(Unknown) as caught:
                await typed.Find("nowhere")
            assert caught.value.similar == [Place("nowhere", Kind.VILLAGE, 3)]
            with pytest.raises(InvalidParameter):
                await typed.Find(1)  # type: ignore[arg-type]

    run(main)


def test_closing(places: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(places.address) as client:
            async with await client.open(AsyncPlaces) as typed:
                pass
            await typed.close()
            with pytest.raises(ConnectionLost, match="by this program"):
                await typed.Find("a")

    run(main)


def test_a_blocking_client_is_refused(places: RunningServer) -> None:
    async def main() -> None:
        async with aio.Client(places.address) as client:
            with pytest.raises(TypeError, match="BlockingPlaces is no AsyncTypedClient"):
                await client.open(BlockingPlaces)  # type: ignore[type-var]

    run(main)
