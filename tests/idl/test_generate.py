"""A definition becomes one Python module: what it has, and that it is always the same."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import os
import subprocess
import sys
import typing
from collections.abc import Mapping
from typing import Any, Literal, NotRequired

import pytest
from generated import HEAD, VARIANTS, load
from write_golden import DEFINITION, GOLDEN, generated
from write_golden import VARIANTS as GOLDEN_VARIANTS

import fastvarlink
from fastvarlink.idl import IdlSyntaxError, generate

TEXT = DEFINITION.read_text("utf-8")


@pytest.mark.parametrize("variant", GOLDEN_VARIANTS)
def test_the_module_is_as_it_was(variant: str) -> None:
    expected = (GOLDEN / variant).read_text("utf-8")
    assert generated(variant) == expected, "Run python tests/idl/write_golden.py and read what has changed."


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_the_order_of_hashes_does_not_show(seed: str) -> None:
    program = "import sys; from fastvarlink.idl import generate; sys.stdout.write(generate(sys.stdin.read()))"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=TEXT,
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=environment,
    )
    assert done.stdout == generate(TEXT)


def test_bytes_are_a_text_as_well() -> None:
    assert generate(TEXT.encode()) == generate(TEXT)


def test_it_says_what_it_was_made_from() -> None:
    module = load(HEAD + "error E ()", source="some/users.varlink")
    doc = inspect.getdoc(module)
    assert doc is not None
    assert doc.startswith("The interface org.example.users.\n\n")
    assert "from some/users.varlink,\ninterface org.example.users (sha256 " in doc
    other = load(HEAD + "error E ()\n")
    assert other.__doc__ is not None
    assert "fastvarlink from interface org.example.users (sha256 " in other.__doc__
    assert doc.splitlines()[3] not in other.__doc__.splitlines()


def test_faults_are_told_as_by_the_parser() -> None:
    with pytest.raises(IdlSyntaxError) as caught:
        generate(HEAD + "type T (a: Missing, b: int, b: int)", source="users.varlink")
    assert len(caught.value.faults) == 2
    assert str(caught.value).startswith("users.varlink, line 2, column 12: ")


@pytest.mark.parametrize("options", VARIANTS)
def test_all_names_what_is_there(options: dict[str, Any]) -> None:
    module = load(TEXT, **options)
    imported = {"annotations", "fastvarlink", "enum", "dataclass", "overload"}
    imported |= {*typing.__all__, "AsyncIterator", "Coroutine", "Iterator", "Mapping"}
    defined = {name for name in vars(module) if not name.startswith("__")} - imported
    assert set(module.__all__) == defined
    assert len(module.__all__) == len(defined)


@pytest.mark.parametrize("member", ["type T (a: int)", "type T (a, b)", "error E ()", "method M() -> ()"])
@pytest.mark.parametrize("options", VARIANTS)
def test_one_member_is_enough(member: str, options: dict[str, Any]) -> None:
    assert load(HEAD + member, **options).UsersClient


# ---- the definition


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}error E ()\n",
        f"{HEAD}error E ()",
        f"{HEAD}\terror E ()\n\n\n",
        f"{HEAD}error E () # \\ \\n \\N{{x}} {{x}} %s\n",
        f'{HEAD}error E () # """ and """',
        f'{HEAD}error E () # "',
        f"{HEAD}error E () # ' and \"",
        f"{HEAD}error E () # '''\n",
        f"# \\\n{HEAD}error E () # \\",
        f"{HEAD}error E ()\n".replace("\n", "\r\n"),
        f"{HEAD}error E ()\n".replace("\n", "\r"),
        f"\ufeff{HEAD}\u2028error\u00a0E\u2003() # \u202e \x1b[31m \x85 \x7f \U0001f600 é\n",
        f"{HEAD}# {'x' * 200}\nerror E ()",
        "interface a.b error E ()",
    ],
)
def test_the_text_is_exact(text: str) -> None:
    module = load(text)
    assert module.DEFINITION.interface.description == text
    source = generate(text)
    assert all(c.isprintable() or c in "\n\t" for c in source)


def test_a_plain_text_stands_as_it_reads() -> None:
    text = f'{HEAD}\n# It\'s "so".\ntype T (\n\ta: int\n)\n'
    assert f'"""\\\n{text}"""' in generate(text)


DOCS = [
    "plain",
    "back\\slash",
    "\\",
    "\\\\\\",
    '"',
    '"quoted"',
    'ends with "quotes"',
    'backslash and quote\\"',
    'quote and blank" ',
    '"""',
    'a """ b """',
    '\\"""',
    '""""""\\',
    "'''",
    "\\N{x} {x} %s \\x \\u12",
    "\u202eright to left\u202c",
    "\x1b[31mred\x07",
    "naïve ¶ \U0001f600",
    "tab\tinside",
    "  more blanks",
    "x" * 200,
    "two\nlines",
    "\n ",
    "\n    indented\nnot\n  indented",
    "\nfirst\n    second",
    "a list:\n  - one\n  - two\n\nand an end\\",
    "\n",
]


@pytest.mark.parametrize("doc", DOCS)
@pytest.mark.parametrize("options", VARIANTS)
def test_documentation_is_kept_and_cannot_break_out(doc: str, options: dict[str, Any]) -> None:
    above = "".join(f"# {line}\n" for line in doc.split("\n"))
    text = (
        f"{above}interface org.example.users\n{above}type User (\n{above}class: int,\n{above}name: int)\n"
        f"{above}type Color (\n{above}red,\n{above}green)\n{above}type Plain (\n{above}a: (\n{above}b))\n"
        f"{above}method Get(\n{above}name: int) -> (\n{above}a: int)\n{above}error Bad (\n{above}a: int)\n"
    )
    source = generate(text, **options)
    assert all(c.isprintable() or c in "\n\t" for c in source)
    module = load(text, **options)
    shown = inspect.cleandoc(doc.strip())
    if shown:
        # An error's class shows its documentation however its structs are made.
        assert inspect.getdoc(module.Bad) == shown
        assert inspect.getdoc(module.Plain) == shown
        # More follows on it here, which may be indented less.
        for described, following in ((module, "Generated by"), (module.UsersService.Get, "name: ")):
            first, *_, last = str(inspect.getdoc(described)).partition(f"\n\n{following}")
            assert inspect.cleandoc(first) == shown
            assert last
    assert set(module.__all__) >= {"User", "Color", "Plain", "GetResult", "Bad"}


def test_parameters_are_documented_with_their_method() -> None:
    module = load(HEAD + "# Gets it.\nmethod Get(a: int,\n# What it is.\n# Not null.\nclass: int) -> ()")
    expected = "Gets it.\n\nclass_: What it is.\n    Not null."
    for owner in (module.UsersClient, module.AsyncUsersClient, module.UsersService):
        assert inspect.getdoc(owner.Get) == expected


# ---- types

KINDS: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "string": str,
    "object": dict[str, Any],
    "any": Any,
    "[]int": list[int],
    "[string]int": dict[str, int],
    "[string]any": Mapping[str, Any],
    "[string]object": dict[str, dict[str, Any]],
    "[string]()": set[str],
    "[][string]()": list[set[str]],
    "(a, b)": Literal["a", "b"],
    "[](a, b)": list[Literal["a", "b"]],
}


@pytest.mark.parametrize("written", KINDS)
def test_types_in_dataclasses(written: str) -> None:
    module = load(f"{HEAD}type T (needed: {written}, left: ?{written}, each: []?{written})")
    of = KINDS[written]
    hints = typing.get_type_hints(module.T)
    assert hints["needed"] == of
    assert hints["left"] == of | None
    assert typing.get_args(hints["each"]) == (of | None,)
    fields = {field.name: field for field in dataclasses.fields(module.T)}
    assert all(field.kw_only for field in fields.values())
    assert fields["needed"].default is dataclasses.MISSING
    assert fields["left"].default is None
    assert not hasattr(module.T(needed=1, each=[]), "__dict__")


@pytest.mark.parametrize("written", KINDS)
@pytest.mark.parametrize("key", ["left", "class"])
def test_types_in_typeddicts(written: str, key: str) -> None:
    module = load(f"{HEAD}type T (needed: {written}, {key}: ?{written})", structs="typeddict")
    of = KINDS[written]
    assert typing.is_typeddict(module.T)
    hints = typing.get_type_hints(module.T, include_extras=True)
    assert hints == {"needed": of, key: NotRequired[of | None]}


def test_types_may_contain_themselves_and_come_later() -> None:
    for options in VARIANTS:
        module = load(
            HEAD + "type A (class: ?A, b: []B, c: C)\ntype B (a: [string]A, class: ?C)\ntype C (x, y)",
            **options,
        )
        for cls in (module.A, module.B):
            assert set(typing.get_type_hints(cls)) >= {
                "class" if options["structs"] == "typeddict" else "class_"
            }


def test_enums() -> None:
    text = HEAD + "type Color (red, class, name)\ntype T (color: Color, inline: (a, b))"
    assert load(text).Color == Literal["red", "class", "name"]
    module = load(text, enums="enum")
    assert issubclass(module.Color, enum.Enum)
    assert {each.name: each.value for each in module.Color} == {
        "red": "red",
        "class_": "class",
        "name_": "name",
    }
    hints = typing.get_type_hints(module.T)
    assert hints == {"color": module.Color, "inline": Literal["a", "b"]}


def test_a_long_inline_enum_has_a_name() -> None:
    values = [f"value_{number}" for number in range(20)]
    module = load(f"{HEAD}type T (kind: []({', '.join(values)}))", enums="enum")
    assert module.TKind == Literal[tuple(values)]
    (kind,) = typing.get_args(typing.get_type_hints(module.T)["kind"])
    assert kind == module.TKind
    assert module.DEFINITION.shapes == {"T": module.T}


NESTED = f"""{HEAD}
type User (address: ?[](geo: [string](lat: float)), kind: Kind)
type Kind (a, b)
method Get(filter: (by: (name: string))) -> (items: [](x: int), kind: Kind)
method Put(user: User) -> ()
error NotFound (detail: ?(code: int))
"""


def test_each_struct_has_a_class_called_after_its_place() -> None:
    assert {place: cls.__name__ for place, cls in load(NESTED).DEFINITION.shapes.items()} == {
        "User": "User",
        "User.address": "UserAddress",
        "User.address.geo": "UserAddressGeo",
        "Get.input.filter": "GetFilter",
        "Get.input.filter.by": "GetFilterBy",
        "Get.output": "GetResult",
        "Get.output.items": "GetResultItems",
        "NotFound": "NotFound",
        "NotFound.detail": "NotFoundDetail",
    }


def test_what_is_plain_json_is_no_shape() -> None:
    module = load(NESTED, structs="typeddict")
    assert module.DEFINITION.shapes == {"NotFound": module.NotFound}
    module = load(NESTED, structs="typeddict", enums="enum")
    assert module.DEFINITION.shapes == {"NotFound": module.NotFound, "Kind": module.Kind}
    assert typing.is_typeddict(module.UserAddressGeo)


def test_errors() -> None:
    module = load(HEAD + "# Nobody.\nerror NotFound (name: string, class: ?int, args: ?int, self: ?int)")
    error = module.NotFound(name="x", class_=3)
    assert isinstance(error, fastvarlink.InterfaceError)
    assert (error.name, error.class_, error.args_, error.self_) == ("x", 3, None, None)
    assert error.as_dict() == {
        "error": "org.example.users.NotFound",
        "parameters": {"name": "x", "class": 3},
    }
    assert module.NotFound(name="x", self_=1, args_=2).parameters() == {"name": "x", "self": 1, "args": 2}


# ---- methods


def test_parameters_may_be_left_out_where_nothing_needed_follows() -> None:
    module = load(HEAD + "method Get(a: ?int, b: int, c: ?string, class: ?(x, y)) -> (r: int)")
    for owner in (module.UsersClient, module.AsyncUsersClient):
        parameters = inspect.signature(owner.Get).parameters
        assert list(parameters) == ["self", "a", "b", "c", "class_", "_more", "_oneway", "_timeout"]
        defaults = {name: each.default for name, each in parameters.items()}
        assert defaults["a"] is defaults["b"] is inspect.Parameter.empty
        assert defaults["c"] is defaults["class_"] is None
        hints = {name: each.annotation for name, each in parameters.items()}
        assert hints["a"] == "int | None"
        assert hints["class_"] == "Literal['x', 'y'] | None"
        assert all(
            parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            for name in ("a", "b", "c", "class_")
        )
        assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ("_more", "_oneway"))


def test_what_is_called_without_results_returns_none() -> None:
    module = load(HEAD + "method Ping() -> ()")
    assert not hasattr(module, "PingResult")
    overloads = typing.get_overloads(module.UsersClient.Ping)
    returned = [inspect.signature(each).return_annotation for each in overloads]
    assert returned == ["None", "Iterator[None]", "None"]


def test_overloads_of_calls() -> None:
    module = load(HEAD + "method Get() -> (a: int)")
    returned = {
        owner: [
            inspect.signature(each).return_annotation
            for each in typing.get_overloads(getattr(module, owner).Get)
        ]
        for owner in ("UsersClient", "AsyncUsersClient")
    }
    assert returned == {
        "UsersClient": ["GetResult", "Iterator[GetResult]", "None"],
        "AsyncUsersClient": [
            "Coroutine[Any, Any, GetResult]",
            "AsyncIterator[GetResult]",
            "Coroutine[Any, Any, None]",
        ],
    }
    assert inspect.signature(module.UsersService.Get).return_annotation == "fastvarlink.Answer[GetResult]"
