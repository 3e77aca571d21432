"""Parameters as words: KEY=VALUE by the types of the method, and what else may stand in their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastvarlink.cli.pairs import from_pairs, to_pairs
from fastvarlink.cli.parameters import read_parameters
from fastvarlink.idl import tree
from fastvarlink.idl.parser import parse

from .command import printed, refused

TEXT = """interface org.example.types

type Colour (red, green)
type Point (x: int, y: ?int)
type Node (name: string, next: ?Node, more: ?[string]Node)

method Do(
  text: ?string,
  count: ?int,
  ratio: ?float,
  loud: ?bool,
  colour: ?Colour,
  point: ?Point,
  points: ?[]Point,
  tags: ?[]string,
  counts: ?[]int,
  colours: ?[]Colour,
  rows: ?[][]int,
  gaps: ?[]?int,
  labels: ?[string]string,
  places: ?[string]Point,
  set: ?[string](),
  node: ?Node,
  extra: ?object,
  anything: ?any,
  inline: ?(size: (w: int, h: int))
) -> ()
method Need(name: string, point: Point, note: ?string) -> ()
method None() -> ()
"""
TYPES = parse(TEXT)
DO, NEED = "org.example.types.Do", "org.example.types.Need"


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("text=hello", {"text": "hello"}),
        ("text=", {"text": ""}),
        ("text=12", {"text": "12"}),
        ("text=null", {"text": "null"}),
        ("text=a=b:=c", {"text": "a=b:=c"}),
        (["text= two\nlines "], {"text": " two\nlines "}),
        (r"text=\@home", {"text": "@home"}),
        (r"text=\\@home", {"text": r"\@home"}),
        (r"text=\home", {"text": r"\home"}),
        ('text:="@home"', {"text": "@home"}),
        ("text:=null", {"text": None}),
        ("count=-3", {"count": -3}),
        ("count=18446744073709551615", {"count": 18446744073709551615}),
        ("ratio=1", {"ratio": 1}),
        ("ratio=-1.5e3", {"ratio": -1500.0}),
        ("loud=true text=x", {"loud": True, "text": "x"}),
        ("loud=false", {"loud": False}),
        ("colour=green", {"colour": "green"}),
        (['point={"x": 1}'], {"point": {"x": 1}}),
        ("point.x=1 point.y=2", {"point": {"x": 1, "y": 2}}),
        ("point.x=1 point.y:=null", {"point": {"x": 1, "y": None}}),
        (['points=[{"x": 1}]'], {"points": [{"x": 1}]}),
        (['points={"x": 1}', 'points={"x": 2}'], {"points": [{"x": 1}, {"x": 2}]}),
        ("tags=a", {"tags": ["a"]}),
        ("tags=a text=x tags=b", {"tags": ["a", "b"], "text": "x"}),
        (['tags=["a", "[b]"]'], {"tags": ["a", "[b]"]}),
        ("tags=[]", {"tags": []}),
        ("counts=1 counts=2", {"counts": [1, 2]}),
        ("colours=red colours=green", {"colours": ["red", "green"]}),
        ("rows=[[1],[2,3]]", {"rows": [[1], [2, 3]]}),
        ("gaps=[1,null]", {"gaps": [1, None]}),
        ("labels.a=1 labels.b=x", {"labels": {"a": "1", "b": "x"}}),
        (r"labels.a\.b\=c\:=x", {"labels": {"a.b=c:": "x"}}),
        ("labels.=x", {"labels": {"": "x"}}),
        ("places.a.x=1 places.b.x=2", {"places": {"a": {"x": 1}, "b": {"x": 2}}}),
        (["set.wheel={}"], {"set": {"wheel": {}}}),
        ("node.name=a node.next.name=b", {"node": {"name": "a", "next": {"name": "b"}}}),
        ("node.name=a node.more.k.name=b", {"node": {"name": "a", "more": {"k": {"name": "b"}}}}),
        (['extra={"a": [1]}'], {"extra": {"a": [1]}}),
        ("anything=5", {"anything": 5}),
        ('anything="x"', {"anything": "x"}),
        ("inline.size.w=1 inline.size.h=2", {"inline": {"size": {"w": 1, "h": 2}}}),
        # As it stands: what a service makes of it is to be seen.
        ('count:="one"', {"count": "one"}),
        ('point:={"z":1}', {"point": {"z": 1}}),
    ],
)
def test_words_are_read_by_the_types_of_the_method(words: str | list[str], parameters: Any) -> None:
    assert from_pairs(words.split(" ") if isinstance(words, str) else words, DO, TYPES) == parameters


TAKES = f" {NEED} takes (name: string, point: Point, note: ?string).\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nmae=x", f"{NEED} has no parameter 'nmae'; did you mean 'name'?"),
        ("zzz=x", f"{NEED} has no parameter 'zzz'."),
        ("name=x", "There is no value for point, which has to be Point, which is (x: int, y: ?int)."),
        (
            "note=x",
            "There is no value for name, which has to be string; nor for point, which has to be Point, "
            "which is (x: int, y: ?int).",
        ),
        ("name=x point.y=1", "There is no value for point.x, which has to be int."),
        ("point.x=a", "point.x has to be int, and 'a' is not."),
        ("point.x=1.0", "point.x has to be int, and 1.0 is not."),
        ("point.x=99999999999999999999", "point.x has to be int, and 99999999999999999999 is not."),
        ("point.x=true", "point.x has to be int, and true is not."),
        ("point.y=null", "point.y has to be ?int, and null is not; null is written as point.y:=null."),
        ("point.z=1", "point has no field 'z'. It is Point, which is (x: int, y: ?int)."),
        ("point=x", "point has to be Point, which is (x: int, y: ?int), and 'x' is not."),
        ("point=[]", "point has to be Point, which is (x: int, y: ?int), and [] is not."),
        ('point={"y":1}', "point.x is missing; it has to be int."),
        ('point={"x":1,"z":1}', "point has no field 'z'. It is Point, which is (x: int, y: ?int)."),
        ('point={"x":"1"}', "point.x has to be int, and '1' is not."),
        ("point.x.y=1", "point.x is int, in which nothing has the name 'y'; write point.x=JSON."),
        ("name=a name=b", "name is given twice."),
        ('point={"x":1} point.y=1', "point has a value already, and 'point.y=1' adds to it."),
        ('point.y=1 point={"x":1}', "point is given twice."),
        ("name:=x", "What follows name:= is not JSON: Expecting value: line 1 column 1 (char 0)."),
        ("name:=NaN", "What follows name:= is not JSON: the number NaN cannot be sent."),
        (["name=\udcff"], "The value of 'name' is not UTF-8."),
    ],
)
def test_what_the_method_does_not_take_is_refused(
    words: str | list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as failure:
        from_pairs(words.split(" ") if isinstance(words, str) else words, NEED, TYPES)
    assert failure.value.code == 5
    found = capsys.readouterr().err
    assert found in (sentence + TAKES, f"{sentence}\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "colour=gren",
            "colour has to be ?Colour, which is (red, green), and 'gren' is not; did you mean 'green'?",
        ),
        ("loud=yes", "loud has to be ?bool, and 'yes' is not."),
        ("ratio=1e999", "ratio has to be ?float, and '1e999' is not."),
        ("ratio=NaN", "ratio has to be ?float, and 'NaN' is not."),
        ("counts=1 counts=x", "counts has to be int, and 'x' is not."),
        ("counts=[1,true]", "counts[1] has to be int, and true is not."),
        ("counts=[1] counts=2", "counts is given twice."),
        ("counts=1 counts=[2]", "counts is given twice."),
        ("tags=[x", "tags has to be ?[]string, and '[x' is not."),
        ("points=x", "points has to be Point, which is (x: int, y: ?int), and 'x' is not."),
        ("points=[x", "points has to be ?[]Point, where Point is (x: int, y: ?int), and '[x' is not."),
        ("rows=1", "rows has to be []int, and 1 is not."),
        ("anything=x", "anything has to be ?any, and 'x' is not."),
        ("labels=[]", "labels has to be ?[string]string, and [] is not."),
        ('labels={"a":1}', "labels.a has to be string, and 1 is not."),
        ("extra.a=1", "extra is ?object, in which nothing has the name 'a'; write extra=JSON."),
        ("places.a.y=1", "There is no value for places.a.x, which has to be int."),
        ("node.next.name=x", "There is no value for node.name, which has to be string."),
        ("extra=" + "[" * 100_000, "extra has to be ?object, and '" + "[" * 59 + "... is not."),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as failure:
        from_pairs(words.split(" "), DO, TYPES)
    assert failure.value.code == 5
    assert capsys.readouterr().err.startswith(f"{sentence} {DO} takes (text: ?string,")


@pytest.mark.parametrize("word", ["x", "=x", ":=1", "", "text"])
def test_a_word_that_is_no_pair_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as failure:
        from_pairs([word, "a=b"], "org.example.types.None", TYPES)
    assert failure.value.code == 2
    assert capsys.readouterr().err == (
        f"{word!r} is no parameter of org.example.types.None; write KEY=VALUE. "
        "org.example.types.None takes no parameters.\n"
    )


def test_a_method_that_is_not_there_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as failure:
        from_pairs(["a=b"], "org.example.types.Nead", TYPES)
    assert failure.value.code == 5
    assert capsys.readouterr().err == (
        "org.example.types has no method 'Nead'; did you mean 'Need'? Its methods are: Do, Need, None.\n"
    )


def test_values_may_be_in_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("two\nlines\n")
    (tmp_path / "point").write_text('{"x": 1}\n')
    (tmp_path / "number").write_text("5\n")
    (tmp_path / "bytes").write_bytes(b"\xff")
    words = [f"text=@{tmp_path}/text", f"point=@{tmp_path}/point", f"count=@{tmp_path}/number"]
    words += [f"tags=@{tmp_path}/text", "tags=x", f"extra:=@{tmp_path}/point"]
    assert from_pairs(words, DO, TYPES) == {
        "text": "two\nlines\n",
        "point": {"x": 1},
        "count": 5,
        "tags": ["two\nlines\n", "x"],
        "extra": {"x": 1},
    }
    for name, part in (("nothing", "No such file"), ("bytes", "is not UTF-8"), ("", "Is a directory")):
        with pytest.raises(SystemExit) as failure:
            from_pairs([f"text=@{tmp_path}/{name}"], DO, TYPES)
        assert failure.value.code == 5
        assert part in capsys.readouterr().err


def _types(depth: int) -> st.SearchStrategy[tree.Type]:
    plain = st.sampled_from([*tree.Primitive, tree.Named("Node"), tree.Named("Colour"), tree.Named("Point")])
    if depth == 0:
        return plain
    inner = st.deferred(lambda: _types(depth - 1))
    return st.one_of(
        plain,
        st.builds(tree.Array, inner),
        st.builds(tree.Map, inner),
        st.builds(tree.Nullable, inner.filter(lambda of: not isinstance(of, tree.Nullable))),
        _structs(depth - 1),
    )


def _structs(depth: int) -> st.SearchStrategy[tree.Struct]:
    fields = st.builds(tree.Field, st.sampled_from("abcde"), _types(depth))
    return st.lists(fields, max_size=4, unique_by=lambda field: field.name).map(
        lambda found: tree.Struct(tuple(found))
    )


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["@a", "\\@", "[", "[]", "null", "a.b", "=", ":=1", "\\", " [1]"]
)
_JSON = st.recursive(
    st.booleans() | st.integers(-9, 9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=3,
)
_DECLARED = {m.name: m.type for m in TYPES.members if isinstance(m, tree.TypeDeclaration)}


def _values(of: tree.Type, depth: int = 4) -> st.SearchStrategy[Any]:
    match of:
        case tree.Primitive.BOOL:
            return st.booleans()
        case tree.Primitive.INT:
            return st.integers(-(2**63), 2**64 - 1)
        case tree.Primitive.FLOAT:
            return st.floats(allow_nan=False, allow_infinity=False)
        case tree.Primitive.STRING:
            return _TEXTS
        case tree.Primitive.OBJECT:
            return st.dictionaries(_TEXTS, _JSON, max_size=2)
        case tree.Primitive.ANY:
            return _JSON
        case tree.Named(name):
            return _values(_DECLARED[name], depth - 1)
        case tree.Nullable(element):
            return st.none() | _values(element, depth - 1) if depth > 0 else st.none()
        case tree.Enum(choices):
            return st.sampled_from([choice.name for choice in choices])
        case tree.Array(element):
            return st.lists(_values(element, depth - 1), max_size=3 if depth > 0 else 0)
        case tree.Map(element):
            return st.dictionaries(_TEXTS, _values(element, depth - 1), max_size=2 if depth > 0 else 0)
        case tree.Struct(fields):
            kinds: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
            for field in fields:
                kinds[isinstance(field.type, tree.Nullable)][field.name] = _values(field.type, depth - 1)
            return st.fixed_dictionaries(kinds[0], optional=kinds[1])


def _spread(data: st.DataObject, key: str, of: tree.Type, value: Any) -> list[str]:
    """One of the ways to write a value: as JSON, or part by part."""
    while isinstance(of, tree.Named | tree.Nullable):
        of = _DECLARED[of.name] if isinstance(of, tree.Named) else of.element
    if isinstance(of, tree.Struct | tree.Map) and value and data.draw(st.booleans()):
        types = {} if isinstance(of, tree.Map) else {field.name: field.type for field in of.fields}
        words = []
        for name, each in value.items():
            escaped = "".join(f"\\{letter}" if letter in ".=:\\" else letter for letter in name)
            inner = of.element if isinstance(of, tree.Map) else types[name]
            words += _spread(data, f"{key}.{escaped}" if key else escaped, inner, each)
        return data.draw(st.permutations(words))
    return [f"{key}:={json.dumps(value)}"]


def _with(declared: tree.Struct) -> tree.Interface:
    method = tree.Method("M", declared, tree.Struct(()))
    types = [member for member in TYPES.members if isinstance(member, tree.TypeDeclaration)]
    return tree.Interface("a.b", "", (*types, method))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_what_was_written_as_words_is_read_back(data: st.DataObject) -> None:
    declared = data.draw(_structs(2))
    value = data.draw(_values(declared))
    interface = _with(declared)
    assert from_pairs(to_pairs(value, declared, interface), "a.b.M", interface) == value
    words = [
        word
        for field in declared.fields
        if field.name in value
        for word in _spread(data, field.name, field.type, value[field.name])
    ]
    assert from_pairs(data.draw(st.permutations(words)), "a.b.M", interface) == value


def _read(*words: str) -> dict[str, Any]:
    return read_parameters(words, DO, lambda: TYPES)


@pytest.mark.parametrize(
    ("word", "parameters"),
    [
        ('{"a":"b=c"}', {"a": "b=c"}),
        (' \n{"a": "b=c"}', {"a": "b=c"}),
        ("{}", {}),
        (" ", {}),
        ("text={=", {"text": "{="}),
    ],
)
def test_one_word_is_json_or_a_pair(word: str, parameters: dict[str, Any]) -> None:
    assert _read(word) == parameters


@pytest.mark.parametrize("word", ['["a=b"]', '"a=b"', '{"a=b"', "5", "text", '{"a": 1e999}', '{"a": NaN}'])
def test_one_word_that_is_neither_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as failure:
        _read(word)
    assert failure.value.code == 5
    assert "JSON" in capsys.readouterr().err


@pytest.mark.parametrize("first", ['{"text": "x"}', "-", "@file", "[1]"])
def test_json_and_pairs_do_not_mix(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((first, "text=x"), ("text=x", first)):
        with pytest.raises(SystemExit) as failure:
            _read(*words)
        assert failure.value.code == 2
        assert f"{first!r} can only stand by itself" in capsys.readouterr().err


def test_the_command_takes_pairs(more: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("12")
    for word in ("ping=12", f"ping=@{tmp_path}/text", 'ping:="12"'):
        assert json.loads(printed("call", f"{more}/org.example.more.Ping", word)) == {"pong": "12"}


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["org.example.more.Ping", "pong=x"], 5, "has no parameter 'pong'; did you mean 'ping'?"),
        (["org.example.more.Pong", "ping=x"], 5, "has no method 'Pong'; did you mean 'Ping'?"),
        (["org.example.more.TestMore", "n=x"], 5, "n has to be int, and 'x' is not."),
        (["org.example.more.TestMore", "n=1", "x"], 2, "'x' is no parameter of org.example.more.TestMore"),
        (["org.example.more.TestMore", "{}", "n=1"], 2, "'{}' can only stand by itself"),
    ],
)
def test_the_command_refuses_in_a_sentence(words: list[str], status: int, part: str, more: str) -> None:
    found, sentence = refused("call", more, *words)
    assert (found, sentence.count("\n")) == (status, 1)
    assert part in sentence
