"""Documentation as Markdown, as GitHub and CommonMark understand it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fastvarlink.cli.docs.page import Entry, Page, Piece, Row, Table

__all__ = ["to_markdown"]

# What means something within a line. Entities are understood everywhere, by template languages as well.
_ESCAPES = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_[]|~"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "$": "&#36;"}
)
# What means something at the beginning of a line: headings, lists, lines.
_opening = re.compile(r"(?P<number>\d*)(?P<sign>[-+=#.):])")


def to_markdown(page: Page) -> str:
    """The text of a page, which ends with a line feed. Texts may follow each other in one file."""
    return "\n\n".join(_blocks(page)) + "\n"


def _blocks(page: Page) -> Iterator[str]:
    yield f"# {page.name}"
    yield from _paragraphs(page.doc)
    for group in page.groups:
        yield f"## {group.title}"
        for entry in group.entries:
            yield from _entry(page, entry)


def _entry(page: Page, entry: Entry) -> Iterator[str]:
    # Headings get anchors that differ from tool to tool, and do not tell capitals from small letters.
    yield f'<a id="{_anchor(page, entry.name)}"></a>'
    yield f"### {entry.name}"
    yield from _paragraphs(entry.doc)
    for table in entry.tables:
        yield _table(page, table)
    if entry.example:
        yield f"```sh\n{entry.example}\n```"


def _anchor(page: Page, name: str) -> str:
    return f"{page.name}.{name}"


def _table(page: Page, table: Table) -> str:
    if not table.rows:
        return table.empty
    typed = any(row.type for row in table.rows)
    described = any(row.doc for row in table.rows)
    columns = [table.title, *(["Type"] if typed else []), *(["Description"] if described else [])]
    lines = [_line(columns), _line("---" for _ in columns)]
    for row in table.rows:
        cells = [f"`{row.name}`"]
        cells += [_type(page, row)] if typed else []
        cells += [_cell(row.doc)] if described else []
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _type(page: Page, row: Row) -> str:
    return "".join(_piece(page, piece) for piece in row.type)


def _piece(page: Page, piece: Piece) -> str:
    return f"[`{piece.text}`](#{_anchor(page, piece.text)})" if piece.declared else f"`{piece.text}`"


def _paragraphs(doc: str) -> Iterator[str]:
    for paragraph in _split(doc):
        yield "\n".join(_plain(line) for line in paragraph)


def _cell(doc: str) -> str:
    return "<br>".join(" ".join(_plain(line) for line in paragraph) for paragraph in _split(doc))


def _split(doc: str) -> Iterator[list[str]]:
    """The paragraphs of a text, as lines without blanks around them, which would mean something."""
    lines: list[str] = []
    for line in (*doc.split("\n"), ""):
        if stripped := line.strip():
            lines.append(stripped)
        elif lines:
            yield lines
            lines = []


def _plain(line: str) -> str:
    """A line that is shown as it is."""
    escaped = line.translate(_ESCAPES)
    if found := _opening.match(escaped):
        return f"{found['number']}\\{escaped[found.end('number') :]}"
    return escaped
