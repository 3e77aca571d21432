"""The types of an interface as Python's annotations and classes."""

from __future__ import annotations

from typing import Literal

from fastvarlink.idl import tree
from fastvarlink.idl.generation.imports import Imports
from fastvarlink.idl.generation.names import ModuleNames, enum_member
from fastvarlink.idl.generation.text import comment, described, docstring, literal, wrapped

__all__ = ["TypeWriter"]

_PRIMITIVES = {
    tree.Primitive.BOOL: "bool",
    tree.Primitive.INT: "int",
    tree.Primitive.FLOAT: "float",
    tree.Primitive.STRING: "str",
    tree.Primitive.OBJECT: "dict[str, Any]",
    tree.Primitive.ANY: "Any",
}
_SHORT = 40  # characters of an enum that stays where it is used


class TypeWriter:
    """Writes the classes of one module, and remembers which class stands for which place.

    ``lines`` are what was written, ``shapes`` the classes by their places, ``public`` the names that programs
    use.
    """

    def __init__(
        self,
        names: ModuleNames,
        imports: Imports,
        structs: Literal["dataclass", "typeddict"],
        enums: Literal["literal", "enum"],
    ) -> None:
        self.lines: list[str] = []
        self.shapes: dict[str, str] = {}
        self.public: list[str] = []
        self._names = names
        self._imports = imports
        self._structs = structs
        self._enums = enums

    # ---- what is declared

    def declaration(self, declared: tree.TypeDeclaration) -> None:
        """Write a declared struct or enum."""
        called = self._names.declared(declared.name)
        if isinstance(declared.type, tree.Struct):
            self._struct(called, declared.type, declared.name, declared.doc)
        elif isinstance(declared.type, tree.Enum):
            if self._enums == "enum":
                self._enum_class(called, declared.type, declared.doc)
                self.shapes[declared.name] = called
            else:
                self._alias(called, declared.type, declared.doc)

    def error(self, declared: tree.Error) -> None:
        """Write the exception of a declared error."""
        called = self._names.declared(declared.name)
        self.shapes[declared.name] = called
        fields = self._annotated(declared.type, called, declared.name, of_error=True)
        doc = described(declared.doc, f"The error {declared.name}.")
        self._class(called, [f"class {called}(fastvarlink.InterfaceError):"], doc, fields)

    def result(self, method: tree.Method) -> str:
        """Write the class of a method's results. Returns the annotation of one reply."""
        if not method.output.fields:
            return "None"
        called = self._names.new(f"{method.name}Result")
        self._struct(called, method.output, f"{method.name}.output", f"What {method.name} returns.")
        return called

    # ---- annotations

    def annotation(self, of: tree.Type, place: str, owner: str, field: str) -> str:
        """The annotation of a type at a place. Classes that it needs are written, called after the field."""
        match of:
            case tree.Primitive():
                if of in {tree.Primitive.OBJECT, tree.Primitive.ANY}:
                    self._imports.use("Any")
                return _PRIMITIVES[of]
            case tree.Named(name):
                return self._names.declared(name)
            case tree.Nullable(element):
                return f"{self.annotation(element, place, owner, field)} | None"
            case tree.Array(element):
                return f"list[{self.annotation(element, place, owner, field)}]"
            case tree.Map(element):
                if tree.is_set(of):
                    return "set[str]"
                if element is tree.Primitive.ANY:
                    # dict[str, Any] stands for object.
                    self._imports.use("Any", "Mapping")
                    return "Mapping[str, Any]"
                return f"dict[str, {self.annotation(element, place, owner, field)}]"
            case tree.Enum():
                inline = _choices(of)
                if len(inline) <= _SHORT:
                    self._imports.use("Literal")
                    return inline
                called = self._names.new(owner.rstrip("_") + _capitalised(field))
                self._alias(called, of, "")
                return called
            case tree.Struct():
                called = self._names.new(owner.rstrip("_") + _capitalised(field))
                self._struct(called, of, place, f"The {field} of {owner}.")
                return called

    def _annotated(
        self, struct: tree.Struct, owner: str, place: str, of_error: bool = False
    ) -> list[tuple[str, str, tree.Field]]:
        """Attribute, annotation and field, for each field of a struct."""
        annotations = [
            self.annotation(field.type, f"{place}.{field.name}", owner, field.name) for field in struct.fields
        ]
        # Only now are all names known that an attribute could hide.
        attributes = [self._names.attribute(field.name, of_error) for field in struct.fields]
        return list(zip(attributes, annotations, struct.fields, strict=True))

    # ---- classes

    def _struct(self, called: str, struct: tree.Struct, place: str, doc: str) -> None:
        fields = self._annotated(struct, called, place)
        doc = described(doc, f"The struct {called}.")
        if self._structs == "dataclass":
            self._imports.use("dataclass")
            self.shapes[place] = called
            head = ["@dataclass(kw_only=True, slots=True)", f"class {called}:"]
            self._class(called, head, doc, fields)
            return
        self._imports.use("TypedDict")
        if any(isinstance(field.type, tree.Nullable) for field in struct.fields):
            self._imports.use("NotRequired")
        keys = [(attribute, _key(annotation, field), field) for attribute, annotation, field in fields]
        if all(attribute == field.name for attribute, _, field in keys):
            self._class(called, [f"class {called}(TypedDict):"], doc, keys, defaults=False)
        else:
            self._functional(called, doc, keys)

    def _functional(self, called: str, doc: str, keys: list[tuple[str, str, tree.Field]]) -> None:
        """Write a TypedDict with a key that cannot be written as a name."""
        self.public.append(called)
        self.lines += ["", "", f"{called} = TypedDict(", f"    {literal(called)},", "    {"]
        for _, annotation, field in keys:
            self.lines += comment(field.doc, "        ")
            self.lines.append(f"        {literal(field.name)}: {literal(annotation)},")
        self.lines += ["    },", ")", *docstring(doc, "")]

    def _class(
        self,
        called: str,
        head: list[str],
        doc: str,
        fields: list[tuple[str, str, tree.Field]],
        defaults: bool = True,
    ) -> None:
        self.public.append(called)
        self.lines += ["", "", *head, *docstring(doc, "    ")]
        if fields:
            self.lines.append("")
        for attribute, annotation, field in fields:
            default = " = None" if defaults and isinstance(field.type, tree.Nullable) else ""
            self.lines += wrapped(f"{attribute}: {annotation}{default}", "    ")
            self.lines += docstring(field.doc, "    ")

    def _enum_class(self, called: str, enum: tree.Enum, doc: str) -> None:
        self.public.append(called)
        self._imports.use("enum")
        self.lines += ["", "", f"class {called}(enum.Enum):"]
        self.lines += [*docstring(described(doc, f"The enum {called}."), "    "), ""]
        for value in enum.values:
            self.lines.append(f"    {enum_member(value.name)} = {literal(value.name)}")
            self.lines += docstring(value.doc, "    ")

    def _alias(self, called: str, enum: tree.Enum, doc: str) -> None:
        self.public.append(called)
        self._imports.use("Literal", "TypeAlias")
        self.lines += ["", ""]
        if any(value.doc for value in enum.values):
            self.lines.append(f"{called}: TypeAlias = Literal[")
            for value in enum.values:
                self.lines += [*comment(value.doc, "    "), f"    {literal(value.name)},"]
            self.lines.append("]")
        else:
            self.lines += wrapped(f"{called}: TypeAlias = {_choices(enum)}", "")
        self.lines += docstring(doc, "")


def _choices(enum: tree.Enum) -> str:
    return f"Literal[{', '.join(literal(value.name) for value in enum.values)}]"


def _key(annotation: str, field: tree.Field) -> str:
    """The annotation of a key of a TypedDict."""
    return f"NotRequired[{annotation}]" if isinstance(field.type, tree.Nullable) else annotation


def _capitalised(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))
