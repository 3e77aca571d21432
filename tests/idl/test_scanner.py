"""The scanner of the package ``varlink``: its verdicts, messages and names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fastvarlink import scanner
from fastvarlink.scanner import Interface, Scanner

HEAD = "interface org.example.test\n"


def only_member(text: str) -> Any:
    (member,) = Interface(HEAD + text).members.values()
    return member


@pytest.mark.parametrize(
    "name", ["a.b", "a.1", "a.0.0", "com.example.0example", "xn--lgbbat1ad8j.example.algeria"]
)
def test_interface_names(name: str) -> None:
    assert Interface(f"interface {name}\nmethod F()->()").name == name


@pytest.mark.parametrize(
    "name", ["ab", "co9.example.number", "8a.0.0", "a.b-.c-", "a..b", "a.b.c-", ".a.b", "-a.b"]
)
def test_refused_interface_names(name: str) -> None:
    with pytest.raises(SyntaxError):
        Interface(f"interface {name}\nmethod F()->()")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type T (struct)", "in 'T': after 'struct'"),
        ("type T (first: int, second)", "in 'T': after 'second': expected ':'"),
        ("nonsense", "expected type, method, or error"),
        ("method F(a: ??int) -> ()", "double '??'"),
        ("type lower (a: int)", "'lower' not a valid type name."),
        ("method F() ()", "expected '->'"),
        ("type T (a: any)", "in 'T': expected '('"),
        ("type T (a: intfoo)", "in 'T': expected '('"),
        ("type T (a, b: int)", "in 'T': expected ')'"),
    ],
)
def test_messages(text: str, message: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        Interface(HEAD + text)
    assert str(caught.value) == message


def test_what_the_specification_refuses_and_the_scanner_allows() -> None:
    text = HEAD + "type T int\ntype T []string\nmethod F(x, y) -> (a: Nope)\nerror E (a, b)"
    interface = Interface(text)
    assert list(interface.members) == ["T", "F", "E"]
    assert isinstance(interface.members["T"].type, scanner._Array)  # type: ignore[union-attr]
    assert Interface("interface a.b").members == {}


def test_nodes() -> None:
    text = (
        "type T (b: bool, i: int, f: float, s: string, set: [string](), o: object,"
        " m: ?int, a: []int, d: [string]int, c: T, e: (x, y), z: (q: int))"
    )
    fields = only_member(text).type.fields
    assert {n: v for n, v in fields.items() if isinstance(v, int | float | str | set)} == {
        "b": False,
        "i": 0,
        "f": 0.0,
        "s": "",
        "set": set(),
    }
    assert type(fields["b"]) is bool
    classes = {name: type(fields[name]).__name__ for name in "omadcez"}
    assert classes == {
        "o": "_Object",
        "m": "_Maybe",
        "a": "_Array",
        "d": "_Dict",
        "c": "_CustomType",
        "e": "_Enum",
        "z": "_Struct",
    }
    assert list(fields["e"].fields) == ["x", "y"]
    assert fields["c"].name == "T"


def test_a_signature_with_nested_parentheses() -> None:
    method = only_member("# Doc\nmethod F(a: (b: int)) # c\n -> (d: [string](), e: (f, g))\n")
    assert method.signature == "F(a: (b: int)) # c\n -> (d: [string](), e: (f, g))"
    assert method.doc == " Doc\n c"


def test_comment_lines_are_documentation() -> None:
    interface = Interface("# one # 1\n# two\ninterface a.b\n# of E\nerror E ()\n")
    assert interface.doc == " one # 1\n two"
    assert interface.members["E"].doc == " of E"


def test_deep_nesting_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError, match="64"):
        Interface(f"{HEAD}type T (a: {'[]' * 100_000}int)")


def test_edited_patterns_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Scanner.__init__

    def wider(self: Scanner, string: str) -> None:
        original(self, string)
        self.patterns["interface-name"] = re.compile(r"[A-Za-z0-9.]+")

    monkeypatch.setattr(Scanner, "__init__", wider)
    assert Interface("interface io9.Name\nmethod F() -> ()").name == "io9.Name"


def test_a_replaced_constructor_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(self: Scanner, string: str) -> None:
        self.whitespace = re.compile(r"([ \t\n;]|#.*$)+", re.MULTILINE)
        self.docstring = re.compile(r"#(.*)\n")
        self.keyword_pattern = re.compile(r"\b[a-z]+\b|[:,()]|->|\?|\[\]")
        self.patterns = {
            "interface-name": re.compile(r"\w+"),
            "member-name": re.compile(r"\w+"),
            "identifier": re.compile(r"\w+"),
        }
        self.string = string
        self.pos = 0
        self.current_doc = ""

    monkeypatch.setattr(Scanner, "__init__", own)
    interface = Interface("interface plain; method lower(under__score: int) -> ()")
    assert interface.name == "plain"
    assert list(interface.get_method("lower").in_type.fields) == ["under__score"]


def test_step_by_step() -> None:
    reader = Scanner("# doc\ntype T (a: int)  ")
    assert {"whitespace", "docstring", "method_signature", "keyword_pattern"} <= vars(reader).keys()
    assert reader.method_signature.match("(a: int) -> ()")
    assert reader.get("method") is None
    assert reader.current_doc == " doc"
    assert reader.expect("type") is True
    assert reader.get("member-name") == "T"
    assert isinstance(reader.read_struct(), scanner._Struct)
    assert reader.end()
    with pytest.raises(SyntaxError, match="expected 'identifier'"):
        reader.expect("identifier")
