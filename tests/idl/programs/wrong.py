"""Uses of the modules in golden/: type checkers must refuse each line that is marked, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import users
import users_plain

users.UserAddress(zip=1)  # wrong
users.UserAddress("1")  # wrong
users.UserAddress()  # wrong
users.UserAddress(zip="1", town="x")  # wrong
users.WatchResult(user="x")  # wrong
users.GetFilter(from_=1, kinds=["c"])  # wrong

address: users_plain.UserAddress = {"zip": 1}  # wrong
missing: users_plain.UserAddress = {}  # wrong
filter_: users_plain.GetFilter = {"from_": 1, "kinds": []}  # wrong
color: users_plain.Color = "red"  # wrong
literal: users.Color = "blue"  # wrong

users.NotFound("x")  # wrong
users.NotFound(name="x")  # wrong
users.NotFound(name="x", similar=["y"])  # wrong


def call(opened: users.UsersClient) -> None:
    opened.Get("x")  # wrong
    opened.Get(1, 1)  # wrong
    opened.Get(None, "x")  # wrong
    opened.Get(None, 1, None, None)  # wrong
    opened.Get(None, 1, filter={"from": 1})  # wrong
    opened.Watch("blue")  # wrong
    opened.Watch(_more=True, _oneway=True)  # wrong
    opened.Forget("x")  # wrong
    opened.Missing()  # wrong
    opened.Get(None, 1).name  # wrong  # noqa: B018
    _: users.User = opened.Get(None, 1)  # wrong
    opened.Watch(_more=True).user  # wrong  # noqa: B018
    print(opened.Get(None, 1, _oneway=True).user)  # wrong


async def call_asynchronously(opened: users.AsyncUsersClient) -> None:
    opened.Get(None, 1).user  # wrong  # noqa: B018
    async for _ in opened.Watch():  # wrong
        pass
    for _ in opened.Watch(_more=True):  # wrong
        pass
    (await opened.Get("x", 1)).missing  # wrong  # noqa: B018


class Service(users.UsersService):
    def Get(self, name: str, self_: int, filter: users.GetFilter | None) -> users.GetResult:  # wrong
        return users.GetResult(user=None, at=users.GetResultAt(line=1))  # wrong

    def Watch(self, color: users.Color | None) -> Iterator[users.GetResult]:  # wrong
        yield users.WatchResult()  # wrong
