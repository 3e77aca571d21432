"""Our clients and our command line against a service of systemd: the one that encrypts credentials.

Its key "null" stands for none, so that it needs nothing of the machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peers import PATIENCE, connect
from systemd import VarlinkCtl, command, running

import fastvarlink
from fastvarlink import aio, idl

CREDENTIALS = "io.systemd.Credentials"
PROGRAM = "usr/bin/systemd-creds"
TEXT = "naïve 😀 " * 1000


@pytest.fixture
def credentials(systemd_tree: Path, varlinkctl: VarlinkCtl, tmp_path: Path) -> Iterator[str]:
    """The address of the service."""
    address = f"unix:{tmp_path}/credentials"
    with running(command(systemd_tree, PROGRAM), address):
        if "withKey" not in described(varlinkctl, address):
            pytest.skip("This systemd encrypts with keys of the machine only, which are left alone.")
        yield address


def described(varlinkctl: VarlinkCtl, address: str) -> str:
    """The definition as another client receives it."""
    description: str = json.loads(varlinkctl("introspect", "-j", address, CREDENTIALS).stdout)["description"]
    return description


def with_a_method_more(description: str) -> fastvarlink.Interface:
    """The interface as a later systemd might have it."""
    return fastvarlink.Interface(description + "\nmethod Nope() -> ()\n")


def test_introspection(credentials: str, varlinkctl: VarlinkCtl) -> None:
    with fastvarlink.Client(credentials) as client:
        assert set(client.get_interfaces()) > {CREDENTIALS, "org.varlink.service"}
        assert client.info["product"] == "systemd (systemd-creds)"
        assert client.get_interface(CREDENTIALS).description == described(varlinkctl, credentials)
        with pytest.raises(fastvarlink.InterfaceNotFound) as caught:
            client.get_interface("org.example.none")
        assert caught.value.interface == "org.example.none"


def test_round_trip(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client, client.open(CREDENTIALS) as creds:
        blob = creds.Encrypt(name="a", text=TEXT, withKey="null")["blob"]
        # Null, as any parameter that may be left out.
        assert blob != creds.Encrypt("a", TEXT, None, withKey="null", uid=None)["blob"]
        found = creds.Decrypt(name="a", blob=blob, allowNull=True)
        assert base64.b64decode(found["data"]).decode() == TEXT


def test_generated_client(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client:
        module: Any = types.ModuleType("generated_credentials")
        sys.modules[module.__name__] = module
        try:
            exec(idl.generate(client.get_interface(CREDENTIALS).description), vars(module))
            with client.open(module.CredentialsClient) as creds:
                made = creds.Encrypt(name="a", text=TEXT, withKey="null")
                found = creds.Decrypt(blob=made.blob, name="a", allowNull=True)
                assert base64.b64decode(found.data).decode() == TEXT
                with pytest.raises(module.NameMismatch):
                    creds.Decrypt(blob=made.blob, name="b", allowNull=True)
        finally:
            del sys.modules[module.__name__]


@pytest.mark.rule("R5")
def test_errors(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client, client.open(CREDENTIALS) as creds:
        blob = creds.Encrypt(name="a", text=TEXT, withKey="null")["blob"]
        with pytest.raises(creds.NameMismatch) as mismatch:
            creds.Decrypt(name="b", blob=blob, allowNull=True)
        assert mismatch.value.error() == f"{CREDENTIALS}.NameMismatch"
        with pytest.raises(creds.NullKeyNotAllowed):
            creds.Decrypt(name="a", blob=blob, allowNull=False)
        with pytest.raises(creds.BadFormat):
            creds.Decrypt(blob=base64.b64encode(b"short").decode())


@pytest.mark.rule("E1")
@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"text": 1}, "text"),
        ({"text": "a", "withKey": "none"}, "withKey"),
        ({"text": "a", "data": "YQ=="}, "data"),
        ({"text": "a", "timestamp": "now"}, "timestamp"),
    ],
)
def test_wrong_parameters(credentials: str, parameters: dict[str, Any], name: str) -> None:
    with fastvarlink.Client(credentials) as client, client.open(CREDENTIALS) as creds:
        with pytest.raises(fastvarlink.InvalidParameter) as caught:
            creds.Encrypt(**parameters)
        assert caught.value.parameter == name
        assert creds.Encrypt(text="a", withKey="null")["blob"]


@pytest.mark.rule("E2")
def test_unknown_method(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client:
        client.add_interface(with_a_method_more(client.get_interface(CREDENTIALS).description))
        with client.open(CREDENTIALS) as creds:
            with pytest.raises(fastvarlink.MethodNotFound) as caught:
                creds.Nope()
            assert caught.value.method == f"{CREDENTIALS}.Nope"
            assert creds.Encrypt(text="a", withKey="null")["blob"]


@pytest.mark.rule("C9")
def test_more_where_one_reply_comes(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client, client.open(CREDENTIALS) as creds:
        (reply,) = creds.Encrypt(text="a", withKey="null", _more=True)
        assert reply["blob"]


@pytest.mark.rule("C8")
def test_no_reply(credentials: str) -> None:
    with fastvarlink.Client(credentials) as client, client.open(CREDENTIALS) as creds:
        assert creds.Encrypt(text="a", withKey="null", _oneway=True) is None
        assert creds.Decrypt(blob="", _oneway=True) is None
        blob = creds.Encrypt(text="b", withKey="null")["blob"]
        assert creds.Decrypt(blob=blob, allowNull=True) == {"data": base64.b64encode(b"b").decode()}


def frame(method: str, parameters: dict[str, Any], **flags: bool) -> bytes:
    return json.dumps({"method": method, "parameters": parameters, **flags}).encode() + b"\0"


def read_replies(connection: socket.socket, count: int) -> list[Any]:
    received = b""
    while received.count(b"\0") < count:
        data = connection.recv(65536)
        assert data, "The service has closed the connection."
        received += data
    *frames, rest = received.split(b"\0")
    assert rest == b""
    return [json.loads(found) for found in frames]


def test_calls_in_one_write(credentials: str) -> None:
    """As our clients send them when they are shared; here what goes out is known to the byte."""
    with connect(credentials) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(
            frame(f"{CREDENTIALS}.Encrypt", {"text": "a", "withKey": "null"})
            + frame(f"{CREDENTIALS}.Encrypt", {"text": "b", "withKey": "null"}, oneway=True)
            + frame(f"{CREDENTIALS}.Decrypt", {"blob": "YQ=="})
            + frame(f"{CREDENTIALS}.Encrypt", {"text": "c", "withKey": "null"}, upgrade=True)
            + frame("org.varlink.service.GetInfo", {})
        )
        first, second, third, fourth = read_replies(connection, 4)
    assert list(first["parameters"]) == ["blob"]
    assert second["error"] == f"{CREDENTIALS}.BadFormat"
    assert list(third["parameters"]) == ["blob"]
    assert CREDENTIALS in fourth["parameters"]["interfaces"]


def test_tasks(credentials: str) -> None:
    async def main() -> None:
        async with aio.Client(credentials) as client:
            assert CREDENTIALS in await client.get_interfaces()
            client.add_interface(with_a_method_more((await client.get_interface(CREDENTIALS)).description))
            async with await client.open(CREDENTIALS) as creds:
                texts = [f"{TEXT} {number}" for number in range(10)]
                # The tasks share the connection; their calls are on their way together.
                made = await asyncio.gather(*(creds.Encrypt(text=text, withKey="null") for text in texts))
                found = await asyncio.gather(
                    *(creds.Decrypt(blob=reply["blob"], allowNull=True) for reply in made)
                )
                assert [base64.b64decode(reply["data"]).decode() for reply in found] == texts
                with pytest.raises(creds.BadFormat):
                    await creds.Decrypt(blob="YQ==")
                with pytest.raises(fastvarlink.InvalidParameter) as invalid:
                    await creds.Encrypt(text=1)
                assert invalid.value.parameter == "text"
                with pytest.raises(fastvarlink.MethodNotFound) as unknown:
                    await creds.Nope()
                assert unknown.value.method == f"{CREDENTIALS}.Nope"
                assert await creds.Encrypt(text="a", withKey="null", _oneway=True) is None
                replies = [reply async for reply in creds.Encrypt(text="a", withKey="null", _more=True)]
                assert [list(reply) for reply in replies] == [["blob"]]
            with pytest.raises(fastvarlink.InterfaceNotFound):
                await client.open("org.example.none")

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fastvarlink", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_command_line(credentials: str, varlinkctl: VarlinkCtl) -> None:
    done = run("info", credentials)
    assert done.returncode == 0
    assert "Product: systemd (systemd-creds)\n" in done.stdout
    assert f"\n   {CREDENTIALS}\n" in done.stdout
    done = run("help", "--text", f"{credentials}/{CREDENTIALS}")
    assert (done.returncode, done.stdout) == (0, described(varlinkctl, credentials))
    done = run("call", f"{credentials}/{CREDENTIALS}.Encrypt", '{"text":"é","withKey":"null"}')
    blob = json.loads(done.stdout)["blob"]
    parameters = json.dumps({"blob": blob, "allowNull": True})
    done = run("call", "--more", f"{credentials}/{CREDENTIALS}.Decrypt", parameters)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.lstrip("\x1e")) == {"data": base64.b64encode("é".encode()).decode()}


@pytest.mark.parametrize(
    ("method", "parameters", "answer"),
    [
        (f"{CREDENTIALS}.Decrypt", '{"blob":"YQ=="}', f"{CREDENTIALS}.BadFormat."),
        (
            f"{CREDENTIALS}.Nope",
            "{}",
            f'org.varlink.service.MethodNotFound {{"method": "{CREDENTIALS}.Nope"}}.',
        ),
        (f"{CREDENTIALS}.Decrypt", "{}", 'org.varlink.service.InvalidParameter {"parameter": "blob"}.'),
        ("a.b.C", "{}", 'org.varlink.service.MethodNotFound {"method": "a.b.C"}.'),
    ],
)
def test_command_line_fails(credentials: str, method: str, parameters: str, answer: str) -> None:
    done = run("call", f"{credentials}/{method}", parameters)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{credentials} answered {answer}")
    assert done.stderr.count("\n") == 1
