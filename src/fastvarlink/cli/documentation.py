"""The documentation of an interface and of its members, as a page to read."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from fastvarlink.cli.output import coloured, columns, legible
from fastvarlink.idl import tree
from fastvarlink.idl.printer import type_in_line

__all__ = ["interface_page", "member_page"]

_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[34m", "\x1b[0m"
_NARROWEST = 20
_NAME_COLUMN = 28
_LIST_ITEM = re.compile(r"[-*•]\s|\d+[.)]\s")


def interface_page(interface: tree.Interface, footer: str) -> str:
    """All that is declared, with the first sentence on each."""
    page = _Page()
    page.title(f"interface {interface.name}", interface.doc)
    for heading, kind in (("Methods", tree.Method), ("Types", tree.TypeDeclaration), ("Errors", tree.Error)):
        page.table(heading, [member for member in interface.members if isinstance(member, kind)])
    page.line("")
    page.line(footer)
    return page.done()


def member_page(interface: tree.Interface, member: tree.Member, example: str = "") -> str:
    """A method, type or error, with the types that it leads to. ``example`` is a command that calls it."""
    page = _Page()
    kind = {tree.Method: "method", tree.Error: "error"}.get(type(member), "type")
    page.title(f"{kind} {interface.name}.{member.name}", member.doc or member.remark)
    if isinstance(member, tree.Method):
        page.fields("Parameters", member.input)
        page.fields("Results", member.output)
        used = _reached(interface, (member.input, member.output), ())
    else:
        page.fields("Values" if isinstance(member.type, tree.Enum) else "Fields", member.type)
        used = _reached(interface, (member.type,), (member.name,))
    page.types(used)
    if isinstance(member, tree.Method):
        page.errors([each for each in interface.members if isinstance(each, tree.Error)])
    if example:
        page.heading("Example")
        page.line(f"  {example}")
    return page.done()


def _reached(
    interface: tree.Interface, types: Iterable[tree.Type], known: Iterable[str]
) -> list[tree.TypeDeclaration]:
    """The declared types that these lead to, each once, in the order in which they are come upon."""
    declared = {
        member.name: member for member in interface.members if isinstance(member, tree.TypeDeclaration)
    }
    found: list[tree.TypeDeclaration] = []
    seen = set(known)
    # The one that comes next is the last in the list.
    ahead = list(types)[::-1]
    while ahead:
        of = ahead.pop()
        if isinstance(of, tree.Named) and of.name not in seen:
            seen.add(of.name)
            found.append(declared[of.name])
            ahead.append(declared[of.name].type)
        elif isinstance(of, tree.Nullable | tree.Array | tree.Map):
            ahead.append(of.element)
        elif isinstance(of, tree.Struct):
            ahead += [field.type for field in of.fields[::-1]]
    return found


class _Page:
    """Lines as wide as the terminal, with bold and coloured words where these can be seen."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._width = columns()
        self._coloured = coloured()

    def done(self) -> str:
        return "\n".join(self._lines)

    def line(self, line: str) -> None:
        self._lines.append(line)

    def title(self, title: str, doc: str) -> None:
        self.line(self._styled(_BOLD, title))
        if doc:
            self.line("")
            self.text(doc, 2)

    def heading(self, heading: str) -> None:
        self.line("")
        self.line(self._styled(_BOLD, f"{heading}:"))

    def text(self, text: str, indent: int) -> None:
        """A text of a service, its paragraphs wrapped."""
        for line in _wrapped(legible(text), max(self._width - indent, _NARROWEST)):
            self.line(f"{' ' * indent}{line}".rstrip())

    def table(self, heading: str, members: Sequence[tree.Member]) -> None:
        """Names, and what they are in a sentence."""
        if not members:
            return
        self.heading(heading)
        column = 4 + min(_NAME_COLUMN, max(len(member.name) for member in members))
        for member in members:
            sentences = _wrapped(
                _first_sentence(legible(member.doc or member.remark)), max(self._width - column, _NARROWEST)
            )
            name = self._styled(_BLUE, member.name)
            gap = column - 2 - len(member.name)
            if gap >= 2:
                self.line(f"  {name}{' ' * gap}{next(sentences, '')}".rstrip())
            else:
                self.line(f"  {name}")
            for sentence in sentences:
                self.line(f"{' ' * column}{sentence}")

    def fields(self, heading: str, of: tree.Type) -> None:
        self.heading(heading)
        self._parts(of, 2)

    def types(self, types: Sequence[tree.TypeDeclaration]) -> None:
        """Each type with all that is in it."""
        if types:
            self.heading("Types")
        for number, declaration in enumerate(types):
            if number:
                self.line("")
            kind = "enum" if isinstance(declaration.type, tree.Enum) else "struct"
            self.line(f"  {self._styled(_BLUE, declaration.name)}: {kind}")
            self.text(declaration.doc or declaration.remark, 6)
            self._parts(declaration.type, 4)

    def errors(self, errors: Sequence[tree.Error]) -> None:
        if errors:
            self.heading("Errors")
        for error in errors:
            self.line(f"  {self._styled(_BLUE, error.name)} {type_in_line(error.type)}")
            self.text(_first_sentence(error.doc or error.remark), 6)

    def _parts(self, of: tree.Type, indent: int) -> None:
        """The fields of a struct, or the values of an enum."""
        before = " " * indent
        if isinstance(of, tree.Enum) and not _has_docs(of):
            self.text(", ".join(value.name for value in of.values), indent)
            return
        parts = of.fields if isinstance(of, tree.Struct) else of.values if isinstance(of, tree.Enum) else ()
        if not parts:
            self.line(f"{before}none")
        for part in parts:
            line = before + self._styled(_BLUE, part.name)
            inner = None
            if isinstance(part, tree.Field):
                shown, inner = _shown(part.type, self._width - indent - len(part.name) - 2)
                line += f": {shown}"
            self.line(line)
            self.text(part.doc or part.remark, indent + 4)
            if inner is not None:
                self._parts(inner, indent + 2)

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._coloured else text


def _shown(of: tree.Type, room: int) -> tuple[str, tree.Struct | tree.Enum | None]:
    """A type on one line; and the struct or enum in it, if that has to follow on lines of its own."""
    core = of
    while isinstance(core, tree.Nullable | tree.Array | tree.Map):
        core = core.element
    text = type_in_line(of)
    if not isinstance(core, tree.Struct | tree.Enum) or (len(text) <= room and not _has_docs(core)):
        return text, None
    return f"{text.removesuffix(type_in_line(core))}(...)", core


def _has_docs(of: tree.Type) -> bool:
    while isinstance(of, tree.Nullable | tree.Array | tree.Map):
        of = of.element
    if isinstance(of, tree.Enum):
        return any(value.doc or value.remark for value in of.values)
    return isinstance(of, tree.Struct) and any(
        field.doc or field.remark or _has_docs(field.type) for field in of.fields
    )


def _first_sentence(doc: str) -> str:
    paragraph = " ".join(doc.strip().split("\n\n", 1)[0].split())
    sentence, dot, _ = paragraph.partition(". ")
    return sentence + dot.rstrip()


def _wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a text: paragraphs and items of lists flow, what is indented stays as it is."""
    flowing: list[str] = []
    for line in text.expandtabs().split("\n") if text else ():
        if not line.strip() or line.startswith(" ") or _LIST_ITEM.match(line):
            yield from _flow(flowing, width)
            flowing = []
        if _LIST_ITEM.match(line) or (line.strip() and not line.startswith(" ")):
            flowing.append(line)
        else:
            yield line.rstrip()
    yield from _flow(flowing, width)


def _flow(lines: list[str], width: int) -> list[str]:
    text = " ".join(lines)
    hanging = "  " if _LIST_ITEM.match(text) else ""
    return textwrap.wrap(
        text, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
