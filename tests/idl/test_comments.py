"""Comments: what they document, and that none is lost (rule I7)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from reading import HEAD, member

from fastvarlink.idl import parse, to_text, tree

INT = tree.Primitive.INT

# Every sign of the grammar. The types are one token each: nothing may stand within them.
TEXT = """
interface a.b type T ( a : ?[]int , b : ( c , d ) , e : ( ) , f : ?[string]( g : int ) )
method F ( a : T ) -> ( ) error E ( )
"""
TOKENS = TEXT.split()


def strings(node: object) -> Iterator[str]:
    """All comments of a tree."""
    if isinstance(node, tuple):
        for each in node:
            yield from strings(each)
    elif dataclasses.is_dataclass(node):
        for name in ("comments", "closing"):
            yield from getattr(node, name, ())
        yield from (text for name in ("doc", "remark") if (text := getattr(node, name, "")))
        for field in dataclasses.fields(node):
            if field.name not in {"comments", "closing"}:
                yield from strings(getattr(node, field.name))


@pytest.mark.rule("I7")
def test_documentation() -> None:
    parsed = member(
        """
# not documentation, as an empty line follows

#  two blanks
#none
#
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
) -> () # behind F
# after everything
"""
    )
    inner = tree.Enum((tree.EnumValue("x", "of x"), tree.EnumValue("y", remark="behind y")))
    assert parsed == tree.Method(
        "F",
        tree.Struct(
            (tree.Field("a", INT, remark="behind a"), tree.Field("b", inner, "of b")), ("before the end",)
        ),
        tree.Struct(()),
        " two blanks\nnone\n\nlast # of them",
        ("not documentation, as an empty line follows", "behind a parenthesis"),
        "behind F",
    )


@pytest.mark.rule("I7")
def test_comments_of_the_interface() -> None:
    text = (
        "#!first\n\n# second\n#  line\n\n\n# doc\ninterface a.b # remark\n# of E\nerror E ()\n# one\n\n# two"
    )
    assert parse(text) == tree.Interface(
        "a.b",
        "doc",
        (tree.Error("E", tree.Struct(()), "of E"),),
        ("!first", "second\n line"),
        "remark",
        ("one", "two"),
    )


@pytest.mark.rule("I7")
@pytest.mark.parametrize(
    ("comment", "line"),
    [
        ("# x", "x"),
        ("#x", "x"),
        ("#  x ", " x "),
        ("#\tx", "x"),
        ("#\u00a0x", "x"),
        ("# \u00a0x", "\u00a0x"),
        ("## x", "# x"),
        ("#\x0bx\x85", "\x0bx\x85"),
        ("# \u200f😀", "\u200f😀"),
    ],
)
def test_one_leading_blank_is_removed(comment: str, line: str) -> None:
    assert member(f"{comment}\nerror E () {comment}") == tree.Error("E", tree.Struct(()), line, remark=line)


@pytest.mark.rule("I7")
@pytest.mark.parametrize(
    ("above", "doc", "comments"),
    [
        ("#\n", "", ("",)),
        ("#\n#\n", "\n", ()),
        ("#\n# x\n", "\nx", ()),
        ("#\n\n# x\n", "x", ("",)),
        ("# x\n\n#\n", "", ("x", "")),
        ("# x\n \t\n", "", ("x",)),
    ],
)
def test_empty_comments(above: str, doc: str, comments: tuple[str, ...]) -> None:
    assert member(f"{above}error E ()") == tree.Error("E", tree.Struct(()), doc, comments)


@pytest.mark.rule("I7")
def test_empty_remarks() -> None:
    parsed = parse(f"{HEAD}error E ( #\n a: int, #\n b: int #\n) #\n")
    assert list(strings(parsed)) == ["", "", "", ""]
    assert parse(to_text(parsed)) == parsed


@pytest.mark.rule("I7")
def test_comments_inside_of_a_declaration_are_kept_once() -> None:
    # Those of one gap once showed up among those of an earlier one as well.
    parsed = parse("interface # x\n\n# y\n\na.b\ntype T (\n a: # r\n\n# s\n\nint)")
    assert parsed.comments == ("x", "y")
    (declaration,) = parsed.members
    assert declaration.comments == ()
    assert isinstance(declaration, tree.TypeDeclaration)
    assert isinstance(declaration.type, tree.Struct)
    assert declaration.type.fields == (tree.Field("a", INT, comments=("r", "s")),)


@pytest.mark.rule("I7")
@pytest.mark.parametrize("gap", range(len(TOKENS) + 1))
@pytest.mark.parametrize(
    "comment", ["# c\n", "\n# c\n", "\n\n# c\n\n", " # r\n# b\n\n# c\n# c\n", "#\n\n#\n", "\n#\n"]
)
def test_no_comment_is_lost_wherever_it_stands(gap: int, comment: str) -> None:
    written = re.findall("# ?(.*)", comment)
    parsed = parse(" ".join([*TOKENS[:gap], comment, *TOKENS[gap:]]))
    kept = "\n".join(strings(parsed)).split("\n")
    assert sorted(kept) == sorted(written)
    printed = to_text(parsed)
    assert printed.count("#") == len(written)
    assert parse(printed) == parsed


@pytest.mark.rule("I7")
def test_comments_at_all_places_at_once() -> None:
    text = "".join(
        f"{token} # r{index}\n# a{index}\n\n# b{index}\n# c{index}\n" for index, token in enumerate(TOKENS)
    )
    parsed = parse(text)
    assert sorted("\n".join(strings(parsed)).split("\n")) == sorted(re.findall("# (.*)", text))
    assert parse(to_text(parsed)) == parsed
