"""Programs that replace or edit the Scanner, and those that walk through what it makes."""

from __future__ import annotations

import re
from typing import Any

import pytest

import fastvarlink
from fastvarlink import scanner

CAPITALS = "interface io.systemd.UserDatabase2.X9\nmethod Get() -> ()\n"


def test_a_replaced_constructor_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    original = scanner.Scanner.__init__

    def patched(self: Any, string: str) -> None:
        original(self, string)
        self.patterns["interface-name"] = re.compile(r"[!A-Za-z0-9.]+")

    text = "interface !odd.name\nmethod Get() -> ()\n"
    with pytest.raises(SyntaxError):
        fastvarlink.Interface(text)
    monkeypatch.setattr(scanner.Scanner, "__init__", patched)
    assert fastvarlink.Interface(text).name == "!odd.name"
    assert fastvarlink.Interface(CAPITALS).name == "io.systemd.UserDatabase2.X9"


def test_a_patched_scanner_reads_what_a_service_adds(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    original = scanner.Scanner.__init__

    def patched(self: Any, string: str) -> None:
        original(self, string)
        self.patterns["interface-name"] = re.compile(r"[A-Za-z0-9._]+")

    monkeypatch.setattr(scanner.Scanner, "__init__", patched)
    (tmp_path / "odd_name.example.varlink").write_text("interface odd_name.example\nmethod Get() -> ()\n")
    service = fastvarlink.Service(interface_dir=str(tmp_path))

    @service.interface("odd_name.example")
    class Example:
        def Get(self) -> dict[str, Any]:
            return {}

    assert list(service.interfaces) == ["org.varlink.service", "odd_name.example"]
    assert list(service.handle(b'{"method":"odd_name.example.Get"}')) == [b"{}"]


def test_node_classes() -> None:
    interface = scanner.Interface(
        "interface a.b\n"
        "type T (b: bool, i: int, f: float, s: string, o: object, set: [string](), dict: [string]int,\n"
        "        array: []string, maybe: ?int, enum: (one, two), struct: (x: int), custom: U)\n"
        "type U (x: int)\n"
        "# Doc.\nmethod M(a: T) -> (b: U)\n"
        "error E (reason: string)\n"
    )
    alias = interface.members["T"]
    assert isinstance(alias, scanner._Alias)
    assert alias.name == "T"
    assert isinstance(alias.type, scanner._Struct)
    fields: Any = alias.type.fields
    assert fields["b"] is False
    assert (type(fields["i"]), fields["i"]) == (int, 0)
    assert (type(fields["f"]), fields["f"]) == (float, 0.0)
    assert fields["s"] == ""
    assert fields["set"] == set()
    assert isinstance(fields["o"], scanner._Object)
    assert isinstance(fields["dict"], scanner._Dict)
    assert fields["dict"].element_type == 0
    assert isinstance(fields["array"], scanner._Array)
    assert fields["array"].element_type == ""
    assert isinstance(fields["maybe"], scanner._Maybe)
    assert fields["maybe"].element_type == 0
    assert isinstance(fields["enum"], scanner._Enum)
    assert list(fields["enum"].fields) == ["one", "two"]
    assert isinstance(fields["struct"], scanner._Struct)
    assert isinstance(fields["custom"], scanner._CustomType)
    assert fields["custom"].name == "U"
    method = interface.members["M"]
    assert isinstance(method, scanner._Method)
    assert "Doc." in (method.doc or "")
    assert method.signature == "M(a: T) -> (b: U)"
    error = interface.members["E"]
    assert isinstance(error, scanner._Error)
    assert list(error.type.fields) == ["reason"]  # type: ignore[union-attr]


def test_nodes_can_be_made_by_hand() -> None:
    struct = scanner._Struct({"x": 0})
    method = scanner._Method("M", struct, struct, "method M(x: int) -> (x: int)", "Doc.")
    assert (method.name, method.in_type, method.out_type) == ("M", struct, struct)
    assert (method.signature, method.doc) == ("method M(x: int) -> (x: int)", "Doc.")
    assert scanner._Alias("T", struct).doc is None
    assert scanner._Error("E", struct, "Why.").doc == "Why."
    assert scanner._Error("E", struct).type is struct


@pytest.mark.parametrize("name", ["co9.example.number-toplevel", "ab", "a.b-.c-", "8a.0.0"])
def test_interface_names_that_are_refused(name: str) -> None:
    with pytest.raises(SyntaxError):
        fastvarlink.Interface(f"interface {name}\nmethod F() -> ()")


@pytest.mark.parametrize(
    "name", ["a.1", "a.0.0", "com.example.0example", "xn--lgbbat1ad8j.example.algeria", "a.b"]
)
def test_interface_names_that_are_accepted(name: str) -> None:
    assert fastvarlink.Interface(f"interface {name}\nmethod F() -> ()").name == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("interface a.b\ntype T (struct enum)", "after 'struct'"),
        ("interface a.b\ntype T (b: bool, second third)", "after 'second'"),
        ("interface a.b\nnonsense", "expected type, method, or error"),
        ("interface a.b\ntype T (x: ??int)", "double '??'"),
    ],
)
def test_what_syntax_errors_say(text: str, said: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        fastvarlink.Interface(text)
    assert said in str(caught.value)


def test_an_interface_without_members() -> None:
    assert not fastvarlink.Interface("interface a.b\n").members


def test_filter_params() -> None:
    interface = fastvarlink.Interface("interface a.b\nmethod M(a: int, b: ?string) -> (a: int)\n")
    in_type = interface.get_method("M").in_type
    assert interface.filter_params("client.call", in_type, False, (1, "x"), {}) == {"a": 1, "b": "x"}
    assert interface.filter_params("client.call", in_type, False, (), {"a": 1, "no": 2}) == {"a": 1}
    with pytest.raises(fastvarlink.InvalidParameter) as caught:
        interface.filter_params("client.call", in_type, False, ("one",), {})
    assert caught.value.parameters() == {"parameter": "client.call.a"}
    namespace = interface.filter_params("client.reply", in_type, True, {"a": 1}, None)
    assert namespace.a == 1
    assert not hasattr(namespace, "b")
