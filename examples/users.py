"""A service with data of its own: io.example.user.UserService.

Serve:  python examples/users.py
Call:   python examples/users.py --client

Both use tcp:127.0.0.1:8080 unless --varlink=ADDRESS names another place. install() makes
"import varlink" mean fastvarlink, so that everything below it is as in any other Varlink program.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from typing import Any

from serving import options, serve

import fastvarlink

fastvarlink.install()

import varlink  # type: ignore  # noqa: E402

ADDRESS = "tcp:127.0.0.1:8080"
INTERFACE = "io.example.user.UserService"

service = varlink.Service(
    vendor="fastvarlink",
    product="User example",
    version="1",
    url="https://varlink.org",
    interface_dir=os.path.dirname(os.path.abspath(__file__)),
)


class UserNotFound(varlink.VarlinkError):  # type: ignore
    """There is no user of that name."""

    def __init__(self, username: str) -> None:
        super().__init__({"error": f"{INTERFACE}.UserNotFound", "parameters": {"username": username}})


class NameTaken(varlink.VarlinkError):  # type: ignore
    """Another user already has that name."""

    def __init__(self, name: str) -> None:
        super().__init__({"error": f"{INTERFACE}.NameTaken", "parameters": {"name": name}})


@service.interface(INTERFACE)
class Users:
    """Keeps the users. Calls of different clients arrive on different threads, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1000)
        self._users: dict[str, dict[str, Any]] = {}
        self.CreateUser("john_doe", "john@example.com")

    def GetUserInfo(self, username: str) -> dict[str, Any]:
        with self._lock:
            user = self._users.get(username)
        if user is None:
            raise UserNotFound(username)
        return user

    def CreateUser(self, name: str, email: str) -> dict[str, int]:
        with self._lock:
            if name in self._users:
                raise NameTaken(name)
            number = next(self._ids)
            self._users[name] = {"id": number, "name": name, "email": email}
        return {"id": number}


def call(address: str) -> None:
    """Look up a user, add one, and show both errors."""
    with varlink.Client(address) as client, client.open(INTERFACE) as users:
        print("GetUserInfo('john_doe'):", users.GetUserInfo("john_doe"))
        name = f"jane_{os.getpid()}"
        print(f"CreateUser({name!r}):", users.CreateUser(name, "jane@example.com"))
        for method, arguments in (
            (users.GetUserInfo, ["nobody"]),
            (users.CreateUser, [name, "other@example.com"]),
        ):
            try:
                method(*arguments)
            except varlink.VarlinkError as error:
                print(f"{error.error()}: {error.parameters()}")
            else:
                sys.exit("An error was due and did not come.")


def main() -> None:
    arguments = options("Looks up users.", ADDRESS).parse_args()
    if arguments.client:
        call(arguments.varlink)
    else:
        serve(service, arguments.varlink)


if __name__ == "__main__":
    main()
