import enum
from dataclasses import dataclass, field
from typing import TypeAlias, final

class Primitive(enum.Enum):
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    OBJECT = "object"
    ANY = "any"

@final
@dataclass(frozen=True)
class Array:
    element: _Type
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Map:
    element: _Type
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Nullable:
    element: _Type
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Named:
    name: str
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Field:
    name: str
    type: _Type
    doc: str = ""
    comments: tuple[str, ...] = ()
    remark: str = ""
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Struct:
    fields: tuple[Field, ...]
    closing: tuple[str, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class EnumValue:
    name: str
    doc: str = ""
    comments: tuple[str, ...] = ()
    remark: str = ""
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Enum:
    values: tuple[EnumValue, ...]
    closing: tuple[str, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class TypeDeclaration:
    name: str
    type: _Type
    doc: str = ""
    comments: tuple[str, ...] = ()
    remark: str = ""
    at: int = field(default=-1, compare=False, repr=False)
    end: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Method:
    name: str
    input: Struct
    output: Struct
    doc: str = ""
    comments: tuple[str, ...] = ()
    remark: str = ""
    at: int = field(default=-1, compare=False, repr=False)
    end: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Error:
    name: str
    type: Struct
    doc: str = ""
    comments: tuple[str, ...] = ()
    remark: str = ""
    at: int = field(default=-1, compare=False, repr=False)
    end: int = field(default=-1, compare=False, repr=False)

@final
@dataclass(frozen=True)
class Interface:
    name: str
    doc: str
    members: tuple[_Member, ...]
    comments: tuple[str, ...] = ()
    remark: str = ""
    closing: tuple[str, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)

_Type: TypeAlias = Primitive | Array | Map | Nullable | Named | Struct | Enum
_Member: TypeAlias = TypeDeclaration | Method | Error
