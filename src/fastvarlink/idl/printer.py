"""Prints syntax trees: one way for each tree, whatever its text looked like.

A struct or an enum without comments stands on one line where that fits, as does a whole method; otherwise
each field has a line of its own, two blanks further in. Members stand apart by an empty line. Printing what
was printed changes nothing, and reading it gives the same tree.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastvarlink.idl import tree
from fastvarlink.idl.checks import problems, problems_of_names

__all__ = ["method_in_line", "to_text", "type_in_line", "type_to_text"]

_WIDTH = 80
_INDENT = "  "


def to_text(interface: tree.Interface) -> str:
    """The text of an interface, ending with a line feed.

    ValueError if no text can say what the tree says: a name that is no name, a type that is not declared.
    """
    # What the pieces are comes first: names can only be compared in a tree that is one.
    if wrong := problems_of_names(interface) or problems(interface):
        sentences = " ".join(problem.message for problem in wrong)
        raise ValueError(f"The tree of {interface.name!r} cannot be printed. {sentences}")
    parts = ["".join(_head(interface, "")), f"interface {interface.name}", _remark(interface), "\n"]
    for member in interface.members:
        parts += ["\n", *_head(member, ""), _member(member), _remark(member), "\n"]
    if interface.closing:
        parts += ["\n", *_blocks(interface.closing, "")]
        # The last block has no empty line behind it: it is the end of the text.
        parts.pop()
    return "".join(parts)


def type_to_text(of: tree.Type) -> str:
    """The text of a type, on one line where it has no comments. The type must be one that can be printed."""
    return type_in_line(of) if _is_plain(of) else _spread(of, "")


def type_in_line(of: tree.Type) -> str:
    """The text of a type on one line, whatever its length, without its comments."""
    match of:
        case tree.Primitive():
            return of.value
        case tree.Named(name):
            return name
        case tree.Array(element):
            return "[]" + type_in_line(element)
        case tree.Map(element):
            return "[string]" + type_in_line(element)
        case tree.Nullable(element):
            return "?" + type_in_line(element)
        case tree.Struct(fields):
            return f"({', '.join(f'{field.name}: {type_in_line(field.type)}' for field in fields)})"
        case tree.Enum(values):
            return f"({', '.join(value.name for value in values)})"


def method_in_line(method: tree.Method) -> str:
    """A method's name with what it takes and returns, likewise."""
    return f"{method.name}{type_in_line(method.input)} -> {type_in_line(method.output)}"


def _member(member: tree.Member) -> str:
    if isinstance(member, tree.Method):
        head = f"method {member.name}"
        if _is_plain(member.input) and _is_plain(member.output):
            line = f"{head}{type_in_line(member.input)} -> {type_in_line(member.output)}"
            if len(line) <= _WIDTH:
                return line
        received = _body(member.input, head, " -> ()")
        # What stands before the result on its line: the last line of the parameters.
        before = received.rsplit("\n", 1)[-1] if "\n" in received else head + received
        return f"{head}{received} -> {_body(member.output, before + ' -> ', '')}"
    keyword = "error" if isinstance(member, tree.Error) else "type"
    head = f"{keyword} {member.name} "
    return head + _body(member.type, head, "")


def _body(of: tree.Type, before: str, behind: str) -> str:
    """A struct or an enum: on the line that begins with ``before`` if it fits there with ``behind``."""
    if _is_plain(of):
        line = type_in_line(of)
        if len(before) + len(line) + len(behind) <= _WIDTH or line == "()":
            return line
    return _spread(of, "")


def _is_plain(of: tree.Type) -> bool:
    """Whether there are no comments in a type, so that one line can hold it."""
    while isinstance(of, tree.Array | tree.Map | tree.Nullable):
        of = of.element
    if isinstance(of, tree.Struct):
        return not of.closing and all(_is_bare(field) and _is_plain(field.type) for field in of.fields)
    if isinstance(of, tree.Enum):
        return not of.closing and all(map(_is_bare, of.values))
    return True


def _is_bare(part: tree.Field | tree.EnumValue) -> bool:
    return not (part.doc or part.comments or part.remark)


def _spread(of: tree.Type, indent: str) -> str:
    """A type over several lines; the first is begun, and the ones that follow stand at ``indent``."""
    match of:
        case tree.Array(element):
            return "[]" + _spread(element, indent)
        case tree.Map(element):
            return "[string]" + _spread(element, indent)
        case tree.Nullable(element):
            return "?" + _spread(element, indent)
        case tree.Struct(parts, closing) | tree.Enum(parts, closing):
            return f"({''.join(_lines(parts, closing, indent + _INDENT))}\n{indent})"
        case _:
            return type_in_line(of)


def _lines(
    parts: tuple[tree.Field | tree.EnumValue, ...], closing: tuple[str, ...], indent: str
) -> Iterator[str]:
    last = len(parts) - 1
    for index, part in enumerate(parts):
        comma = "," if index < last else ""
        yield "\n"
        yield from _head(part, indent)
        yield indent + part.name
        if isinstance(part, tree.Field):
            line = type_in_line(part.type) if _is_plain(part.type) else ""
            fits = line and len(indent) + len(part.name) + 2 + len(line) + len(comma) <= _WIDTH
            yield f": {line if fits else _spread(part.type, indent)}"
        yield comma + _remark(part)
    if closing:
        yield "\n"
        yield "".join(_blocks(closing, indent))[: -len("\n\n")]


def _head(node: tree.Interface | tree.Member | tree.Field | tree.EnumValue, indent: str) -> Iterator[str]:
    yield from _blocks(node.comments, indent)
    if node.doc:
        yield _comment(node.doc, indent)


def _blocks(blocks: tuple[str, ...], indent: str) -> Iterator[str]:
    """Blocks of comments, an empty line behind each."""
    for block in blocks:
        yield _comment(block, indent)
        yield "\n"


def _comment(text: str, indent: str) -> str:
    return "".join(f"{indent}# {line}\n" if line else f"{indent}#\n" for line in text.split("\n"))


def _remark(node: tree.Interface | tree.Member | tree.Field | tree.EnumValue) -> str:
    return f" # {node.remark}" if node.remark else ""
