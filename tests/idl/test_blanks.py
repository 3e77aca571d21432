"""White space and line ends (rule I6)."""

from __future__ import annotations

import pytest
from reading import HEAD, refusal

from fastvarlink.idl import parse

BLANKS = [
    " ",
    "\t",
    "\u00a0",
    "\ufeff",
    "\u1680",
    "\u180e",
    *map(chr, range(0x2000, 0x200B)),
    "\u202f",
    "\u205f",
]
BLANKS.append("\u3000")
LINE_ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029"]
TEXT = "# i\ninterface a.b # x\n\n# one\n# two\nmethod F(\n  # f\n  a: int\n\n  # g\n) -> ()\n# end"
SPREAD = "interface a.b method F ( a : ?[]int , b : [string]( x , y ) ) -> ( ) error E ( )"


@pytest.mark.rule("I6")
@pytest.mark.parametrize("end", LINE_ENDS)
def test_line_ends(end: str) -> None:
    assert parse(TEXT.replace("\n", end)) == parse(TEXT)
    assert parse(TEXT.replace("\n", end).encode()) == parse(TEXT)


@pytest.mark.rule("I6")
def test_line_ends_may_differ_within_a_text() -> None:
    assert parse("# a\r# b\r\n# c\u2028# d\u2029# e\ninterface a.b error E ()").doc == "a\nb\nc\nd\ne"
    assert parse("# a\r\r\n# b\u2028interface a.b error E ()").comments == ("a",)
    assert parse("# a\n\r# b\rinterface a.b error E ()").comments == ("a",)


@pytest.mark.rule("I6")
@pytest.mark.parametrize("blank", [*BLANKS, *LINE_ENDS])
def test_blanks_between_any_two_tokens(blank: str) -> None:
    assert parse(SPREAD.replace(" ", blank)) == parse(SPREAD) == parse(blank + SPREAD + blank)


@pytest.mark.rule("I6")
@pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\x1c", "\x85", "\u200b", "\u2060"])
def test_what_the_grammar_does_not_call_a_blank(blank: str) -> None:
    assert ascii(blank)[1:-1] in refusal(SPREAD.replace(" ", blank, 3)).msg


@pytest.mark.rule("I6")
def test_no_blank_is_needed_where_a_sign_is() -> None:
    assert parse("interface a.b method F(a:?[]int,b:[string](x,y))->()error E()") == parse(SPREAD)
    assert parse("interface a.b\nmethod F()->()#c\n").members[0].remark == "c"


@pytest.mark.rule("I6")
def test_what_all_readings_agree_on_is_accepted() -> None:
    assert len(parse("interface a.b type T () method F()->() error E () # done").members) == 3
    assert parse(HEAD + "error E ()\n#").closing == ("",)


@pytest.mark.rule("I6")
@pytest.mark.parametrize("blank", [" ", "\n", "\u3000", "\r\n", "# c\n", " # c\u2028"])
@pytest.mark.parametrize("sign", ["?", "[]", "[string]"])
def test_nothing_stands_within_a_type(sign: str, blank: str) -> None:
    (fault,) = refusal(f"{HEAD}type T (a: {sign}{blank}int)").faults
    assert (fault.line, fault.column) == (2, 12)
    assert fault.hint == f"Write the type directly behind '{sign}'."
