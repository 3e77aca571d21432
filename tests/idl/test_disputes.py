"""Where the implementations of Varlink disagree: what the specification says, and whom the linter names.

Each entry of the table is one question on which they are known to differ. I1 to I11 are the rules of the IDL.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvarlink.idl import Finding, IdlSyntaxError, Peer, lint, parse, to_text

SYSTEMD, GO, RUST, PYTHON, LIB, ZLINK = Peer
ALL_BUT_RUST = {SYSTEMD, GO, PYTHON, LIB, ZLINK}
NOBODY: set[Peer] = set()

ROOT = Path(__file__).parents[2]
HEAD = "interface org.example.a\n"
METHOD = "method M() -> ()\n"
DEEPEST = 64


class Dispute(NamedTuple):
    """``allowed`` has texts and the peers that do not take them, ``refused`` has wrong ones and the place."""

    question: str
    allowed: dict[str, set[Peer]]
    refused: dict[str, tuple[int, int]]


def typed(type_: str) -> str:
    """A definition with a parameter of this type."""
    return f"{HEAD}method M(a: {type_}) -> ()\n"


def named(name: str) -> str:
    return f"interface {name}\n{METHOD}"


def declaring(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines) + METHOD


DISPUTES = [
    Dispute(
        "a line break after the interface's name and after members",
        {
            "interface a.b method M() -> ()\n": {RUST},
            f"{HEAD}type T (a: int) {METHOD}": {RUST},
            f"{HEAD}method M() -> ()": NOBODY,
            f"{HEAD}type T (a: int)method M()->()": {RUST},
        },
        {},
    ),
    Dispute(
        "a comment behind the interface's name",
        {
            f"interface a.b # x\n{METHOD}": {RUST},
            f"interface a.b# x\n{METHOD}": NOBODY,
            f"{HEAD}type T (a: int) # x\n{METHOD}": {RUST},
            f"{HEAD}method M() -> () # x\n": NOBODY,
        },
        {},
    ),
    Dispute(
        "an interface without members",
        {f"{HEAD}type T (a: int)\nerror E ()\n": {GO}},
        {HEAD: (1, 24), "interface a.b": (1, 14)},
    ),
    Dispute(
        "a struct without fields as the type of a field",
        {
            typed("()"): {SYSTEMD, ZLINK},
            typed("[](b: ?())"): {SYSTEMD, ZLINK},
            typed("( )"): {SYSTEMD, ZLINK, GO},
            f"{HEAD}method M( ) -> ()\n": {GO},
            f"{HEAD}method M() -> (\n)\n": {GO},
            f"{HEAD}method M(# x\n) -> ()\n": {GO, ZLINK},
        },
        {},
    ),
    Dispute("a set of strings", {typed("[string]()"): {SYSTEMD, ZLINK}}, {}),
    Dispute("a declared type without fields", {declaring("type T ()"): {SYSTEMD}}, {}),
    Dispute(
        "an array or a map as the element of another",
        {
            typed("[][]int"): {SYSTEMD},
            typed("[string][]int"): {SYSTEMD},
            typed("[][string]int"): {SYSTEMD},
            typed("?[]int"): NOBODY,
            typed("[](b: []int)"): NOBODY,
        },
        {},
    ),
    Dispute(
        "nullable elements",
        {typed("[]?int"): {SYSTEMD}, typed("?[]?int"): {SYSTEMD}, typed("[string]?int"): {SYSTEMD}},
        {},
    ),
    Dispute("a nullable of a nullable", {}, {typed("??int"): (2, 14)}),
    Dispute("a blank behind a question mark", {}, {typed("? int"): (2, 13)}),
    Dispute("a blank behind the sign of an array", {}, {typed("[] int"): (2, 13)}),
    Dispute(
        "a blank inside the sign of an array or a map",
        {},
        {typed("[ string ]int"): (2, 13), typed("[ ]int"): (2, 13)},
    ),
    Dispute(
        "any",
        {
            typed("any"): {GO, RUST, PYTHON, LIB, ZLINK},
            typed("?any"): {GO, RUST, PYTHON, LIB, ZLINK},
            typed("[string]any"): {GO, RUST, PYTHON, LIB, ZLINK},
        },
        {},
    ),
    Dispute(
        "fields and values called as keywords are",
        {
            f"{HEAD}method M(any: int, type: int, string: int, method: int) -> (interface: int)\n": NOBODY,
            typed("(any, error)"): NOBODY,
        },
        {},
    ),
    Dispute("an enum of one value", {typed("(one)"): {PYTHON}, declaring("type T (one)"): {PYTHON}}, {}),
    Dispute(
        "a comma behind the last field or value", {}, {typed("(b, c,)"): (2, 18), typed("int,"): (2, 16)}
    ),
    Dispute(
        "white space before a comma in an enum",
        {typed("(one , two)"): {RUST}, declaring("type T (one\n, two)"): {RUST}},
        {},
    ),
    Dispute(
        "white space or a comment before a comma in a struct",
        {
            f"{HEAD}method M(a: int , b: int) -> ()\n": {RUST},
            f"{HEAD}method M(a: int # x\n, b: int) -> ()\n": {RUST, SYSTEMD, ZLINK},
            declaring("type T (a # x", ", b)"): {RUST, SYSTEMD, ZLINK},
            typed("(b: int # x\n, c: int)"): {RUST, SYSTEMD},
            f"{HEAD}method M(a: int, # x\nb: int) -> ()\n": NOBODY,
        },
        {},
    ),
    Dispute(
        "a comment between the last field and the parenthesis",
        {
            f"{HEAD}method M(a: int # x\n) -> ()\n": {SYSTEMD, ZLINK},
            declaring("type T (a: int", "# x", ")"): {SYSTEMD, ZLINK},
            typed("(b: int # x\n)"): {SYSTEMD},
        },
        {},
    ),
    Dispute(
        "a comment between keyword and name, before a colon or an arrow",
        {
            f"interface # x\na.b\n{METHOD}": {SYSTEMD, ZLINK},
            f"{HEAD}method # x\nM() -> ()\n": {SYSTEMD, ZLINK},
            f"{HEAD}method M # x\n() -> ()\n": {SYSTEMD},
            f"{HEAD}method M(a # x\n: int) -> ()\n": {SYSTEMD},
            f"{HEAD}method M(a: # x\nint) -> ()\n": {SYSTEMD},
            declaring("type T (a # x", ": int)"): {SYSTEMD, ZLINK},
            f"{HEAD}method M() # x\n-> ()\n": {SYSTEMD},
            f"{HEAD}method M() -> # x\n()\n": {SYSTEMD},
            f"{HEAD}method M( # x\na: int) -> ()\n": NOBODY,
        },
        {},
    ),
    Dispute(
        "a comment at the end of the text without a line end",
        {f"{HEAD}{METHOD}# x": {RUST}, f"{HEAD}{METHOD}# x\n  ": NOBODY, f"{HEAD}{METHOD}": NOBODY},
        {},
    ),
    Dispute(
        "a comment without text",
        {
            f"{HEAD}#\n{METHOD}": {GO},
            f"{HEAD}#\n\n{METHOD}": NOBODY,
            f"{HEAD}# x\n#\n# y\n{METHOD}": NOBODY,
            f"{HEAD}# x\n#\n#\n{METHOD}": NOBODY,
            f"{HEAD}#\n#\n#\n{METHOD}": {GO},
        },
        {},
    ),
    Dispute(
        "a comment with ':' or ')' inside a type without a name",
        {
            typed("(\n# x: y\nb, c)"): {ZLINK},
            typed("(\n# (x)\nb: int)"): {ZLINK},
            typed("(\n# (x)\nb, c)"): NOBODY,
            typed("(\n# x: y\nb: int)"): NOBODY,
            declaring("type T (", "# (x): y", "b, c)"): NOBODY,
        },
        {},
    ),
    Dispute(
        "comments inside an enum without a name",
        {
            typed("(\n# x\nb,\n# y\nc)"): NOBODY,
            typed("(b # x\n, c)"): {RUST, SYSTEMD},
            typed("(b, c # x\n)"): {SYSTEMD},
        },
        {},
    ),
    Dispute(
        "lines that end in CR LF",
        {f"{HEAD}{METHOD}".replace("\n", "\r\n"): {PYTHON, LIB}, f"# x\r\n{HEAD}# y\r\n{METHOD}": NOBODY},
        {},
    ),
    Dispute(
        "CR, the line ends and the blanks of Unicode",
        {
            f"{HEAD}{METHOD}".replace("\n", "\r"): {PYTHON, LIB},
            f"{HEAD}# x\r{METHOD}": {GO, PYTHON, LIB, ZLINK},
            f"{HEAD}{METHOD}".replace("\n", "\u2028"): ALL_BUT_RUST,
            f"{HEAD}{METHOD}".replace("\n", "\u2029"): ALL_BUT_RUST,
            f"{HEAD}# x\u2028{METHOD}": ALL_BUT_RUST,
            f"{HEAD}method\u00a0M() -> ()\n": ALL_BUT_RUST,
            f"\ufeff{HEAD}{METHOD}": ALL_BUT_RUST,
            f"{HEAD}# x\u00a0\ufeffy\n{METHOD}": NOBODY,
        },
        {},
    ),
    Dispute(
        "form feed and vertical tab",
        {f"{HEAD}# \f\v\n{METHOD}": NOBODY},
        {f"{HEAD}\f{METHOD}": (2, 1), f"{HEAD}method\vM() -> ()\n": (2, 7)},
    ),
    Dispute(
        "digits before the first dot",
        {named("co9.example"): {GO, PYTHON}, named("a.9"): NOBODY},
        {named("9co.example"): (1, 11)},
    ),
    Dispute("a hyphen before the first dot", {named("a-b.c"): {GO, PYTHON}, named("a.b-c"): NOBODY}, {}),
    Dispute("a capital within the first label", {named("aB.c"): {RUST}, named("A.bC"): NOBODY}, {}),
    Dispute("a hyphen at the end of a label", {}, {named("a-.b"): (1, 11), named("a.b-"): (1, 11)}),
    Dispute("two hyphens side by side", {named("a.b--c"): {GO, SYSTEMD}}, {}),
    Dispute("an interface name without a dot", {}, {named("a"): (1, 11)}),
    Dispute("a dot at the end of an interface name", {}, {named("a.b."): (1, 11)}),
    Dispute(
        "a limit for the length of an interface name",
        {named("a." + "b" * 253): NOBODY, named("a." + "b" * 254): {GO, LIB}},
        {},
    ),
    Dispute(
        "interface names that begin with xn--",
        {
            named("xn--c1yn36f.example"): {SYSTEMD},
            named("xn--c1yn36f.Example"): {SYSTEMD, GO},
            named("xn--C1yn36f.example"): {SYSTEMD, GO, RUST, PYTHON},
            named("example.xn--c1yn36f"): {SYSTEMD, GO},
        },
        {},
    ),
    Dispute(
        "a field whose name begins with a capital",
        {
            f"{HEAD}method M(Abc: int) -> ()\n": {GO},
            declaring("type T (abc, Def)"): {GO},
            f"{HEAD}method M(aBC: int) -> ()\n": NOBODY,
        },
        {},
    ),
    Dispute(
        "two underscores side by side, or one at the end",
        {typed("(b_c: int)"): NOBODY},
        {typed("(b__c: int)"): (2, 14), typed("(b_: int)"): (2, 14)},
    ),
    Dispute(
        "a declared type whose name begins with a small letter", {}, {declaring("type foo (a: int)"): (2, 6)}
    ),
    Dispute("a type of another interface", {}, {typed("org.example.b.T"): (2, 13)}),
    Dispute("a type that is not declared", {}, {typed("Nope"): (2, 13), typed("?Nope"): (2, 14)}),
    Dispute(
        "a declared type that is neither a struct nor an enum",
        {},
        {
            declaring("type T int"): (2, 8),
            declaring("type T []int"): (2, 8),
            declaring("type T ?(a: int)"): (2, 8),
            declaring("type U (a: int)", "type T U"): (3, 8),
        },
    ),
    Dispute(
        "an enum as the parameters of a method",
        {},
        {f"{HEAD}method M(x, y) -> ()\n": (2, 9), f"{HEAD}method M() -> (x, y)\n": (2, 15)},
    ),
    Dispute(
        "an error without parentheses", {declaring("error E ()"): NOBODY}, {declaring("error E"): (2, 8)}
    ),
    Dispute(
        "an error that is declared as no struct",
        {},
        {declaring("error E (a, b)"): (2, 9), declaring("error E int"): (2, 9)},
    ),
    Dispute("two members of one name", {}, {declaring("type M (a: int)"): (3, 8)}),
    Dispute("two fields of one name", {}, {f"{HEAD}method M(a: int, a: int) -> ()\n": (2, 18)}),
    Dispute(
        "a struct that contains itself",
        {
            declaring("type T (a: ?T)"): NOBODY,
            declaring("type T (a: []T)"): NOBODY,
            declaring("type T (a: [string]T)"): NOBODY,
        },
        {declaring("type T (a: T)"): (2, 6)},
    ),
    Dispute(
        "how deep types are nested",
        {declaring("type T " + "(a: " * DEEPEST + "int" + ")" * DEEPEST): NOBODY},
        {declaring("type T " + "(a: " * (DEEPEST + 1) + "int" + ")" * (DEEPEST + 1)): (2, 8 + 4 * DEEPEST)},
    ),
    Dispute("a word that begins like a type", {}, {typed("intfoo"): (2, 13)}),
    Dispute("object", {typed("object"): NOBODY}, {}),
    # They differ in what they show as documentation; the interface is the same for all of them.
    Dispute("documentation", {f"{HEAD}# x\nmethod M(\n# y\na: int,\n\n# z\n\nb: int) -> ()\n": NOBODY}, {}),
    Dispute(
        "text that is not UTF-8",
        {f"{HEAD}# \u00e4\n{METHOD}": NOBODY},
        {f"{HEAD}# \udcff\n{METHOD}": (2, 3)},
    ),
]

ALLOWED = [
    pytest.param(text, peers, id=f"{dispute.question}-{index}")
    for dispute in DISPUTES
    for index, (text, peers) in enumerate(dispute.allowed.items())
]
REFUSED = [
    pytest.param(text, place, id=f"{dispute.question}-{index}")
    for dispute in DISPUTES
    for index, (text, place) in enumerate(dispute.refused.items())
]


@pytest.mark.rule("I10")
@pytest.mark.parametrize(("text", "peers"), ALLOWED)
def test_what_the_specification_allows(text: str, peers: set[Peer]) -> None:
    assert parse(text).members
    found = lint(text)
    assert {peer for finding in found for peer in finding.peers} == peers
    assert [(f.line, f.column) for f in found] == sorted((f.line, f.column) for f in found)


@pytest.mark.rule("I10")
@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_what_the_specification_refuses(text: str, place: tuple[int, int]) -> None:
    for read in (parse, lint):
        with pytest.raises(IdlSyntaxError) as raised:
            read(text, "a.varlink")
        assert (raised.value.lineno, raised.value.offset) == place
        assert raised.value.filename == "a.varlink"


@pytest.mark.rule("I10")
def test_a_finding_says_who_where_why_and_what_to_do() -> None:
    first, second = lint(f"{HEAD}method M(\n\ta: [][]int # each\n) -> ()\n".encode())
    assert first == Finding(
        3,
        5,
        "systemd refuses an array or a map of something nullable, of arrays or of maps.",
        "Declare a struct that holds the inner type, and use its name.",
        "\ta: [][]int # each",
        frozenset({SYSTEMD}),
        "nested",
    )
    assert second.peers == {SYSTEMD, ZLINK}
    assert str(second) == (
        "line 3, column 13: systemd and zlink refuse a comment before a closing parenthesis.\n"
        "    \ta: [][]int # each\n"
        "    \t           ^\n"
        "    Write it above the last field or value."
    )


@pytest.mark.rule("I10")
def test_each_place_is_found_and_each_kind_of_white_space_once() -> None:
    text = f"{HEAD}type T (a: any,\r\nb: [](one) ,\r\nc: any)\r\n{METHOD}"
    found = [(finding.line, finding.column, sorted(p.value for p in finding.peers)) for finding in lint(text)]
    anys = ["Go", "Rust", "libvarlink", "python-varlink", "zlink"]
    assert found == [
        (2, 12, anys),
        (2, 16, ["libvarlink", "python-varlink"]),
        (3, 7, ["python-varlink"]),
        (3, 12, ["Rust"]),
        (4, 4, anys),
    ]


@pytest.mark.rule("I10")
@pytest.mark.parametrize("piece", ["# c\n", "#\n\n", "# # ", "\n", "type T%d (a: (b: int), c: [](d, e))\n"])
def test_it_takes_linear_time(piece: str) -> None:
    # What is quadratic in these lengths takes minutes.
    pieces = "".join(piece % index if "%" in piece else piece for index in range(30_000))
    assert [finding.message for finding in lint(f"{HEAD}{METHOD}{pieces}\n")] == []


FILES = [path for folder in ("bench", "examples", "src") for path in (ROOT / folder).rglob("*.varlink")]
# Those with forms that are disputed however they are written.
DISPUTED = {
    "org.varlink.certification.varlink": {SYSTEMD, ZLINK},
}


@pytest.mark.rule("I10")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_printed_is_disputed_only_for_what_it_says(path: Path) -> None:
    found = lint(to_text(parse(path.read_bytes())))
    assert {peer for finding in found for peer in finding.peers} == DISPUTED.get(path.name, NOBODY)


names = st.from_regex(r"[a-z](_?[a-z0-9]){0,8}", fullmatch=True)
docs = st.lists(st.text(st.characters(codec="ascii", exclude_characters="\n\r\0"), min_size=1), max_size=2)
plain_types = st.sampled_from(["bool", "int", "float", "string", "object", "T", "(b, c)", "(d: int, e: ?T)"])
types = st.builds(str.__add__, st.sampled_from(["", "?", "[]", "[string]", "?[]", "?[string]"]), plain_types)


@st.composite
def undisputed(draw: st.DrawFn) -> str:
    """Definitions in forms that no peer has anything against, badly laid out."""
    lines = ["interface org.example.a", "type T (a: int)"]
    for name in draw(st.sets(st.sampled_from("ABC"), min_size=1)):
        bodies = []
        for _ in range(2):
            fields = draw(st.dictionaries(names, types, max_size=4))
            parts = []
            for field, type_ in fields.items():
                comments = "".join(f"\n#{line}\n" for line in draw(docs))
                parts.append(f"{comments} {field} :  {type_}")
            bodies.append(",".join(parts))
        lines += ["", *(f"#{line}" for line in draw(docs)), f"method\t{name} ({bodies[0]})\n->({bodies[1]})"]
    return "\n".join(lines)


@pytest.mark.rule("I10")
@given(undisputed())
def test_what_is_undisputed_is_so_when_it_is_printed(text: str) -> None:
    assert lint(to_text(parse(text))) == []
