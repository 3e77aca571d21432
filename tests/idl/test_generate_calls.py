"""A generated client calls a generated service: what is called otherwise in Python is right on the wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generated import HEAD, VARIANTS, load

import fastvarlink

PATIENCE = 10.0
TEXT = f"""{HEAD}
type User (name: string, class: ?string, Any: ?int, address: ?(from: int))
type Color (red, class)
method Get(class: ?string, self: int, import: ?(from: int)) -> (user: User, color: Color)
method None(fastvarlink: ?int) -> (str: ?int)
method Forget(names: [string]()) -> ()
method Missing() -> ()
error NotFound (self: string, args: ?int, detail: ?(from: int))
"""


def service_of(module: Any, plain: bool) -> type[Any]:
    """A service that answers with what it got."""

    class Service(module.UsersService):  # type: ignore[misc]
        def Get(self, class_: Any, self_: Any, import_: Any) -> Any:
            if class_ is None:
                detail = {"from": 1} if plain else module.NotFoundDetail(from_=1)
                raise module.NotFound(self_="x", detail=detail)
            color = module.Color("class") if hasattr(module.Color, "class_") else "class"
            if plain:
                return {
                    "user": {"name": "x", "class": class_, "Any": self_, "address": import_},
                    "color": color,
                }
            address = module.UserAddress(from_=import_.from_)
            user = module.User(name="x", class_=class_, Any_=self_, address=address)
            return module.GetResult(user=user, color=color)

        def None_(self, fastvarlink_: int | None = None) -> Iterator[Any]:
            for number in range(fastvarlink_ or 0):
                yield {"str": number} if plain else module.NoneResult(str_=number)

        def Forget(self, names: set[str]) -> None:
            assert names == {"a", "b"}

    return Service


@pytest.fixture(params=VARIANTS, ids=lambda options: "-".join(options.values()))
def module(request: pytest.FixtureRequest) -> Any:
    return load(TEXT, **request.param)


@pytest.fixture
def plain(module: Any) -> bool:
    return not hasattr(module.User, "__dataclass_fields__")


@pytest.fixture
def client(module: Any, plain: bool, tmp_path: Path) -> Iterator[Any]:
    service = fastvarlink.Service()
    service.interface(service_of(module, plain))
    address = f"unix:{tmp_path}/socket"
    with fastvarlink.ThreadingServer(address, service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with fastvarlink.Client(address) as way, way.open(module.UsersClient) as opened:
            yield opened
        server.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_objects_go_both_ways(module: Any, plain: bool, client: Any) -> None:
    given = {"from": 3} if plain else module.GetImport(from_=3)
    reply = client.Get("c", 7, given)
    if plain:
        assert reply["user"] == {"name": "x", "class": "c", "Any": 7, "address": {"from": 3}}
    else:
        address = module.UserAddress(from_=3)
        assert reply.user == module.User(name="x", class_="c", Any_=7, address=address)
    color = reply["color"] if plain else reply.color
    assert color == (module.Color("class") if hasattr(module.Color, "class_") else "class")
    assert client.Get(class_="c", self_=7, import_=given) == reply


def test_errors_are_those_of_the_module(module: Any, plain: bool, client: Any) -> None:
    with pytest.raises(module.NotFound) as caught:
        client.Get(None, 1)
    assert (caught.value.self_, caught.value.args_) == ("x", None)
    assert caught.value.detail == ({"from": 1} if plain else module.NotFoundDetail(from_=1))


def test_replies_are_streamed(plain: bool, client: Any) -> None:
    replies = list(client.None_(3, _more=True))
    assert [reply["str"] if plain else reply.str_ for reply in replies] == [0, 1, 2]


def test_nothing_is_returned_as_none(client: Any) -> None:
    assert client.Forget({"a", "b"}) is None
    assert client.Forget({"a", "b"}, _oneway=True) is None
    assert client.Forget(names={"a", "b"}) is None


def test_what_a_service_leaves_out_is_not_implemented(client: Any) -> None:
    with pytest.raises(fastvarlink.MethodNotImplemented) as caught:
        client.Missing()
    assert caught.value.method == "org.example.users.Missing"
