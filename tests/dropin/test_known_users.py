"""Programs in the small: what the known users of the package do, put together as they do it."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import fastvarlink
import fastvarlink.error
import fastvarlink.server
from fastvarlink import scanner

from .sample import DESCRIPTION, INTERFACE, PATIENCE
from .serving import Running, fresh_address


def test_nmstate(tmp_path: Path) -> None:
    (tmp_path / "io.nmstate.varlink").write_text(
        "interface io.nmstate\nmethod Show(arguments: [string]object) -> (state: object)\n"
        "error NmstateValueError (error_message: string)\n"
    )

    class NmstateValueError(fastvarlink.VarlinkError):
        def __init__(self, message: Any) -> None:
            super().__init__({"error": self.__class__.__name__, "parameters": {"error_message": message}})

    class Handler(fastvarlink.RequestHandler):
        service = fastvarlink.Service("Red Hat", "Nmstate", "1", "https://nmstate.io", str(tmp_path))

    @Handler.service.interface("io.nmstate")
    class Nmstate:
        def Show(self, arguments: dict[str, Any]) -> dict[str, Any]:
            if "bad" in arguments:
                raise NmstateValueError("bad")
            if "worse" in arguments:
                raise fastvarlink.InvalidParameter(TypeError("worse"))
            return {"state": {"interfaces": []}}

    path = f"{tmp_path}/socket"
    server = fastvarlink.ThreadingServer(f"unix:{path}", Handler, bind_and_activate=False)
    server.allow_reuse_address = True
    server.server_bind()
    server.server_activate()
    running = Running(server, f"unix:{path}")
    try:
        with fastvarlink.Client(f"unix:{path}") as client, client.open("io.nmstate") as nmstate:
            assert nmstate.Show({}) == {"state": {"interfaces": []}}
            with pytest.raises(fastvarlink.VarlinkError) as caught:
                nmstate.Show({"bad": {}})
            assert caught.value.error() == "NmstateValueError"
            assert caught.value.parameters() == {"error_message": "bad"}
            with pytest.raises(fastvarlink.InvalidParameter):
                nmstate.Show({"worse": {}})
    finally:
        running.end()


def test_python_podman(example: Any) -> None:
    class PodmanError(fastvarlink.VarlinkError):
        def __init__(self, inner: fastvarlink.VarlinkError) -> None:
            super().__init__(inner.as_dict())
            self.__module__ = "libpod"

        @property
        def reason(self) -> Any:
            return self.parameters()["reason"]

    try:
        example.Fail("no image")
    except fastvarlink.VarlinkError as raised:
        wrapped = PodmanError(raised)
    assert wrapped.error() == f"{INTERFACE}.Failed"
    assert wrapped.reason == "no image"
    with pytest.raises(fastvarlink.ConnectionError), fastvarlink.Client(fresh_address()) as client:
        client.open("io.podman")


def test_sambacc(serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Encoder(fastvarlink.error.VarlinkEncoder):
        def default(self, o: Any) -> Any:
            return str(o) if isinstance(o, Path) else super().default(o)

    monkeypatch.setattr(fastvarlink.error, "VarlinkEncoder", Encoder)
    monkeypatch.setattr(fastvarlink.server, "VarlinkEncoder", Encoder)

    class Backend:
        def Where(self, _request: Any) -> dict[str, Any]:
            assert isinstance(_request, socket.socket)
            return {"path": tmp_path}

    service = fastvarlink.Service(vendor="sambacc")
    text = "interface org.samba.x\nmethod Where() -> (path: string)\n"
    interface = fastvarlink.Interface(text)
    service.interfaces[interface.name] = interface
    service.interfaces_handlers[interface.name] = Backend()
    running = serve(service, fastvarlink.ThreadingServer)
    with fastvarlink.Client(running.address) as client, client.open("org.samba.x") as samba:
        assert samba.Where() == {"path": str(tmp_path)}


def test_vdu_controls(example: Any) -> None:
    seen: list[Any] = []
    first = threading.Event()
    ended = threading.Event()

    def listen() -> None:
        try:
            for event in example.Held(_more=True):
                seen.append(event)
                first.set()
        except BrokenPipeError:
            ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert first.wait(PATIENCE)
    example.close()
    assert ended.wait(PATIENCE)
    thread.join(PATIENCE)
    assert seen == [{"number": 0}]


def test_mixos(running: Running) -> None:
    class VsockHandler(fastvarlink.SimpleClientInterfaceHandler):
        pass

    connection = socket.socket(socket.AF_UNIX)
    connection.connect(running.address.replace("unix:@", "\0"))
    with fastvarlink.Client() as client:
        client.get_interface(INTERFACE, socket_connection=connection)
        with VsockHandler(client._interfaces[INTERFACE], connection) as handler:
            handler._connection.settimeout(PATIENCE)
            assert handler.Echo("a") == {"text": "a"}  # type: ignore[attr-defined]
            handler._connection.settimeout(None)


def test_jupyterhub_userdb(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = scanner.Scanner.__init__

    def patched(self: Any, string: str) -> None:
        original(self, string)
        self.patterns["interface-name"] = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)+")

    monkeypatch.setattr(scanner.Scanner, "__init__", patched)
    (tmp_path / "io.systemd.UserDatabase.varlink").write_text(
        "interface io.systemd.UserDatabase\n"
        "method GetUserRecord(uid: ?int, userName: ?string, service: string) -> "
        "(record: object, incomplete: bool)\n"
        "error NoRecordFound ()\n"
    )
    service = fastvarlink.Service(interface_dir=str(tmp_path))

    @service.interface("io.systemd.UserDatabase")
    class UserDatabase:
        def GetUserRecord(
            self, uid: Any, user_name: Any, service: str, _more: bool = False, _server: Any = None
        ) -> Iterator[dict[str, Any]]:
            assert _server is not None
            if uid == 404:
                yield fastvarlink.VarlinkError(  # type: ignore[misc]
                    {"error": "io.systemd.UserDatabase.NoRecordFound", "parameters": {}}
                )
            records = [{"userName": "a", "uid": 1}, {"userName": "b", "uid": 2}]
            for record in records if _more else records[:1]:
                last = not _more or record is records[-1]
                yield {"record": record, "incomplete": False, "_continues": not last}

    running = serve(service)
    with fastvarlink.Client(running.address) as client, client.open("io.systemd.UserDatabase") as users:
        assert users.GetUserRecord(service="x")["record"]["userName"] == "a"
        replies = users.GetUserRecord(service="x", _more=True)
        assert [reply["record"]["uid"] for reply in replies] == [1, 2]
        with pytest.raises(fastvarlink.VarlinkError) as caught:
            users.GetUserRecord(404, service="x")
        assert caught.value.error() == "io.systemd.UserDatabase.NoRecordFound"


def test_varlink_shell(service: fastvarlink.Service) -> None:
    """Calls a service in its own process, by the words of a command line."""
    interface = service.interfaces[INTERFACE]
    methods = [member for member in interface.members.values() if isinstance(member, scanner._Method)]
    assert "Echo" in [method.name for method in methods]
    assert all(method.signature.startswith(f"{method.name}(") for method in methods)
    fields = interface.get_method("Count").in_type.fields
    parameters = {name: int(word) for name, word in zip(fields, ["3"], strict=True)}
    call: dict[str, Any] = {"method": f"{INTERFACE}.Count", "parameters": parameters}
    replies = [json.loads(reply) for reply in service.handle(json.dumps(call).encode())]
    assert replies[0]["parameters"] == {"number": 3}
    plain = json.dumps({"method": f"{INTERFACE}.Forever"}).encode()
    assert json.loads(next(iter(service.handle(plain))))["error"].endswith("ExpectedMore")


def test_benchbonanza(example: Any) -> None:
    with pytest.raises(fastvarlink.InvalidParameter) as caught:
        example.Echo(text=3)
    assert caught.value.parameters()["parameter"].endswith("text")


def test_old_demos(running: Running) -> None:
    with fastvarlink.Client(running.address) as client:
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        with client.open(INTERFACE, namespaced=True) as example:
            assert [reply.number for reply in example.Count(to=2, _more=True)] == [1, 2]
            assert example.Echo("a", point=SimpleNamespace(x=1, y=2)).point.x == 1
