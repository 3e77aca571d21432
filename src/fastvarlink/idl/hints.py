"""How to mend a fault of an interface definition, where that can be guessed."""

from __future__ import annotations

import re

__all__ = ["hint_for", "member_name", "primitive_meant"]

_SHOWN = 60  # characters of a name

_KEYWORDS = {"interface", "type", "method", "error"}
_PRIMITIVES = {"bool", "int", "float", "string", "object", "any"}
_SYNONYMS = {
    **dict.fromkeys(("str", "text", "char", "bytes", "date", "datetime", "uuid"), "string"),
    **dict.fromkeys(("integer", "int32", "int64", "uint", "uint32", "uint64", "long", "number"), "int"),
    **dict.fromkeys(("double", "real", "decimal", "float32", "float64"), "float"),
    "boolean": "bool",
    **dict.fromkeys(("dict", "map", "json", "struct"), "object"),
}

# Where a struct may begin: in braces it is no struct.
_STRUCT = {"declared type", "method input", "method output", "error parameters"}

_FIELD = "A field is written 'name: type'."
_ARRAY = "An array is written []T: the brackets stand before the type."
_name_behind = re.compile(r"[ \t]*([A-Za-z0-9]{1,60})").match


def member_name(token: str) -> str:
    """What a type, a method or an error could be called instead of ``token``; "" if there is no telling."""
    if len(token) > _SHOWN or not token.isascii():
        return ""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", token) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else ""


def primitive_meant(token: str) -> str:
    """The keyword of the type without parts that another language calls ``token``; "" if there is none."""
    lower = token.lower() if len(token) <= _SHOWN else ""
    return lower if lower in _PRIMITIVES else _SYNONYMS.get(lower, "")


def hint_for(text: str, start: int, end: int, which: str) -> str:
    """How to mend the fault ``which`` of the token from start to end; "" if that is not known."""
    token = text[start:end]
    if token == "/" and text[end : end + 1] in {"/", "*"}:
        return "Comments begin with '#'."
    if token == ";":
        return "Nothing ends with a semicolon: remove it."
    if token in {"{", "}"}:
        if which == "keyword":
            return "An interface has no braces around its members: remove '{' and '}'."
        if which in _STRUCT or which in {"type", "field separator", "value separator", "arrow"}:
            return "Structs stand in parentheses, not in braces."
    match which:
        case "interface":
            return _hint_for_interface(token)
        case "interface name":
            return (
                "A name has two parts at least, with dots between them, of letters, digits and inner hyphens."
            )
        case "keyword":
            return _hint_for_keyword(text, token, end)
        case "member name":
            return _hint_for_name(token, member_name(token))
        case "field name" | "value name":
            return _hint_for_part(token)
        case "field separator" | "value separator":
            return _hint_for_separator(token)
        case "arrow":
            return _hint_for_arrow(token)
        case "type":
            return _hint_for_type(text, token, start)
        case "gap in type":
            return f"Write the type directly behind '{token}'."
        case "first separator" | "colon":
            return (
                "Names have the letters a to z, digits and underscores only."
                if _is_foreign(token)
                else _FIELD
            )
    if which in _STRUCT:
        return _hint_for_struct(token, which)
    return _ALWAYS.get(which, "")


_ALWAYS = {
    "method input enum": f"{_FIELD} One without fields is ().",
    "method output enum": f"{_FIELD} One without fields is ().",
    "error parameters enum": f"{_FIELD} One without fields is ().",
    "trailing comma": "Remove the comma.",
    "double nullable": "One question mark is enough.",
    "no member": "Declare one, as in 'method Ping() -> ()'.",
}


def _is_foreign(token: str) -> bool:
    return not token.isascii()


def _hint_for_interface(token: str) -> str:
    if token != "interface" and token.lower() == "interface":
        return "Keywords are written in small letters: interface."
    return "A definition begins with 'interface' and a name like org.example.name."


def _hint_for_keyword(text: str, token: str, end: int) -> str:
    if token in {"struct", "enum"}:
        name = found[1] if (found := _name_behind(text, end)) else "Name"
        return f"Structs and enums are declared with 'type': type {name} (...)."
    if token == "interface":
        return "A text defines one interface only."
    if token.lower() in _KEYWORDS:
        return f"Keywords are written in small letters: {token.lower()}."
    if token == ")":
        return "There is one ')' too many."
    return ""


def _hint_for_name(token: str, name: str) -> str:
    if _is_foreign(token):
        return "Names have the letters a to z and digits only, of ASCII."
    return f"Call it {name}." if name and name != token and token not in _KEYWORDS else ""


def _hint_for_part(token: str) -> str:
    if token == ",":
        return "Remove this comma."
    if not token or token in _KEYWORDS:
        return "A ')' is missing."
    name = re.sub(r"[^A-Za-z0-9]+", "_", token).strip("_") if len(token) <= _SHOWN else ""
    return _hint_for_name(token, name if name[:1].isalpha() else "")


def _hint_for_separator(token: str) -> str:
    if token in {"[]", "["}:
        return _ARRAY
    if token == "?":
        return "A nullable type is written ?T: the question mark stands before the type."
    if token == "=":
        return "Fields have no default values; one that may be left out is nullable, ?T."
    if token == ":":
        return "Either all parts have a type and are fields, or none has one and they are values of an enum."
    if not token or token == "->" or token in _KEYWORDS:
        return "A ')' is missing."
    if token[0].isalnum():
        return "A comma is missing before it."
    return ""


def _hint_for_arrow(token: str) -> str:
    if token == "(":
        return "Write '->' between the parameters and the result."
    if token in {"=", "-", ":", ">"}:
        return "The arrow is written '->'."
    if token == ")":
        return "There is one ')' too many."
    return "A method that returns nothing ends with '-> ()'."


def _hint_for_type(text: str, token: str, start: int) -> str:
    if meant := primitive_meant(token):
        return f"Did you mean {meant}?"
    if token in _KEYWORDS:
        return f"'{token}' is a keyword, not a type."
    if token in {"list", "array", "set", "tuple"}:
        return "An array is written []T, a set of strings [string]()."
    if token == "[":
        return "An array is written []T, a map [string]T, without blanks."
    if text.endswith("[string]", 0, start):
        return "[string] begins a map: an array of strings is written []string, a map [string]T."
    if "." in token:
        return "Types of other interfaces cannot be used: declare the type in this one."
    if token[:1].isalpha():
        return f"It is none of {', '.join(sorted(_PRIMITIVES))}, and what is declared begins with a capital."
    return ""


def _hint_for_struct(token: str, which: str) -> str:
    if token in {":", "="}:
        return "Nothing stands between the name and '(': remove it."
    if token == "->" or not token or token in _KEYWORDS:
        if which == "declared type":
            return "Behind the name stand the fields of a struct or the values of an enum, in parentheses."
        return "Without parameters it is written with an empty pair of parentheses, ()."
    if token in {"[]", "[string]", "?", "["} or token[0].isalpha():
        if which == "declared type":
            return "Only structs and enums can be declared: write the type itself where it is used."
        return "Parameters and results have names, in parentheses: (name: type)."
    return ""
