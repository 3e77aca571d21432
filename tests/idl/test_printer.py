"""Printing is canonical: one text for each tree, whatever text it was read from (rule I9)."""

from __future__ import annotations

import pytest
from reading import HEAD, type_of

from fastvarlink.idl import parse, to_text, tree
from fastvarlink.idl.printer import type_to_text

EMPTY = tree.Struct(())
INT = tree.Primitive.INT


def canonical(text: str) -> str:
    """How the members in ``text`` are printed, without the interface's line."""
    printed = to_text(parse(HEAD + text))
    assert to_text(parse(printed)) == printed
    assert parse(printed) == parse(HEAD + text)
    return printed.removeprefix(HEAD + "\n")


@pytest.mark.rule("I9")
def test_a_whole_definition() -> None:
    text = """#!
#

# About   it.
#   Closely.
interface   org.example.more#remark
type State(# behind a parenthesis
 start:?bool,#begun
# how far


 # of 100
 progress : ?int
 # no more
)# a state
type Colour(red,green) method  Start ( n:int )->( state:State )#starts
error Failed(reason:(code:int,# of what
text:[](a,b)))
error Gone()


# one
# block

# another"""
    assert to_text(parse(text)) == (
        """# !
#

# About   it.
#   Closely.
interface org.example.more # remark

# behind a parenthesis

type State (
  start: ?bool, # begun
  # how far

  # of 100
  progress: ?int
  # no more
) # a state

type Colour (red, green)

method Start(n: int) -> (state: State) # starts

error Failed (
  reason: (
    code: int, # of what
    text: [](a, b)
  )
)

error Gone ()

# one
# block

# another
"""
    )


@pytest.mark.rule("I9")
@pytest.mark.parametrize(
    "text",
    [
        *(primitive.value for primitive in tree.Primitive),
        "Other",
        "()",
        "(one)",
        "(a: int, b: ())",
        "?int",
        "[][]int",
        "[string]()",
        "?[]?[string]?(a, b)",
        "[](a: ?Other)",
    ],
)
def test_types_on_one_line(text: str) -> None:
    assert type_to_text(type_of(text)) == text


@pytest.mark.rule("I9")
def test_types_with_comments_stand_on_several_lines() -> None:
    text = "?[](\n  # of a\n  a: int,\n  b: (x, y) # behind b\n)"
    assert type_to_text(type_of(text)) == text
    assert type_to_text(type_of("[string]( # c\n)")) == "[string](\n  # c\n)"


@pytest.mark.rule("I9")
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize(
    ("line", "spread"),
    [
        ("type T (X: int, b: int)", "type T (\n  X: int,\n  b: int\n)"),
        ("type T (X, b)", "type T (\n  X,\n  b\n)"),
        ("error E (X: ?[](a, b))", "error E (\n  X: ?[](a, b)\n)"),
        ("method F(X: int) -> (b: int)", "method F(X: int) -> (\n  b: int\n)"),
        ("method F() -> (X: int, b: int)", "method F() -> (\n  X: int,\n  b: int\n)"),
        ("method F(X: int, b: int) -> ()", "method F(\n  X: int,\n  b: int\n) -> ()"),
    ],
)
def test_what_fits_in_80_columns_stands_on_one_line(line: str, spread: str, extra: int) -> None:
    name = "x" * (80 + extra - len(line) + 1)
    text = line.replace("X", name)
    assert len(text) == 80 + extra
    assert canonical(text) == (spread if extra else line).replace("X", name) + "\n"


@pytest.mark.rule("I9")
def test_parameters_that_fit_stay_on_one_line_before_a_long_result() -> None:
    fields = ", ".join(f"field{i}: string" for i in range(5))
    spread = ",\n".join(f"  field{i}: string" for i in range(5))
    assert canonical(f"method F(a: int) -> ({fields})") == f"method F(a: int) -> (\n{spread}\n)\n"
    assert canonical(f"method F({fields}) -> (a: int)") == f"method F(\n{spread}\n) -> (a: int)\n"
    assert canonical(f"method F({fields}) -> ({fields})") == f"method F(\n{spread}\n) -> (\n{spread}\n)\n"


@pytest.mark.rule("I9")
def test_inline_structs_are_spread_where_they_do_not_fit() -> None:
    fields = ", ".join(f"field{i}: string" for i in range(5))
    spread = ",\n".join(f"    field{i}: string" for i in range(5))
    assert canonical(f"type T (a: ?[]({fields}), b: (x, y))") == (
        f"type T (\n  a: ?[](\n{spread}\n  ),\n  b: (x, y)\n)\n"
    )


@pytest.mark.rule("I9")
def test_names_longer_than_a_line_are_printed() -> None:
    name = "T" + "x" * 200
    assert canonical(f"error {name}()") == f"error {name} ()\n"
    assert canonical(f"method {name}(a:int)->()") == f"method {name}(\n  a: int\n) -> ()\n"


@pytest.mark.rule("I9")
def test_a_tree_that_was_made_is_printed() -> None:
    struct = tree.Struct((tree.Field("a", tree.Named("T"), "one\ntwo", ("block",), "remark"),), ("end", ""))
    interface = tree.Interface(
        "a.b", "doc", (tree.Method("F", struct, EMPTY), tree.TypeDeclaration("T", EMPTY))
    )
    printed = to_text(interface)
    assert printed == (
        "# doc\ninterface a.b\n\nmethod F(\n  # block\n\n  # one\n  # two\n  a: T # remark\n"
        "  # end\n\n  #\n) -> ()\n\ntype T ()\n"
    )
    assert parse(printed) == interface


def one(of: object, name: str = "a") -> tuple[tree.Member, ...]:
    """An error with a field of a type, whether or not it is one."""
    return (tree.Error("E", tree.Struct((tree.Field(name, of),))),)  # type: ignore[arg-type]


DEEP: tree.Type = INT
for _ in range(64):
    DEEP = tree.Array(DEEP)


@pytest.mark.rule("I9")
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((), "The interface declares nothing"),
        ((tree.Error("low", EMPTY),), "'low' is no name of letters and digits that begins with a capital"),
        ((tree.TypeDeclaration("T", INT),), "'T' is declared as neither a struct nor an enum"),
        ((tree.TypeDeclaration("T", tree.Enum(())),), "An enum in 'T' has no value"),
        ((tree.TypeDeclaration("T", tree.Enum((tree.EnumValue("a-b"),))),), "'a-b' is no field name"),
        ((tree.Error("E", EMPTY), tree.Error("E", EMPTY)), "a second declaration of 'E'"),
        (one(INT, "a_"), "'a_' is no field name"),
        (one(INT, ""), "'' is no field name"),
        (one(INT, "ä"), "'ä' is no field name"),
        (one(INT, "a\n"), r"'a\\n' is no field name"),
        (one(tree.Nullable(tree.Nullable(INT))), "A nullable type is made nullable once more in 'a'"),
        (one(tree.Named("low")), "'low' cannot be the name of a type"),
        (one(tree.Named("T")), "'T', which this interface does not declare"),
        (one(tree.Named("E")), "the name of an error, 'E'"),
        (one(DEEP), "Types are nested more than 64 deep in 'a'"),
        (one(int), "An object of the class type is no type, in 'a'"),
        (one("int"), "An object of the class str is no type, in 'a'"),
        (one(tree.Array(None)), "An object of the class NoneType is no type, in 'a'"),  # type: ignore[arg-type]
        (
            (tree.TypeDeclaration("T", tree.Struct((tree.Field("a", tree.Named("T")),))),),
            "'T' contains itself",
        ),
        (
            (tree.Error("E", tree.Struct((tree.Field("a", INT), tree.Field("a", INT)))),),
            "a second field 'a' in one struct",
        ),
        ((tree.TypeDeclaration("T", tree.Enum((tree.EnumValue("a"),) * 2)),), "a second value 'a' in one"),
        # Fields that are missing once brought the interpreter down.
        ((tree.Method("F", None, EMPTY),), "An object of the class NoneType is no type, in 'F'"),  # type: ignore[arg-type]
        ((tree.Error("E", None),), "'E' is declared as neither"),  # type: ignore[arg-type]
        ((tree.Error("E", tree.Struct((None,))),), "An object of the class NoneType is no field, in 'E'"),  # type: ignore[arg-type]
        ((tree.Error("E", tree.Struct((tree.EnumValue("a"),))),), "EnumValue is no field, in 'E'"),  # type: ignore[arg-type]
        ((tree.TypeDeclaration("T", tree.Enum((tree.Field("a", INT),))),), "Field is no enum value, in 'T'"),  # type: ignore[arg-type]
        ((EMPTY,), "An object of the class Struct is no type, method or error, in 'a.b'"),
    ],
)  # fmt: skip
def test_a_tree_that_no_text_can_say(members: tuple[tree.Member, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        to_text(tree.Interface("a.b", "", members))
    assert str(caught.value).startswith("The tree of 'a.b' cannot be printed. ")


@pytest.mark.rule("I9")
@pytest.mark.parametrize("name", ["", "a", "a.b-", "a.b\n", "ä.b"])
def test_a_name_that_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is no interface name"):
        to_text(tree.Interface(name, "", (tree.Error("E", EMPTY),)))


@pytest.mark.rule("I9")
@pytest.mark.parametrize("line", ["a\rb", "\u2028", "a\0", "\ud800"])
def test_comments_that_are_not_lines(line: str) -> None:
    error = tree.Error("E", EMPTY)
    for interface in (
        tree.Interface("a.b", line, (error,)),
        tree.Interface("a.b", "", (error,), (line,)),
        tree.Interface("a.b", "", (error,), (), line),
        tree.Interface("a.b", "", (error,), (), "", (line,)),
        tree.Interface("a.b", "", (tree.Error("E", tree.Struct((), ("a", line))),)),
        tree.Interface("a.b", "", (tree.Error("E", EMPTY, line),)),
        tree.Interface("a.b", "", one(tree.Enum((tree.EnumValue("a"),), (line,)))),
        tree.Interface("a.b", "", one(tree.Array(tree.Enum((tree.EnumValue("a", "", (line,)),))))),
    ):
        with pytest.raises(
            ValueError, match=r"A comment of '.*' has a line end within a line, a NUL, or half"
        ):
            to_text(interface)


@pytest.mark.rule("I9")
def test_a_remark_is_one_line() -> None:
    with pytest.raises(ValueError, match="A comment of 'E' has a line end"):
        to_text(tree.Interface("a.b", "", (tree.Error("E", EMPTY, remark="a\nb"),)))
