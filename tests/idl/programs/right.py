"""Uses of the modules in golden/ that type checkers must pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, Literal, assert_type

import users
import users_plain

import fastvarlink


def build() -> users.User:
    user = users.User(
        name="x",
        color="red",
        address=[users.UserAddress(zip="1", geo=users.UserAddressGeo(lat=1, lon=2.5))],
        shell="zsh",
        access="read_only",
        groups={"a"},
        friends={},
        class_="c",
        extra={"a": None},
        notes={},
    )
    assert_type(user.name, str)
    assert_type(user.parent, users.User | None)
    assert_type(user.shell, Literal["bash", "zsh", "other"])
    assert_type(user.groups, set[str])
    assert_type(user.friends, dict[str, users.User])
    assert_type(user.str_, str | None)
    assert_type(user.notes, Mapping[str, Any])
    color: users.Color = user.color
    user.color = color
    return user


def build_plain() -> users_plain.User:
    user: users_plain.User = {
        "name": "x",
        "color": users_plain.Color.red,
        "address": [{"zip": "1", "geo": None}, {"zip": "2"}],
        "shell": "bash",
        "access": "none_at_all",
        "groups": set(),
        "friends": {},
        "extra": {},
        "notes": {},
        "class": "c",
    }
    assert_type(user["color"], users_plain.Color)
    assert_type(user["groups"], set[str])
    return user


def call(client: fastvarlink.Client) -> None:
    with client.open(users.UsersClient) as opened:
        assert_type(opened, users.UsersClient)
        reply = opened.Get("x", 1, users.GetFilter(from_=1, kinds=["a"]))
        assert_type(reply, users.GetResult)
        assert_type(reply.user.color, Literal["red", "green", "class", "name"])
        assert_type(reply.at.line, int)
        assert_type(opened.Get(name=None, self_=1, filter=None), users.GetResult)
        assert_type(opened.Get(None, 1, _more=True), Iterator[users.GetResult])
        assert_type([each.user for each in opened.Watch("red", _more=True)], list[users.User | None])
        opened.Forget(["x"], import_=True)
        opened.Forget(["x"], _oneway=True)
        opened.None_()
        assert_type(opened.None_(_more=True), Iterator[None])
        try:
            opened.Watch()
        except users.NotFound as error:
            assert_type(error.name, str)
            assert_type(error.error_, str | None)
            assert_type(error.detail, users.NotFoundDetail | None)
        except fastvarlink.VarlinkError:
            pass


def call_plain(opened: users_plain.UsersClient) -> None:
    reply = opened.Get(None, 1, {"from": 1, "kinds": []})
    assert_type(reply, users_plain.GetResult)
    assert_type(reply["at"]["line"], int)
    parent: users_plain.User | None = reply["user"].get("parent")
    assert parent is None or parent.get("class") == "c"
    opened.Watch(users_plain.Color.green)


async def call_asynchronously(opened: users.AsyncUsersClient) -> None:
    call: Coroutine[Any, Any, users.GetResult] = opened.Get(None, 1)
    assert_type(await call, users.GetResult)
    assert_type(opened.Watch(_more=True), AsyncIterator[users.WatchResult])
    async for reply in opened.Watch("green", _more=True):
        assert_type(reply.user, users.User | None)
    await opened.Forget([], _oneway=True)
    await opened.Forget([])
    async with opened as same:
        assert_type(same, users.AsyncUsersClient)


class Service(users.UsersService):
    def Get(self, name: str | None, self_: int, filter: users.GetFilter | None) -> users.GetResult:
        if name is None:
            raise users.NotFound(name="", similar=[], detail=users.NotFoundDetail(code=1))
        return users.GetResult(user=build(), at=users.GetResultAt(line=self_))

    def Watch(self, color: users.Color | None = None) -> Iterator[users.WatchResult]:
        yield users.WatchResult(user=build())
        yield users.WatchResult()

    def Forget(self, names: list[str], import_: bool | None) -> None:
        raise users.Busy


def offer() -> None:
    service = fastvarlink.Service()
    service.interface(Service)
