"""The parser that follows the specification. I1 to I8 are the rules of the IDL."""

from __future__ import annotations

import contextlib
import pickle

import pytest

from fastvarlink.error import Error
from fastvarlink.idl import IdlSyntaxError, parse, tree
from fastvarlink.idl.tokens import method_signatures

HEAD = "interface org.example.test\n"
INT = tree.Primitive.INT


def member(text: str) -> tree.Member:
    return parse(HEAD + text).members[-1]


def type_of(text: str) -> tree.Type:
    """What ``text`` reads as, where a type stands."""
    declaration = member(f"type Other (x: int)\ntype T (a: {text})")
    assert isinstance(declaration, tree.TypeDeclaration)
    assert isinstance(declaration.type, tree.Struct)
    return declaration.type.fields[0].type


def refusal(text: str) -> IdlSyntaxError:
    with pytest.raises(IdlSyntaxError) as caught:
        parse(text)
    return caught.value


def test_a_whole_definition() -> None:
    text = """# About it.
interface org.example.more

# A state.
type State (
  # begun
  start: ?bool,
  progress: ?int
)
type Colour (red, green)
# Starts.
#   Slowly.
method Start(n: int) -> (state: State)
error Failed (reason: string)
"""
    state = tree.Struct(
        (
            tree.Field("start", tree.Nullable(tree.Primitive.BOOL), "begun"),
            tree.Field("progress", tree.Nullable(INT)),
        )
    )
    assert parse(text) == tree.Interface(
        "org.example.more",
        "About it.",
        (
            tree.TypeDeclaration("State", state, "A state."),
            tree.TypeDeclaration("Colour", tree.Enum((tree.EnumValue("red"), tree.EnumValue("green")))),
            tree.Method(
                "Start",
                tree.Struct((tree.Field("n", INT),)),
                tree.Struct((tree.Field("state", tree.Named("State")),)),
                "Starts.\n  Slowly.",
            ),
            tree.Error("Failed", tree.Struct((tree.Field("reason", tree.Primitive.STRING),))),
        ),
    )


@pytest.mark.parametrize(
    "name",
    ["a.b", "co9.example", "a-b.c", "aB.c", "a.1", "a.0.0", "a.b--c", "xn--c1yn36f.xn--c1yn36f"],
)
def test_i1_interface_names(name: str) -> None:
    assert parse(f"interface {name}").name == name


@pytest.mark.parametrize(
    "name", ["a", "1.b", "-a.b", "a-.b", "a.b-", "a..b", ".a.b", "a.b.", "a_b.c", "a.-b", "ä.b"]
)
def test_i1_refused_interface_names(name: str) -> None:
    error = refusal(f"interface {name}\n")
    assert (error.lineno, error.offset) == (1, 11)
    assert "interface name" in error.msg


@pytest.mark.parametrize("name", ["a", "Abc", "a_b", "a9", "any", "type", "string", "method"])
def test_i1_field_names(name: str) -> None:
    declared = member(f"type T ({name}: int)")
    assert declared == tree.TypeDeclaration("T", tree.Struct((tree.Field(name, INT),)))


@pytest.mark.parametrize("name", ["a__b", "a_", "_a", "9a", "a-b", "a.b", "é"])
def test_i1_refused_field_names(name: str) -> None:
    assert repr(name) in refusal(f"{HEAD}type T ({name}: int)").msg


@pytest.mark.parametrize("name", ["foo", "Foo_bar", "9Foo", "x.y.T"])
def test_i1_refused_member_names(name: str) -> None:
    assert repr(name) in refusal(f"{HEAD}type {name} (a: int)").msg


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((primitive.value, primitive) for primitive in tree.Primitive),
        ("Other", tree.Named("Other")),
        ("()", tree.Struct(())),
        ("(one)", tree.Enum((tree.EnumValue("one"),))),
        ("(b: int)", tree.Struct((tree.Field("b", INT),))),
        ("?int", tree.Nullable(INT)),
        ("[]int", tree.Array(INT)),
        ("[][]int", tree.Array(tree.Array(INT))),
        ("[string]int", tree.Map(INT)),
        ("[string]()", tree.Map(tree.Struct(()))),
        ("?[]?int", tree.Nullable(tree.Array(tree.Nullable(INT)))),
        ("?[string]int", tree.Nullable(tree.Map(INT))),
        ("? int", tree.Nullable(INT)),
        ("[] int", tree.Array(INT)),
    ],
)
def test_i2_types(text: str, expected: tree.Type) -> None:
    assert type_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "type T (a: ??int)",
        "type T (a: ?? int)",
        "type T (a: [ string ]int)",
        "type T (a: [int])",
        "type T (a: int[])",
        "type T (a: intfoo)",
        "type T (a: int,)",
        "type T (a, b,)",
        "type T (a: int, b)",
        "type T (a, b: int)",
        "type T (a: int b: int)",
        "type T int",
        "type T []int",
        "type T ?(a: int)",
        "type T",
        "method F() ()",
        "method F() ->",
        "method F(x, y) -> ()",
        "method F() -> (x, y)",
        "method F()",
        "error E",
        "error E (a, b)",
        "error E int",
        "{}",
        "nothing",
        "type T (",
        "type T (a",
        "type T (a:",
        "\ftype T ()",
    ],
)
def test_i2_refused(text: str) -> None:
    assert str(refusal(HEAD + text)).startswith("line 2, column ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("type A ()\nmethod A() -> ()", (3, 8)),
        ("type A (b: int, b: int)", (2, 17)),
        ("type A (b, c, b)", (2, 15)),
        ("type A (b: ?Nope)", (2, 13)),
        ("method F() -> ()\ntype A (b: F)", (3, 12)),
    ],
)
def test_i3_duplicates_and_undeclared_names(text: str, place: tuple[int, int]) -> None:
    error = refusal(HEAD + text)
    assert (error.lineno, error.offset) == place


@pytest.mark.parametrize("wrapped", ["?A", "[]A", "[string]A", "?(x: A)", "(x: ?A)"])
def test_i4_recursion_with_a_way_out(wrapped: str) -> None:
    assert parse(f"{HEAD}type A (a: {wrapped})").members


@pytest.mark.parametrize(
    "text",
    [
        "type A (a: A)",
        "type A (a: (b: A))",
        "type A (a: int, b: B)\ntype B (c: C)\ntype C (a: A)",
        "type B (a: A, x: A)\ntype A (b: B)",
    ],
)
def test_i4_recursion_without_a_way_out(text: str) -> None:
    assert "contains itself" in refusal(HEAD + text).msg


def test_i4_a_long_chain_of_types_is_no_recursion() -> None:
    chain = "\n".join(f"type T{i} (a: T{i + 1}, b: T{i + 1})" for i in range(3000))
    assert len(parse(f"{HEAD}{chain}\ntype T3000 ()").members) == 3001


@pytest.mark.parametrize("opening", ["[]", "[string]", "(a: ", "?[]"])
def test_i5_nesting(opening: str) -> None:
    levels = 2 if opening == "?[]" else 1
    for depth, good in ((64, True), (65, False), (20_000, False)):
        # The struct of the declaration is the first level.
        count = (depth - 1) // levels + (0 if good else 1)
        text = f"{HEAD}type T (a: {opening * count}int{')' * opening.count('(') * count})"
        if good:
            assert parse(text).members
        else:
            assert "64" in refusal(text).msg


def test_i5_sizes() -> None:
    assert "NUL" in refusal(f"{HEAD}# \0\n").msg
    assert "UTF-8" in refusal(f"{HEAD}# \udc80\n").msg
    assert "16777216" in refusal(HEAD + " " * 16 * 1024 * 1024).msg
    assert "16777216" in refusal(HEAD + "\u2028" * 6 * 1024 * 1024).msg
    many = "".join(f"error E{i} ()\n" for i in range(100_001))
    assert "100000" in refusal(HEAD + many).msg
    assert len(parse(HEAD + many[: many.rindex("error")]).members) == 100_000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_i6_line_ends(end: str) -> None:
    text = "# i\ninterface a.b # x\n\n# one\n# two\nmethod F(\n  # f\n  a: int\n) -> ()\n# end"
    assert parse(text.replace("\n", end)) == parse(text)
    error = refusal(text.replace("\n", end).replace(": int", ": Int"))
    assert (error.lineno, error.offset, error.text) == (8, 6, "  a: Int")


@pytest.mark.parametrize("blank", ["\t", "\u00a0", "\ufeff", "\u2003", "\u3000", "\n# c\n", "#\n"])
def test_i6_blanks_and_comments_between_any_two_tokens(blank: str) -> None:
    tokens = "interface a.b method F ( a : ?[]int , b : [string] ( x , y ) ) -> ( ) error E ( )"
    plain = parse(tokens)
    spread = parse(tokens.replace(" ", blank))
    assert [m.name for m in spread.members] == [m.name for m in plain.members]
    if "#" not in blank:
        assert spread == plain


def test_i6_leniency() -> None:
    assert parse("interface a.b type T () method F()->() error E () # done").members
    assert parse("interface a.b").members == ()


def test_i7_documentation() -> None:
    text = (
        HEAD
        + """
# lost, as a blank line follows

#  two blanks
#none
# last # of them
method F(  # behind a parenthesis
  a: int,  # behind a
  # of b
  b: (
    # of x
    x,
    y # behind y
  )
  # before the end
) -> ()
# after everything
"""
    )
    parsed = member(text.removeprefix(HEAD))
    assert isinstance(parsed, tree.Method)
    assert parsed.doc == " two blanks\nnone\nlast # of them"
    a, b = parsed.input.fields
    assert (a.doc, b.doc) == ("", "of b")
    assert b.type == tree.Enum((tree.EnumValue("x", "of x"), tree.EnumValue("y")))


def test_i8_an_error_shows_the_place() -> None:
    error = refusal(f"{HEAD}method F(\n\ta: Int) -> ()")
    assert isinstance(error, Error)
    assert isinstance(error, SyntaxError)
    assert (error.lineno, error.offset, error.text) == (3, 5, "\ta: Int) -> ()")
    assert str(error) == (
        "line 3, column 5: Found 'Int', which this interface does not declare.\n"
        "    \ta: Int) -> ()\n"
        "    \t   ^"
    )
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)


def test_i8_a_long_or_hostile_line_is_shown_safely() -> None:
    error = refusal(f"{HEAD}type T (a: int, {'x' * 5000}: \x1b[31m)")
    shown = str(error)
    assert "\x1b" not in shown
    assert len(shown) < 500
    last, caret = shown.splitlines()[-2:]
    assert last[caret.index("^")] == "\ufffd"


def test_i8_the_end_of_the_text_is_named() -> None:
    assert "end of the text" in refusal("").msg
    assert "end of the text" in refusal("interface").msg
    assert "end of the text" in refusal(f"{HEAD}method F(").msg


def test_every_prefix_of_a_definition_is_read_or_refused() -> None:
    text = f"# d\n{HEAD}type T (a: ?[](b, c), d: [string]T2)\ntype T2 ()\nmethod F(x: T) -> ()\n"
    for end in range(len(text)):
        with contextlib.suppress(IdlSyntaxError):
            parse(text[:end])


@pytest.mark.parametrize("piece", ["# c\n", "#\n\n", " ", "\n", "a-", "(", "# # ", "\r"])
def test_reading_takes_linear_time(piece: str) -> None:
    # What is quadratic in these lengths takes minutes.
    text = HEAD + piece * 300_000
    with contextlib.suppress(IdlSyntaxError):
        parse(text)


def test_method_signatures_are_cut_from_the_text() -> None:
    text = f"{HEAD}type T (method: (a, b))\nmethod F (a: (b: int))\n  -> (c: [string]())\nerror E ()"
    assert method_signatures(text) == {"F": "F (a: (b: int))\n  -> (c: [string]())"}
