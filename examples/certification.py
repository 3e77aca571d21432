"""Puts a client or a server through org.varlink.certification.

Serve:    python examples/certification.py --varlink=unix:/tmp/certification
Certify:  python examples/certification.py --client --varlink=unix:/tmp/certification

As a client it ends with status 0 if the server passed and 1 if it did not. As a server it compares
every message as a whole with the one that was due, and answers CertificationError when they differ.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from serving import options, serve

import fastvarlink as varlink

INTERFACE = "org.varlink.certification"
# A client that never says End is forgotten when this many have come after it.
REMEMBERED = 1024

SCALARS = {"bool": False, "int": 2, "float": math.pi, "string": "a lot of string"}
MAP = {"foo": "Foo", "bar": "Bar"}
SET: dict[str, Any] = {"one": {}, "two": {}, "three": {}}
MYTYPE: dict[str, Any] = {
    "object": {"method": f"{INTERFACE}.Test09", "parameters": {"map": MAP}},
    "enum": "two",
    "struct": {"first": 1, "second": "2"},
    "array": ["one", "two", "three"],
    "dictionary": MAP,
    "stringset": SET,
    "interface": {
        "foo": [None, {"foo": "foo", "bar": "bar"}, None, {"one": "foo", "two": "bar"}],
        "anon": {"foo": True, "bar": False},
    },
}
STRINGS = [f"Reply number {number}" for number in range(1, 11)]

# What each call returns, in the order of the calls. It is also what the next call has to bring.
REPLIES: dict[str, dict[str, Any]] = {
    "Start": {},
    "Test01": {"bool": True},
    "Test02": {"int": 1},
    "Test03": {"float": 1.0},
    "Test04": {"string": "ping"},
    "Test05": SCALARS,
    "Test06": {"struct": SCALARS},
    "Test07": {"map": MAP},
    "Test08": {"set": SET},
    "Test09": {"mytype": MYTYPE},
    "Test10": {"last_more_replies": STRINGS},
    "Test11": {},
    "End": {"all_ok": True},
}
ORDER = list(REPLIES)
FLAGS = {"Test10": {"more": True}, "Test11": {"oneway": True}}
NULLABLE = ("nullable", "nullable_array_struct")


class CertificationError(varlink.VarlinkError):
    """A call is not the one that was due, or does not carry what it should."""

    def __init__(self, wants: dict[str, Any], got: dict[str, Any]) -> None:
        super().__init__(
            {"error": f"{INTERFACE}.CertificationError", "parameters": {"wants": wants, "got": got}}
        )


class ClientIdError(varlink.VarlinkError):
    """No run with this id is under way."""

    def __init__(self) -> None:
        super().__init__({"error": f"{INTERFACE}.ClientIdError", "parameters": {}})


def same(wants: Any, got: Any) -> bool:
    """Whether two JSON values are equal. True is not 1 here, which it is in Python."""
    if isinstance(wants, dict):
        return (
            isinstance(got, dict)
            and wants.keys() == got.keys()
            and all(same(value, got[name]) for name, value in wants.items())
        )
    if isinstance(wants, list):
        return (
            isinstance(got, list)
            and len(wants) == len(got)
            and all(same(one, other) for one, other in zip(wants, got, strict=True))
        )
    return isinstance(wants, bool) is isinstance(got, bool) and bool(wants == got)


def due(method: str, client_id: str) -> dict[str, Any]:
    """The message that a correct client sends for the method, as a whole."""
    message: dict[str, Any] = {"method": f"{INTERFACE}.{method}", **FLAGS.get(method, {})}
    if method != "Start":
        before = REPLIES[ORDER[ORDER.index(method) - 1]]
        message["parameters"] = {"client_id": client_id, **before}
    return message


def without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """The message without what says nothing: no parameters at all, and fields that are null."""
    parameters = message.get("parameters")
    rest = {name: value for name, value in message.items() if name != "parameters"}
    if not parameters:
        return rest
    mytype = parameters.get("mytype")
    if isinstance(mytype, dict):
        kept = {name: value for name, value in mytype.items() if not (name in NULLABLE and value is None)}
        parameters = {**parameters, "mytype": kept}
    return {**rest, "parameters": parameters}


service = varlink.Service(
    vendor="fastvarlink",
    product="Certification",
    version="1",
    url="https://varlink.org",
    interface_dir=os.path.dirname(os.path.abspath(__file__)),
)


@service.interface(INTERFACE)
class Certification:
    """Answers org.varlink.certification. Remembers for each client which call is due next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: OrderedDict[str, str] = OrderedDict()

    def _check(self, method: str, client_id: str, message: dict[str, Any], values: bool) -> None:
        """End the client's run unless this is the call that was due. values: the handler's own
        arguments were right."""
        with self._lock:
            expected = self._next.pop(client_id, None)
        if expected is None:
            raise ClientIdError
        wants = due(expected, client_id)
        if not values or not same(wants, without_nulls(message)):
            raise CertificationError(wants, message)
        if method != "End":
            with self._lock:
                self._next[client_id] = ORDER[ORDER.index(method) + 1]

    def Start(self, _message: Any = None) -> dict[str, Any]:
        client_id = str(uuid.uuid4())
        with self._lock:
            self._next[client_id] = "Start"
            while len(self._next) > REMEMBERED:
                self._next.popitem(last=False)
        self._check("Start", client_id, _message, True)
        return {"client_id": client_id}

    def Test01(self, client_id: str, _message: Any = None) -> dict[str, Any]:
        self._check("Test01", client_id, _message, True)
        return REPLIES["Test01"]

    def Test02(self, client_id: str, given: bool, _message: Any = None) -> dict[str, Any]:
        self._check("Test02", client_id, _message, given is True)
        return REPLIES["Test02"]

    def Test03(self, client_id: str, given: int, _message: Any = None) -> dict[str, Any]:
        self._check("Test03", client_id, _message, type(given) is int and given == 1)
        return REPLIES["Test03"]

    def Test04(self, client_id: str, given: float, _message: Any = None) -> dict[str, Any]:
        self._check("Test04", client_id, _message, given == 1.0)
        return REPLIES["Test04"]

    def Test05(self, client_id: str, given: str, _message: Any = None) -> dict[str, Any]:
        self._check("Test05", client_id, _message, given == "ping")
        return REPLIES["Test05"]

    def Test06(
        self,
        client_id: str,
        truth: bool,
        number: int,
        fraction: float,
        text: str,
        _message: Any = None,
    ) -> dict[str, Any]:
        given = {"bool": truth, "int": number, "float": fraction, "string": text}
        self._check("Test06", client_id, _message, same(SCALARS, given))
        return REPLIES["Test06"]

    def Test07(self, client_id: str, struct: Any, _message: Any = None) -> dict[str, Any]:
        self._check("Test07", client_id, _message, same(SCALARS, dict(struct)))
        return REPLIES["Test07"]

    def Test08(self, client_id: str, given: Any, _message: Any = None) -> dict[str, Any]:
        self._check("Test08", client_id, _message, same(MAP, dict(given)))
        return {"set": set(SET)}

    def Test09(self, client_id: str, given: Any, _message: Any = None) -> dict[str, Any]:
        self._check("Test09", client_id, _message, isinstance(given, set) and given == set(SET))
        mytype = {**MYTYPE, "stringset": set(SET), **dict.fromkeys(NULLABLE)}
        return {"mytype": mytype}

    def Test10(self, client_id: str, mytype: Any, _message: Any = None) -> Iterator[dict[str, Any]]:
        self._check("Test10", client_id, _message, mytype["stringset"] == set(SET))
        for string in STRINGS:
            yield {"string": string, "_continues": string != STRINGS[-1]}

    def Test11(self, client_id: str, given: list[str], _message: Any = None, _oneway: bool = False) -> None:
        self._check("Test11", client_id, _message, _oneway and given == STRINGS)

    def End(self, client_id: str, _message: Any = None) -> dict[str, Any]:
        self._check("End", client_id, _message, True)
        return REPLIES["End"]


def expect(method: str, wants: Any, got: Any) -> None:
    """End the program with status 1 unless the server returned what it should."""
    if not same(wants, got):
        sys.exit(f"Certification failed: {method} returned {got!r} instead of {wants!r}.")
    print(f"{method}: {got}")


def certify(address: str) -> None:
    """Make every call of the interface, passing on what the one before returned."""
    with varlink.Client(address) as client, client.open(INTERFACE) as server:
        client_id = server.Start()["client_id"]
        reply: dict[str, Any] = {}
        for method in ORDER[1:8]:
            reply = getattr(server, method)(client_id, *reply.values())
            expect(method, REPLIES[method], reply)
        strings = server.Test08(client_id, *reply.values())["set"]
        expect("Test08", [True, True], [isinstance(strings, set), strings == set(SET)])
        mytype = server.Test09(client_id, strings)["mytype"]
        # Servers differ in the rest of it, so only what all agree on is compared.
        agreed = ("object", "enum", "struct", "array", "dictionary")
        expect("Test09", [MYTYPE[name] for name in agreed], [mytype[name] for name in agreed])
        replies = [each["string"] for each in server.Test10(client_id, mytype, _more=True)]
        expect("Test10", STRINGS, replies)
        expect("Test11", None, server.Test11(client_id, replies, _oneway=True))
        expect("End", REPLIES["End"], server.End(client_id))
    print("Certification passed")


def main() -> None:
    arguments = options("Certifies Varlink clients and servers.").parse_args()
    if not arguments.client:
        serve(service, arguments.varlink)
        return
    try:
        certify(arguments.varlink)
    except (varlink.VarlinkError, OSError) as error:
        sys.exit(f"Certification failed: {error}")


if __name__ == "__main__":
    main()
