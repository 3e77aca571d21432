"""The parser follows the grammar of the specification (rules I1 to I4)."""

from __future__ import annotations

import pytest
from reading import HEAD, member, refusal, type_of

from fastvarlink.idl import parse, tree

INT = tree.Primitive.INT


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


@pytest.mark.rule("I1")
@pytest.mark.parametrize(
    "name",
    ["a.b", "co9.example", "a-b.c", "aB.c", "a.1", "a.0.0", "a.b--c", "xn--c1yn36f.xn--c1yn36f"],
)
def test_interface_names(name: str) -> None:
    assert parse(f"interface {name}\nerror E ()").name == name


@pytest.mark.rule("I1")
@pytest.mark.parametrize(
    "name", ["a", "1.b", "-a.b", "a-.b", "a.b-", "a..b", ".a.b", "a.b.", "a_b.c", "a.-b", "ä.b", "a.bä.c"]
)
def test_refused_interface_names(name: str) -> None:
    error = refusal(f"interface {name}\n")
    assert (error.lineno, error.offset) == (1, 11)
    assert "interface name" in error.msg


@pytest.mark.rule("I1")
@pytest.mark.parametrize("name", ["a", "Abc", "a_b", "a9", "any", "type", "string", "method"])
def test_field_names(name: str) -> None:
    declared = member(f"type T ({name}: int)")
    assert declared == tree.TypeDeclaration("T", tree.Struct((tree.Field(name, INT),)))


@pytest.mark.rule("I1")
@pytest.mark.parametrize("name", ["a__b", "a_", "_a", "9a", "a-b", "a.b", "é", "naïve"])
def test_refused_field_names(name: str) -> None:
    assert repr(name) in refusal(f"{HEAD}type T ({name}: int)").msg


@pytest.mark.rule("I1")
@pytest.mark.parametrize("name", ["foo", "Foo_bar", "9Foo", "x.y.T"])
def test_refused_member_names(name: str) -> None:
    assert repr(name) in refusal(f"{HEAD}type {name} (a: int)").msg


@pytest.mark.rule("I2")
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
    ],
)
def test_types(text: str, expected: tree.Type) -> None:
    assert type_of(text) == expected


@pytest.mark.rule("I2")
@pytest.mark.parametrize(
    "text",
    [
        "type T (a: ??int)",
        "type T (a: ?? int)",
        "type T (a: ? int)",
        "type T (a: [] int)",
        "type T (a: [string] int)",
        "type T (a: ?\nint)",
        "type T (a: [] # c\nint)",
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
def test_refused(text: str) -> None:
    (fault,) = refusal(HEAD + text).faults
    assert fault.line == 2


@pytest.mark.rule("I3")
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
def test_duplicates_and_undeclared_names(text: str, place: tuple[int, int]) -> None:
    error = refusal(HEAD + text)
    assert (error.lineno, error.offset) == place


@pytest.mark.rule("I4")
@pytest.mark.parametrize("wrapped", ["?A", "[]A", "[string]A", "?(x: A)", "(x: ?A)"])
def test_recursion_with_a_way_out(wrapped: str) -> None:
    assert parse(f"{HEAD}type A (a: {wrapped})").members


@pytest.mark.rule("I4")
@pytest.mark.parametrize(
    "text",
    [
        "type A (a: A)",
        "type A (a: (b: A))",
        "type A (a: int, b: B)\ntype B (c: C)\ntype C (a: A)",
        "type B (a: A, x: A)\ntype A (b: B)",
    ],
)
def test_recursion_without_a_way_out(text: str) -> None:
    assert "contains itself" in refusal(HEAD + text).msg


@pytest.mark.rule("I4")
def test_a_long_chain_of_types_is_no_recursion() -> None:
    chain = "\n".join(f"type T{i} (a: T{i + 1}, b: T{i + 1})" for i in range(3000))
    assert len(parse(f"{HEAD}{chain}\ntype T3000 ()").members) == 3001


@pytest.mark.rule("I2")
def test_an_interface_declares_something() -> None:
    (fault,) = refusal("interface a.b\n# nothing\n").faults
    assert (fault.line, fault.column) == (1, 14)
    assert fault.hint == "Declare one, as in 'method Ping() -> ()'."


@pytest.mark.rule("I3")
def test_each_undeclared_name_is_a_fault_once() -> None:
    error = refusal(f"{HEAD}type T (a: Foo, b: Foo, c: ?[]Bar)")
    assert [fault.message.split("'")[1] for fault in error.faults] == ["Foo", "Bar"]


@pytest.mark.rule("I3")
def test_similar_names_are_proposed() -> None:
    error = refusal(f"{HEAD}type Colour ()\ntype T (a: Color, b: Bool, c: Integer, d: Other)")
    assert [fault.hint for fault in error.faults] == [
        "Did you mean Colour?",
        "Did you mean bool?",
        "Did you mean int?",
        "Declare it: type Other (...).",
    ]


@pytest.mark.rule("I4")
def test_a_type_that_contains_itself_is_a_fault_once() -> None:
    text = f"{HEAD}type A (a: A, b: A, c: B, d: C)\ntype B (a: A)\ntype C (a: A)"
    assert len(refusal(text).faults) == 1


def test_a_signature_is_between_at_and_end() -> None:
    text = f"{HEAD}type T (method: (a, b))\nmethod F (a: (b: int))\n  -> (c: [string]()) # c\nerror E ()\n"
    kind, method, error = parse(text).members
    assert text[kind.at : kind.end] == "T (method: (a, b))"
    assert text[method.at : method.end] == "F (a: (b: int))\n  -> (c: [string]())"
    assert text[error.at : error.end] == "E ()"


def test_each_node_knows_its_place() -> None:
    text = f"{HEAD}type T (a: ?[][string](b: U), c: (d, e))\ntype U ()"
    declaration = parse(text).members[0]
    assert isinstance(declaration, tree.TypeDeclaration)
    struct = declaration.type
    assert isinstance(struct, tree.Struct)
    a, c = struct.fields
    assert parse(text).at == text.index("org")
    assert (struct.at, a.at, c.at) == (text.index("(a"), text.index("a: ?"), text.index("c:"))
    assert isinstance(a.type, tree.Nullable)
    assert isinstance(a.type.element, tree.Array)
    assert isinstance(a.type.element.element, tree.Map)
    inner = a.type.element.element.element
    assert isinstance(inner, tree.Struct)
    named = inner.fields[0].type
    assert isinstance(named, tree.Named)
    at = text.index("?")
    assert (a.type.at, a.type.element.at, a.type.element.element.at, inner.at) == (
        at,
        at + 1,
        at + 3,
        at + 11,
    )
    assert named.at == text.index("U)")
    assert isinstance(c.type, tree.Enum)
    assert [value.at for value in c.type.values] == [text.index("d, e"), text.index("e))")]


def test_a_string_of_a_derived_class_is_read() -> None:
    class Text(str):
        __slots__ = ()

    assert parse(Text("interface a.b error E ()")) == parse("interface a.b error E ()")


def test_every_prefix_of_a_definition_is_read_or_refused() -> None:
    text = f"# d\n{HEAD}type T (a: ?[](b, c), d: [string]T2)\ntype T2 ()\nmethod F(x: T) -> ()\n"
    readable = {text.index("type T2") + len("type T2 ()"), text.rindex("()") + 2}
    for end in range(len(text) - 1):
        if end in readable or end - 1 in readable:
            assert parse(text[:end]).members
        else:
            assert refusal(text[:end]).faults
