"""What is said of a fault: where it is, what was found and expected, and how to mend it (rule I8)."""

from __future__ import annotations

import pickle
import traceback

import pytest
from reading import HEAD, places, refusal

from fastvarlink.error import Error
from fastvarlink.idl import Fault, IdlSyntaxError, parse

BRACES = "An interface has no braces around its members: remove '{' and '}'."
EMPTY = "Without parameters it is written with an empty pair of parentheses, ()."
BRACKETS = "An array is written []T: the brackets stand before the type."
ONLY = "Only structs and enums can be declared: write the type itself where it is used."
NAMED = "Parameters and results have names, in parentheses: (name: type)."
CLOSE = "A ')' is missing."
FIELD = "A field is written 'name: type'."
PARTS = "A name has two parts at least, with dots between them, of letters, digits and inner hyphens."
BEGIN = "A definition begins with 'interface' and a name like org.example.name."
ARRAY = "An array is written []T, a map [string]T, without blanks."
UNKNOWN = "It is none of any, bool, float, int, object, string, and what is declared begins with a capital."
ASCII = "Names have the letters a to z and digits only, of ASCII."
MAP = "[string] begins a map: an array of strings is written []string, a map [string]T."
LIST = "An array is written []T, a set of strings [string]()."
ONCE = "One question mark is enough."
MARK = "A nullable type is written ?T: the question mark stands before the type."
VOID = "A method that returns nothing ends with '-> ()'."
FOREIGN = "Types of other interfaces cannot be used: declare the type in this one."
DEFAULT = "Fields have no default values; one that may be left out is nullable, ?T."
MIXED = "Either all parts have a type and are fields, or none has one and they are values of an enum."
DECLARED = "Structs and enums are declared with 'type': type Foo (...)."
ONE = "A text defines one interface only."
SEMICOLON = "Nothing ends with a semicolon: remove it."
STRUCT = "Structs stand in parentheses, not in braces."
COMMENT = "Comments begin with '#'."
NO_ENUM = f"{FIELD} One without fields is ()."


def only(text: str) -> Fault:
    """The one fault of a text."""
    (fault,) = refusal(text).faults
    return fault


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    ("text", "place", "found", "hint"),
    [
        ("interface a.b {\n  method F() -> ()\n}\n", (1, 15), "'{', expected 'type', ", BRACES),
        ("interface a.b\n{\nerror E ()\n}\n# done\n", (2, 1), "'{', expected 'type', ", BRACES),
        ("interface a.b { method F() -> () error E () }", (1, 15), "'{', expected 'type', ", BRACES),
        ("interface a.b {}", (1, 15), "'{', expected 'type', ", BRACES),
        ("interface a.b error E ()\n}\n", (2, 1), "'}', expected 'type', ", BRACES),
    ],
)
def test_braces_around_an_interface(text: str, place: tuple[int, int], found: str, hint: str) -> None:
    error = refusal(text)
    assert places(error)[0] == place
    assert error.msg.startswith(f"Found {found}")
    assert {fault.hint for fault in error.faults} == {hint}
    assert len(error.faults) == 1


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        # A missing ().
        ("error E\ntype T ()", 8, "the end of the line, expected '(' and the parameters of an error", EMPTY),
        ("error E # c\n\n\n", 8, "the end of the text, expected '(' and the parameters of an error", EMPTY),
        ("method F\nerror E ()", 9, "the end of the line, expected '(' and the parameters", EMPTY),
        ("method F -> ()", 10, "'->', expected '(' and the parameters of a method", EMPTY),
        ("method F() ->\nerror E ()", 14, "the end of the line, expected '(' and the result", EMPTY),
        ("method F() -> int", 15, "'int', expected '(' and the result of a method", NAMED),
        ("method F() -> []int", 15, "'[]', expected '(' and the result of a method", NAMED),
        ("error E Foo", 9, "'Foo', expected '(' and the parameters of an error", NAMED),
        # A trailing comma.
        ("type T (a: int,)", 15, "a comma before ')', expected another field or value", "Remove the comma."),
        ("type T (a: int, # c\n\n)", 15, "a comma before ')', expected another", "Remove the comma."),
        ("type T (a, b,)", 13, "a comma before ')', expected another", "Remove the comma."),
        ("type T (a: int,,b: int)", 16, "',', expected a field name", "Remove this comma."),
        ("type T (,)", 9, "',', expected a field name", "Remove this comma."),
        ("type T (a,,b)", 11, "',', expected the name of an enum's value", "Remove this comma."),
        # A lower-case member.
        ("type foo (a: int)", 6, "'foo', expected a name of letters and digits that begins", "Call it Foo."),
        ("method getState() -> ()", 8, "'getState', expected a name", "Call it GetState."),
        ("error my_own-error ()", 7, "'my_own-error', expected a name", "Call it MyOwnError."),
        ("method 9() -> ()", 8, "'9', expected a name", ""),
        ("type Größe ()", 6, "'Größe', expected a name", ASCII),
        # An array.
        ("type T (a: [int])", 12, "'[', expected a type", ARRAY),
        ("type T (a: [ string ]int)", 12, "'[', expected a type", ARRAY),
        ("type T (a: [string])", 20, "')', expected a type", MAP),
        ("type T (a: int[])", 15, "'[]', expected ',' or ')' after the field", BRACKETS),
        ("type T (a: int[5])", 15, "'[', expected ',' or ')' after the field", BRACKETS),
        ("type T (a: list<int>)", 12, "'list', expected a type", LIST),
        # Nullable types.
        ("type T (a: ??int)", 13, "'?', expected a type that is not itself", ONCE),
        ("type T (a: ????int)", 13, "'?', expected a type that is not itself", ONCE),
        ("type T (a: ? ?int)", 14, "'?', expected a type that is not itself", ONCE),
        ("type T (a: int?)", 15, "'?', expected ',' or ')'", MARK),
        ("type T (a: ? int)", 12, "'?', expected no blank", "Write the type directly behind '?'."),
        # A scalar alias.
        ("type T int", 8, "'int', expected '(' and the fields of a struct or", ONLY),
        ("type T []Other", 8, "'[]', expected '(' and the fields", ONLY),
        ("type T Other", 8, "'Other', expected '(' and the fields", ONLY),
        ("type T = (a: int)", 8, "'=', expected '('", "Nothing stands between the name and '(': remove it."),
        ("type T {a: int}", 8, "'{', expected '('", STRUCT),
        # A missing arrow.
        ("method F()\nerror E ()", 11, "the end of the line, expected '->'", VOID),
        ("method F()", 11, "the end of the text, expected '->'", VOID),
        (
            "method F() (a: int)",
            12,
            "'(', expected '->'",
            "Write '->' between the parameters and the result.",
        ),
        ("method F() => (a: int)", 12, "'=', expected '->'", "The arrow is written '->'."),
        ("method F(a: int)) -> ()", 17, "')', expected '->'", "There is one ')' too many."),
        # A keyword as a type.
        ("type T (a: type)", 12, "'type', expected a type", "'type' is a keyword, not a type."),
        ("type T (a: ?method)", 13, "'method', expected a type", "'method' is a keyword, not a type."),
        ("type T (a: []error, b: int)", 14, "'error', expected a type", "'error' is a keyword, not a type."),
        ("type T (a: interface)", 12, "'interface', expected", "'interface' is a keyword, not a type."),
        # And what else people write.
        ("type T (a: str)", 12, "'str', expected a type", "Did you mean string?"),
        ("type T (a: STRING)", 12, "'STRING', which this interface does not declare", "Did you mean string?"),
        ("type T (a: foo)", 12, "'foo', expected a type", UNKNOWN),
        ("type T (a: org.example.Foo)", 12, "'org.example.Foo', expected a type", FOREIGN),
        ("type T (a int)", 11, "'int', expected ':'", FIELD),
        ("type T (a: int, b)", 18, "')', expected ':'", FIELD),
        ("type T (a: int b: int)", 16, "'b', expected ',' or ')'", "A comma is missing before it."),
        ("type T (a: int = 5)", 16, "'=', expected ',' or ')'", DEFAULT),
        ("type T (a, b: int, c: int)", 13, "':', expected ',' or ')'", MIXED),
        ("type T (a-b: int)", 9, "'a-b', expected a field name", "Call it a_b."),
        ("method F(a, b) -> ()", 9, "an enum, expected a struct as the parameters of a method", NO_ENUM),
        ("method F(a: int\nerror E ()", 16, "the end of the line, expected ',' or ')'", CLOSE),
        ("method F(a: int,\n\nerror E ()", 17, "the end of the line, expected a field name", CLOSE),
        ("method F(\nerror E ()", 10, "the end of the line, expected a field name", CLOSE),
        ("type T (a,\nmethod F() -> ()", 11, "the end of the line, expected the name of", CLOSE),
        ("method F(a: int -> ()", 17, "'->', expected ',' or ')'", CLOSE),
        ("type\nerror E ()", 5, "the end of the line, expected a name", ""),
        ("enum Foo (a)", 1, "'enum', expected 'type', 'method' or 'error'", DECLARED),
        (
            "Method F() -> ()",
            1,
            "'Method', expected 'type'",
            "Keywords are written in small letters: method.",
        ),
        ("interface c.d\nerror E ()", 1, "'interface', expected 'type', 'method' or 'error'", ONE),
        ("error E ();", 11, "';', expected 'type', 'method' or 'error'", SEMICOLON),
        ("// a comment", 1, "'/', expected 'type', 'method' or 'error'", COMMENT),
        ("/* a comment */", 1, "'/', expected 'type', 'method' or 'error'", COMMENT),
    ],
)
def test_one_mistake_is_one_fault(text: str, column: int, message: str, hint: str) -> None:
    fault = only(f"{HEAD}{text}\n" if not text.endswith("\n") else HEAD + text)
    assert (fault.line, fault.column) == (2, column)
    assert fault.message.startswith(f"Found {message}")
    assert fault.hint == hint
    assert fault.source == text.partition("\n")[0]


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("", (1, 1), BEGIN),
        ("# c\nmethod F() -> ()\n", (2, 1), BEGIN),
        ("Interface a.b\nerror E ()", (1, 1), "Keywords are written in small letters: interface."),
        ("interface\nerror E ()", (1, 10), PARTS),
        ("interface foo\nerror E ()", (1, 11), PARTS),
    ],
)  # fmt: skip
def test_the_beginning(text: str, place: tuple[int, int], hint: str) -> None:
    fault = only(text)
    assert (fault.line, fault.column, fault.hint) == (*place, hint)


@pytest.mark.rule("I8")
@pytest.mark.parametrize("name", ["", "foo "])
def test_braces_instead_of_a_name(name: str) -> None:
    error = refusal(f"interface {name}{{\nerror E ()\n}}\n")
    assert places(error) == [(1, 11), (1, 11 + len(name))]
    assert [fault.hint for fault in error.faults] == [PARTS, BRACES]


@pytest.mark.rule("I8")
def test_all_faults_are_found_in_order() -> None:
    text = """interface org.example.test
type A (a: foo, b: ??int, c: Nope, d: (e: [int], f: bool))
method lower(x: Lower) -> (y: Int)
error E
type B (a: int, a: int,)
method F() (z: (p, q: int))
type C (c: C)
error G (m: A, n: lower) }
error E ()
"""
    assert places(refusal(text)) == [
        (2, 12), (2, 21), (2, 30), (2, 43),
        (3, 8), (3, 17), (3, 31),
        (4, 8),
        (5, 17), (5, 23),
        (6, 12), (6, 21),
        (7, 6),
        (8, 19), (8, 26),
    ]  # fmt: skip


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    "text",
    [
        # What could not be read is not missed by those who refer to it.
        "type foo ()\ntype T (a: Foo)",
        "type my_type ()\ntype T (a: MyType)",
        "type Foo = (a: int)\ntype T (a: Foo)",
        "type Foo {\n  a: int,\n  type: string\n}\ntype T (a: Foo)",
        "wrong type Foo (a: int)\ntype T (a: Foo)",
        "type Foo # c\nint\ntype T (a: Foo)",
        # Nor does what follows a fault on its line count as another.
        "method do it now() -> ()",
        "type T (a: list of int, b: int)",
        "type T (a-b c, d)",
        "type T (a: (b: (c: {}), d: int), e: int)",
        "type T (a: ?[][string]list<map<int>>, b: int)",
        # A keyword begins a member only on a line of its own with a name behind it.
        "type T (\n  type: int,\n  method\n  : [int],\n  error: int\n)",
        "type T (\n  a: int;\n  error: int\n)",
    ],
)
def test_no_fault_follows_from_another(text: str) -> None:
    assert only(HEAD + text)


@pytest.mark.rule("I8")
def test_a_comment_does_not_declare_what_is_missing() -> None:
    error = refusal(f"{HEAD}# type Foo\ntype T (a: Foo, b: [int])")
    assert places(error) == [(3, 12), (3, 20)]


@pytest.mark.rule("I8")
def test_an_error_shows_the_place() -> None:
    error = refusal(f"{HEAD}method F(\n\ta: Nope, b: [int]) -> ()", "org.example.test.varlink")
    assert isinstance(error, Error)
    assert isinstance(error, SyntaxError)
    assert (error.filename, error.lineno, error.offset) == ("org.example.test.varlink", 3, 5)
    assert (error.msg, error.text) == (error.faults[0].message, "\ta: Nope, b: [int]) -> ()")
    assert str(error) == (
        "org.example.test.varlink, line 3, column 5: Found 'Nope', which this interface does not declare.\n"
        "    \ta: Nope, b: [int]) -> ()\n"
        "    \t   ^\n"
        "    Declare it: type Nope (...).\n"
        "org.example.test.varlink, line 3, column 14: Found '[', expected a type.\n"
        "    \ta: Nope, b: [int]) -> ()\n"
        "    \t            ^\n"
        "    An array is written []T, a map [string]T, without blanks."
    )
    again = pickle.loads(pickle.dumps(error))
    assert (again.faults, str(again)) == (error.faults, str(error))


@pytest.mark.rule("I8")
def test_a_text_without_a_name_is_not_called_anything() -> None:
    assert str(refusal("interface")).startswith("line 1, column 10: ")


@pytest.mark.rule("I8")
@pytest.mark.parametrize("data", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
def test_bytes_that_are_not_utf8(data: bytes) -> None:
    error = refusal(HEAD.encode() + "# ä ".encode() + data + b"\nerror E ()", "x")
    assert str(error) == (
        "x, line 2, column 5: Found bytes that are not valid UTF-8.\n"
        f"    # ä {data.decode(errors='replace')}\n"
        "        ^\n"
        "    Save the text as UTF-8."
    )


@pytest.mark.rule("I8")
def test_bytes_are_read_as_utf8() -> None:
    text = f"# ä€😀\n{HEAD}error E ()"
    assert parse(text.encode()) == parse(text) == parse(b"\xef\xbb\xbf" + text.encode())


@pytest.mark.rule("I8")
def test_a_long_or_hostile_line_is_shown_safely() -> None:
    error = refusal(f"{HEAD}type T (a: int, {'x' * 5000}: \x1b[31m)")
    shown = str(error)
    assert "\x1b" not in shown
    assert len(shown) < 500
    place, line, caret = shown.splitlines()[:3]
    assert "'\\x1b'" in place
    assert line[caret.index("^")] == "\ufffd"
    assert "\x1b" not in "".join(traceback.format_exception_only(error))


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    "text", ["enum \x1b[2J(", "enum " + "X" * 100_000, "type " + "x" * 100_000, "\u202e"]
)
def test_messages_and_hints_are_short_and_safe(text: str) -> None:
    fault = refusal(HEAD + text).faults[0]
    assert f"{fault.message}{fault.hint}".isprintable()
    assert len(fault.message + fault.hint) < 250


@pytest.mark.rule("I8")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029"])
def test_lines_are_counted_by_all_line_ends(end: str) -> None:
    text = f"# ä{end}{end}interface a.b{end}type T (a: foo){end}{end}type U (a: bar, b: baz)"
    error = refusal(text)
    assert places(error) == [(4, 12), (6, 12), (6, 20)]
    assert [fault.source for fault in error.faults[:2]] == ["type T (a: foo)", "type U (a: bar, b: baz)"]


def test_an_error_can_be_made_of_faults() -> None:
    fault = Fault(3, 5, "Something is wrong.")
    error = IdlSyntaxError([fault])
    assert (error.faults, str(error)) == ((fault,), str(fault))
