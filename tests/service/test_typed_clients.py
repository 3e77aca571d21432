"""Clients that are typed: what they send, and what becomes of what they receive."""

from __future__ import annotations

import enum
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

import fastvarlink
from fastvarlink.error import InvalidParameter, VarlinkError

PATIENCE = 10.0
WIDE = 40  # fields, more than are passed without a dict
TEXT = f"""
interface org.example.typed
type Color (red, class)
type Item (name: string, class: ?Color, tags: ?[string](), inner: ?(x: int), seen: ?[]int)
type Wide ({", ".join(f"f{i}: ?int" for i in range(WIDE))})
method Get(from: ?string, item: ?Item) -> (item: Item)
method List() -> (item: ?Item)
method Colour(color: Color) -> (color: Color)
method Big(wide: Wide) -> (wide: Wide)
method Ping() -> ()
error Failed (item: Item, error: ?string)
"""


class Color(enum.Enum):
    red = "red"
    class_ = "class"


@dataclass(kw_only=True, slots=True)
class Inner:
    x: int


@dataclass(kw_only=True, slots=True)
class Item:
    name: str
    class_: Color | None = None
    tags: set[str] = field(default_factory=set)
    inner: Inner | None = None
    seen: list[int] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a name is needed")


Wide: Any = dataclass(
    type(
        "Wide",
        (),
        {"__annotations__": {f"f{i}": int | None for i in range(WIDE)}}
        | {f"f{i}": None for i in range(WIDE)},
    )
)


@dataclass(kw_only=True, slots=True)
class GetResult:
    item: Item


@dataclass(kw_only=True, slots=True)
class ListResult:
    item: Item | None = None


@dataclass(kw_only=True, slots=True)
class ColourResult:
    color: Color


class Failed(fastvarlink.InterfaceError):
    """As it is generated."""

    item: Item
    error_: str | None = None


DEFINITION = fastvarlink.Definition(
    TEXT,
    {
        "Color": Color,
        "Item": Item,
        "Item.inner": Inner,
        "Wide": Wide,
        "Get.output": GetResult,
        "List.output": ListResult,
        "Colour.output": ColourResult,
        "Failed": Failed,
    },
)


class TypedClient(fastvarlink.TypedClient, definition=DEFINITION):
    """As it is generated."""

    def call(self, method: str, *arguments: Any, more: bool = False, oneway: bool = False) -> Any:
        return self._invoke(method, arguments, more, oneway)


class Peer:
    """A service that answers each call with the next of the given frames, and keeps the calls."""

    def __init__(self, directory: Path, *replies: Any) -> None:
        self.calls: list[Any] = []
        self.address = f"unix:{directory}/peer"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{directory}/peer")
        self._listener.listen()
        self._replies = replies
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as file:
            for reply in self._replies:
                data = bytearray()
                while not data.endswith(b"\0"):
                    data += file.read(1)
                self.calls.append(orjson.loads(data[:-1]))
                frames = reply if isinstance(reply, list) else [reply]
                connection.sendall(b"".join(orjson.dumps(frame) + b"\0" for frame in frames))
            file.read()

    def close(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._listener.close()


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[Callable[..., tuple[TypedClient, Peer]]]:
    opened: list[Any] = []

    def start(*replies: Any) -> tuple[TypedClient, Peer]:
        peer = Peer(tmp_path, *replies)
        client = fastvarlink.Client(peer.address).open(TypedClient)
        opened.append((client, peer))
        return client, peer

    yield start
    for client, peer in opened:
        client.close()
        peer.close()


OpenAt = Callable[..., tuple[TypedClient, Peer]]
FULL = {"name": "a", "class": "class", "tags": {"x": {}}, "inner": {"x": 1}, "seen": []}
ITEM = Item(name="a", class_=Color.class_, tags={"x"}, inner=Inner(x=1), seen=[])


def test_objects_go_and_come(open_at: OpenAt) -> None:
    client, peer = open_at({"parameters": {"item": FULL}}, {"parameters": {"item": {"name": "b"}}}, {})
    assert client.call("Get", "here", ITEM) == GetResult(item=ITEM)
    assert client.call("Get") == GetResult(item=Item(name="b"))
    assert client.call("Ping") is None
    assert peer.calls == [
        {"method": "org.example.typed.Get", "parameters": {"from": "here", "item": FULL}},
        {"method": "org.example.typed.Get"},
        {"method": "org.example.typed.Ping"},
    ]


def test_a_definition_that_is_known_is_not_asked_for(open_at: OpenAt) -> None:
    client, peer = open_at({})
    client.call("Ping")
    assert [call["method"] for call in peer.calls] == ["org.example.typed.Ping"]


def test_enums_go_and_come(open_at: OpenAt) -> None:
    client, peer = open_at(*[{"parameters": {"color": "class"}}] * 2)
    assert client.call("Colour", Color.red) == ColourResult(color=Color.class_)
    client.call("Colour", "class")
    assert [call["parameters"]["color"] for call in peer.calls] == ["red", "class"]
    with pytest.raises(InvalidParameter):
        client.call("Colour", "green")


def test_streams_are_typed(open_at: OpenAt) -> None:
    replies = [{"parameters": {"item": {"name": "a"}}, "continues": True}, {"continues": True}, {}]
    client, _ = open_at(replies)
    found = list(client.call("List", more=True))
    assert found == [ListResult(item=Item(name="a")), ListResult(), ListResult()]


def test_more_fields_than_fit_on_the_stack(open_at: OpenAt) -> None:
    wide = {f"f{i}": i for i in range(0, WIDE, 2)}
    client, peer = open_at({"parameters": {"wide": wide}})
    result = client.call("Big", Wide(**wide))["wide"]
    assert peer.calls[0]["parameters"] == {"wide": wide}
    assert result == Wide(**wide)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({}, "item.name"),
        ({"name": None}, "item.name"),
        ({"name": "a", "inner": {}}, "item.inner.x"),
        ({"name": "a", "class": "green"}, "item.class"),
        ({"name": ""}, "item"),
    ],
)
def test_a_result_without_what_its_class_needs_is_refused(open_at: OpenAt, item: Any, path: str) -> None:
    client, _ = open_at({"parameters": {"item": item}}, {"parameters": {"item": FULL | {"unknown": 1}}})
    with pytest.raises(InvalidParameter) as caught:
        client.call("Get")
    assert caught.value.parameters() == {"parameter": path}
    assert client.call("Get") == GetResult(item=ITEM)


def test_an_object_of_another_class_is_not_sent(open_at: OpenAt) -> None:
    client, _ = open_at()
    with pytest.raises(InvalidParameter):
        client.call("Get", None, Inner(x=1))


@pytest.mark.rule("R5")
def test_errors_are_raised_as_their_classes(open_at: OpenAt) -> None:
    name = "org.example.typed.Failed"
    client, _ = open_at(
        {"error": name, "parameters": {"item": FULL, "error": "x", "later": 1}},
        {"error": name, "parameters": {"item": {"nom": "a"}}},
        {"error": "org.varlink.service.PermissionDenied"},
    )
    with pytest.raises(Failed) as caught:
        client.call("Ping")
    assert (caught.value.item, caught.value.error_) == (ITEM, "x")
    # What is not as declared arrives all the same.
    with pytest.raises(VarlinkError) as other:
        client.call("Ping")
    assert not isinstance(other.value, Failed)
    assert other.value.as_dict() == {"error": name, "parameters": {"item": {"nom": "a"}}}
    with pytest.raises(fastvarlink.error.PermissionDenied):
        client.call("Ping")


def test_errors_are_values() -> None:
    error = Failed(item=ITEM)
    assert error.error() == "org.example.typed.Failed"
    assert error.parameters() == {"item": ITEM}
    assert error.parameters(namespaced=True).item == ITEM
    assert str(error).startswith("org.example.typed.Failed(item=Item(name='a'")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.item) == (Failed, ITEM)
    with pytest.raises(AttributeError, match="no parameter 'code'"):
        _ = error.code
    with pytest.raises(TypeError, match="'code' of Failed is not declared"):
        Failed(item=ITEM, code=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 2 parameters, not 3"):
        Failed(ITEM, "x", 1)  # type: ignore[misc]


def test_parameters_of_errors_cannot_hide_what_errors_have() -> None:
    with pytest.raises(TypeError, match="call it 'args_'"):

        class Hiding(fastvarlink.InterfaceError):
            args: int  # type: ignore[assignment]


def test_a_class_that_does_not_fit_its_struct_is_refused() -> None:
    text = "interface a.b\nmethod M(item: (x: int)) -> ()\n"

    @dataclass
    class Other:
        y: int

    @dataclass
    class More:
        x: int
        z: int

    for cls, words in ((Other, "no attribute for the field 'x'"), (More, "no fields: z"), (int, "neither")):
        definition = fastvarlink.Definition(text, {"M.input.item": cls})
        (method,) = definition.interface.tree.members
        with pytest.raises(TypeError, match=words):
            definition.of_method(method)  # type: ignore[arg-type]


@pytest.mark.rule("I8")
def test_the_faults_of_a_peers_definition_are_told_by_its_name(tmp_path: Path) -> None:
    peer = Peer(tmp_path, {"parameters": {"description": "interface a.b\ntype T int\n"}})
    with pytest.raises(SyntaxError, match=r"a\.b, line 2, column 8: Found 'int'"):
        fastvarlink.Client(peer.address).open("a.b")
    peer.close()


def test_an_asynchronous_client_is_not_for_a_blocking_one() -> None:
    with pytest.raises(TypeError, match=r"AsyncTypedClient is neither .* nor a generated TypedClient"):
        fastvarlink.Client().open(fastvarlink.AsyncTypedClient, connection=object())  # type: ignore[call-overload]


def test_a_typed_client_needs_a_socket() -> None:
    with pytest.raises(TypeError, match="needs a connected socket"):
        fastvarlink.Client().open(TypedClient, connection=object())  # type: ignore[call-overload]
