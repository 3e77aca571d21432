"""Names of an interface that Python, or the generated module, needs for itself."""

from __future__ import annotations

import builtins
import enum
import inspect
import itertools
import json
import keyword
import typing
from typing import Any

import pytest
from generated import HEAD, VARIANTS, checker_of, load

import fastvarlink
from fastvarlink.error import RESERVED
from fastvarlink.idl import generate

KEYWORDS = [name for name in keyword.kwlist if name.isalpha()]
# What annotations are made of, and what the module has or imports.
HIDING = ["bool", "dict", "float", "int", "list", "set", "str", "Any", "Literal", "Mapping", "T", "Color"]
HARMLESS = ["match", "case", "type", "self", "cls", "object", "property", "enum", "dataclass", "overload"]
HARMLESS += ["fastvarlink", "keys", "items", "get", "copy", "error", "args", "mro", "name", "value", "print"]


def fields_of(names: list[str]) -> str:
    return ", ".join(f"{name}: ?[]int" for name in names)


def test_fields_of_dataclasses() -> None:
    names = [*KEYWORDS, *HIDING, *HARMLESS]
    module = load(f"{HEAD}type Color (a, b)\ntype T ({fields_of(names)}, uses: ?T, colors: []Color)")
    hints = typing.get_type_hints(module.T)
    assert set(hints) == {f"{name}_" for name in [*KEYWORDS, *HIDING]} | set(HARMLESS) | {"uses", "colors"}
    assert all(hints[name] == list[int] | None for name in hints.keys() - {"uses", "colors"})
    sent = {**{name: [number] for number, name in enumerate(names)}, "colors": ["a"]}
    made = checker_of(module, "T").accept(json.loads(json.dumps(sent)))
    assert made.class_ == [names.index("class")]
    assert made.str_ == [names.index("str")]
    assert made.self == [names.index("self")]
    assert json.loads(checker_of(module, "T").give(made) or b"") == sent


def test_keys_of_typeddicts() -> None:
    names = [*KEYWORDS, *HIDING, *HARMLESS]
    text = f"{HEAD}type Color (a, b)\ntype T ({fields_of(names)}, uses: ?T, colors: []Color)"
    module = load(text, structs="typeddict")
    hints = typing.get_type_hints(module.T)
    assert set(hints) == {*names, "uses", "colors"}
    assert typing.get_args(hints["colors"]) == (module.Color,)


def test_keys_are_written_as_a_class_where_that_is_possible() -> None:
    source = generate(f"{HEAD}type A (keys: int, self: int)\ntype B (class: int)\n", structs="typeddict")
    assert "class A(TypedDict):" in source
    assert 'B = TypedDict(\n    "B",\n    {\n        "class": "int",\n    },\n)' in source


def test_parameters_of_errors() -> None:
    names = sorted({*KEYWORDS, *HIDING, *HARMLESS, *RESERVED} - {"T"} - {n for n in RESERVED if "_" in n})
    names += ["add_note", "as_dict", "with_traceback"]
    module = load(f"{HEAD}type Color (a, b)\nerror Bad ({fields_of(names)}, color: Color)")
    sent: dict[str, Any] = {name: [number] for number, name in enumerate(names)}
    sent["color"] = "a"
    made = checker_of(module, "Bad").accept(json.loads(json.dumps(sent)))
    assert isinstance(made, module.Bad)
    assert made.args_ == sent["args"]
    assert made.self_ == sent["self"]
    assert made.parameters() == sent
    assert str(made).startswith("org.example.users.Bad(")
    attributes = {name: [0] for name in module.Bad.__annotations__}
    assert module.Bad(**attributes).parameters().keys() == sent.keys()


@pytest.mark.parametrize("options", VARIANTS)
def test_parameters_of_methods(options: dict[str, Any]) -> None:
    names = [*KEYWORDS, *HIDING, *HARMLESS]
    module = load(
        f"{HEAD}type Color (a, b)\ntype T (a: int)\nmethod Get({fields_of(names)}) -> ()", **options
    )
    reserved = {*KEYWORDS, "self", "fastvarlink"}
    expected = ["self", *(f"{name}_" if name in reserved else name for name in names)]
    assert list(inspect.signature(module.UsersService.Get).parameters) == expected
    beside = ["_more", "_oneway", "_timeout"]
    assert list(inspect.signature(module.UsersClient.Get).parameters) == expected + beside
    with pytest.raises(fastvarlink.MethodNotImplemented) as caught:
        module.UsersService().Get(*names)
    assert caught.value.method == "org.example.users.Get"


def test_members_of_enums() -> None:
    names = [*KEYWORDS, "name", "value", "mro", "values", "self", "str"]
    module = load(f"{HEAD}type Color ({', '.join(names)})\ntype T (color: Color)", enums="enum")
    assert issubclass(module.Color, enum.Enum)
    assert [member.value for member in module.Color] == names
    assert module.Color.name_.value == "name"
    made = checker_of(module, "T").accept({"color": "class"})
    assert made.color is module.Color.class_
    assert checker_of(module, "T").give(made) == b'{"color":"class"}'


IMPORTED = ["Any", "AsyncIterator", "Coroutine", "DEFINITION", "Iterator", "Literal", "Mapping"]
IMPORTED += ["NotRequired", "TypeAlias", "TypedDict", "None", "True", "False"]
FREE = ["Definition", "TypedClient", "InterfaceError", "Enum", "ClassVar", "Self", "Union"]
FREE += [name for name in vars(builtins) if name.isalnum() and name[0].isupper() and name not in IMPORTED][
    :20
]
USING = (
    "type Users (a: ?any, b: [string]any, c: (x, y), d: ?{0}, e: object, g: (a: int))\n"
    "method Use(a: ?any, b: [string]any, c: (x, y)) -> (a: int)\n"
)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("body", ["type {} (a: int)", "type {} (a, b)"])
def test_types(body: str, options: dict[str, Any]) -> None:
    for name in [*IMPORTED, *FREE]:
        module = load(HEAD + USING.format(name) + body.format(name), **options)
        called = f"{name}_" if name in IMPORTED else name
        assert called in module.__all__
        assert typing.get_type_hints(module.Users)["a"] == Any | None
        checker_of(module, "Users")
        if options["structs"] == "dataclass" and "int" in body:
            assert module.DEFINITION.shapes[name] is getattr(module, called)


def test_errors() -> None:
    for name in [*IMPORTED, *FREE]:
        module = load(f"{HEAD}error {name} (a: int)\nmethod Use() -> (a: any)")
        error = getattr(module, f"{name}_" if name in IMPORTED else name)
        assert error(a=1).as_dict() == {"error": f"org.example.users.{name}", "parameters": {"a": 1}}


def test_methods() -> None:
    methods = "\n".join(f"method {name}(a: ?any) -> (a: [string]any)" for name in [*IMPORTED, *FREE])
    module = load(f"{HEAD}{methods}")
    for name in [*IMPORTED, *FREE]:
        called = f"{name}_" if name in IMPORTED else name
        for owner in (module.UsersClient, module.AsyncUsersClient, module.UsersService):
            assert callable(vars(owner)[called])
        with pytest.raises(fastvarlink.MethodNotImplemented) as caught:
            getattr(module.UsersService(), called)(None)
        assert caught.value.method == f"org.example.users.{name}"


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("type UserAddress (a, b)\ntype User (address: (x: int))", "User.address", "UserAddress_"),
        ("type User (address: (x: int))\ntype UserAddress (a: int)", "User.address", "UserAddress_"),
        ("type User (address: (x: int))\nmethod UserAddress() -> ()", "User.address", "UserAddress_"),
        ("type User (address: (x: int))\nerror UserAddress ()", "User.address", "UserAddress_"),
        ("type GetResult (a: int)\nmethod Get() -> (a: int)", "Get.output", "GetResult_"),
        ("method Get() -> (a: int)\nmethod GetResult() -> (a: int)", "Get.output", "GetResult_"),
        ("method Get(result: (a: int)) -> (a: int)", "Get.input.result", "GetResult_"),
        ("type T (a_b: (x: int), aB: (y: int))", "T.aB", "TAB_"),
        ("type T (a_b: (x: int), aB: (y: int), AB: (z: int))", "T.AB", "TAB__"),
        ("type A (bC: (x: int))\ntype AB (c: (y: int))", "AB.c", "ABC_"),
        ("type Not (required: (x: ?int))", "Not.required", "NotRequired_"),
        ("type Type (alias: (x: ?int))", "Type.alias", "TypeAlias_"),
        ("type UsersClient (x: int)", "UsersClient", "UsersClient"),
    ],
)
def test_names_that_are_made_up_give_way(text: str, place: str, name: str) -> None:
    module = load(HEAD + text)
    shape = module.DEFINITION.shapes[place]
    assert shape.__name__ == name
    assert getattr(module, name) is shape
    names = [each.__name__ for each in module.DEFINITION.shapes.values()]
    assert len(names) == len(set(names))


def test_clients_and_services_give_way() -> None:
    taken = ["UsersClient", "AsyncUsersClient", "UsersService"]
    for kind in ("type {} (a: int)", "error {} (a: int)", "method {}() -> (a: int)"):
        module = load(HEAD + "\n".join(kind.format(name) for name in taken))
        for name, base in zip(taken, ("TypedClient", "AsyncTypedClient", "TypedService"), strict=True):
            assert issubclass(getattr(module, f"{name}_"), getattr(fastvarlink, base))


def test_a_field_called_like_a_class_does_not_hide_it() -> None:
    text = f"{HEAD}type T (TA: ?int, a: (x: int), b: U, U: U)\ntype U (x: int)"
    for options in VARIANTS:
        module = load(text, **options)
        hints = typing.get_type_hints(module.T)
        assert hints["b"] is hints["U" if options["structs"] == "typeddict" else "U_"] is module.U
        assert hints["a"] is module.TA


@pytest.mark.parametrize(
    "text",
    [
        "type Any (a: int)\ntype T (Any: ?int, a: Any)",
        "error T (a: Any, Any: ?int)\ntype Any (a: int)",
        "type None (a: int)\nmethod T() -> (a: [](a: None, None: ?int))",
        "type UserAddress (a: int)\ntype User (a: UserAddress, address: ?(a: int), UserAddress: ?int)",
    ],
)
def test_an_attribute_with_an_underscore_does_not_hide_a_class(text: str) -> None:
    module = load(HEAD + text)
    for shape in module.DEFINITION.shapes.values():
        assert not shape.__annotations__.keys() & set(module.__all__)
        typing.get_type_hints(shape)


@pytest.mark.parametrize(
    ("interface", "stem"),
    [
        ("org.example.users", "Users"),
        ("a.b", "B"),
        ("org.example.user-db", "UserDb"),
        ("org.example.user--DB2", "UserDB2"),
        ("org.example.1st", "Interface1st"),
        ("org.example.2", "Interface2"),
        ("io.systemd.Network.Link", "Link"),
        ("org.example.true", "True"),
    ],
)
def test_classes_are_called_after_the_interface(interface: str, stem: str) -> None:
    module = load(f"interface {interface}\nmethod M() -> ()")
    assert module.__all__ == sorted(
        ["DEFINITION", f"Async{stem}Client", f"{stem}Client", f"{stem}Service"], key=order
    )
    assert module.DEFINITION.interface.name == interface


def order(name: str) -> tuple[bool, str]:
    return not name.isupper(), name


def test_names_do_not_depend_on_each_other_beyond_reason() -> None:
    # Each member keeps its names whatever stands around it, if there is no clash.
    members = ["type A (x: (y: int))", "method B(x: (y: int)) -> (z: (y: int))", "error C (x: (y: int))"]
    expected = {"A": "A", "A.x": "AX", "B.input.x": "BX", "B.output": "BResult", "B.output.z": "BResultZ"}
    expected |= {"C": "C", "C.x": "CX"}
    for ordered in itertools.permutations(members):
        shapes = load(HEAD + "\n".join(ordered)).DEFINITION.shapes
        assert {place: shape.__name__ for place, shape in shapes.items()} == expected
