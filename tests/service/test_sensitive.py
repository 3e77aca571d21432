"""Sensitive values get into no log and no error text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NewType

import pytest

import fastvarlink
from fastvarlink import Sensitive

SECRET = "hunter2"

TEXT = """\
interface org.example.vault
method Fail(secret: string) -> ()
method Mismatch(secret: string) -> (n: int)
method Unsendable(secret: string) -> (n: float)
method Refuse(secret: string) -> ()
method Stream(secret: string) -> (n: int)
method Take(secrets: [string]int) -> ()
error Refused (secret: string)
"""


class Vault:
    def Fail(self, secret: str) -> dict[str, Any]:
        raise KeyError(secret)

    def Mismatch(self, secret: str) -> dict[str, Any]:
        return {"n": secret, secret: 1}

    def Unsendable(self, secret: str) -> dict[str, Any]:
        raise ValueError(f"{secret} cannot be sent") from RuntimeError(secret)

    def Refuse(self, secret: str) -> dict[str, Any]:
        # Its parameters do not fit the declaration.
        raise fastvarlink.VarlinkError({"error": "org.example.vault.Refused", "parameters": {secret: secret}})

    def Stream(self, secret: str) -> Iterator[dict[str, Any]]:
        yield {"n": 1, "_continues": True}
        raise LookupError(secret)

    def Take(self, secrets: dict[str, int]) -> dict[str, Any]:
        return {}


def replies(service: fastvarlink.Service, method: str, **parameters: Any) -> list[bytes]:
    call = {"method": method, "parameters": parameters, "more": True}
    return list(service.handle(json.dumps(call).encode()))


def service_of(**options: Any) -> fastvarlink.Service:
    service = fastvarlink.Service()
    service.interface(TEXT, **options)(Vault)
    return service


@pytest.mark.parametrize("method", ["Fail", "Mismatch", "Unsendable", "Refuse", "Stream"])
def test_a_sensitive_interface(method: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        given = replies(service_of(sensitive=True), f"org.example.vault.{method}", secret=SECRET)
    assert b"InternalError" in given[-1]
    assert SECRET not in b"".join(given).decode()
    assert SECRET not in caplog.text
    # It still says where to look.
    assert f"org.example.vault.{method} failed with " in caplog.text


def test_without_it_the_log_says_what_was_wrong(caplog: pytest.LogCaptureFixture) -> None:
    replies(service_of(), "org.example.vault.Fail", secret=SECRET)
    assert SECRET in caplog.text


def test_keys_are_values_too() -> None:
    (reply,) = replies(service_of(sensitive=True), "org.example.vault.Take", secrets={SECRET: "no int"})
    assert json.loads(reply)["parameters"] == {"parameter": "secrets"}
    (reply,) = replies(service_of(), "org.example.vault.Take", secrets={SECRET: "no int"})
    assert SECRET in json.loads(reply)["parameters"]["parameter"]


Password = NewType("Password", Annotated[str, Sensitive])  # type: ignore[valid-newtype]


@dataclass
class Login:
    name: str
    password: Annotated[str, Sensitive]


@dataclass
class Session:
    login: Login | None


@fastvarlink.interface("org.example.logins")
class Logins:
    """Whatever names a type with a sensitive part is sensitive; its neighbours are not."""

    def Plain(self, name: str) -> None:
        raise KeyError(name)

    def Direct(self, name: Annotated[str, Sensitive]) -> None:
        raise KeyError(name)

    def Inside(self, name: list[Password] | None) -> None:
        raise KeyError(name)

    def Nested(self, name: list[Session]) -> None:
        raise KeyError(name)

    @fastvarlink.method(returns="login")
    def Given(self, name: str) -> Login:
        raise KeyError(name)

    @fastvarlink.method(sensitive=True)
    def Marked(self, name: str) -> None:
        raise KeyError(name)


@pytest.mark.parametrize(
    ("method", "parameter", "shown"),
    [
        ("Plain", SECRET, True),
        ("Direct", SECRET, False),
        ("Inside", [SECRET], False),
        ("Nested", [{"login": {"name": "x", "password": SECRET}}], False),
        ("Given", SECRET, False),
        ("Marked", SECRET, False),
    ],
)
def test_sensitive_annotations(
    method: str, parameter: Any, shown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    service = fastvarlink.Service()
    service.interface(Logins)
    replies(service, f"org.example.logins.{method}", name=parameter)
    assert (SECRET in caplog.text) is shown
    assert "KeyError" in caplog.text


def test_a_marked_method_of_a_definition(caplog: pytest.LogCaptureFixture) -> None:
    class Marked(Vault):
        @fastvarlink.method(sensitive=True)
        def Fail(self, secret: str) -> dict[str, Any]:
            raise KeyError(secret)

    service = fastvarlink.Service()
    service.interface(TEXT)(Marked)
    replies(service, "org.example.vault.Fail", secret=SECRET)
    assert SECRET not in caplog.text
    replies(service, "org.example.vault.Stream", secret=SECRET)
    assert SECRET in caplog.text


def test_an_interface_can_be_sensitive_by_its_declaration(caplog: pytest.LogCaptureFixture) -> None:
    @fastvarlink.interface("org.example.quiet", sensitive=True)
    class Quiet:
        def Fail(self, name: str) -> None:
            raise KeyError(name)

    service = fastvarlink.Service()
    service.interface(Quiet)
    replies(service, "org.example.quiet.Fail", name=SECRET)
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text
