"""Documentation as a page of HTML that needs nothing else: no script, no font, no other file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from fastvarlink.cli.docs.page import Entry, Group, Page, Piece, Table

__all__ = ["to_html"]

_STYLE = """\
:root { color-scheme: light dark; --text: #1d1d1f; --dim: #5f6368; --line: #d9dbdf; --code: #f3f4f6;
  --link: #0b57d0; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e8; --dim: #a0a4ab; --line: #3a3d42; --code: #26282c; --link: #8ab4f8;
    --page: #18191b; }
}
body { margin: 0 auto; max-width: 56rem; padding: 1rem 1.25rem 4rem; color: var(--text);
  background: var(--page); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { margin: 2rem 0 .5rem; }
h3 a { color: inherit; }
:target { scroll-margin-top: 1rem; }
p { margin: .5rem 0; white-space: pre-line; }
nav ul { list-style: none; margin: .25rem 0; padding: 0; }
nav li { display: inline-block; margin-right: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--code); border-radius: .4rem; padding: .6rem .8rem; white-space: pre-wrap; }
table { border-collapse: collapse; margin: .75rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left;
  vertical-align: top; }
th { color: var(--dim); font-weight: 600; }
td p { margin: 0 0 .25rem; }
.none { color: var(--dim); }
"""


def to_html(page: Page) -> str:
    """The text of a page, with an anchor for each member, which is its name."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    name = escape(page.name)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    # Whatever the texts contain: nothing is run, and nothing is fetched.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>{name}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>"
    yield f"<header>\n<h1>{name}</h1>"
    yield from _paragraphs(page.doc)
    yield "</header>\n<nav>"
    for group in page.groups:
        links = "".join(f'<li><a href="#{e.name}">{e.name}</a></li>' for e in group.entries)
        yield f'<a href="#{group.anchor}">{group.title}</a>\n<ul>{links}</ul>'
    yield "</nav>\n<main>"
    for group in page.groups:
        yield from _group(group)
    yield "</main>\n</body>\n</html>"


def _group(group: Group) -> Iterator[str]:
    yield f'<section id="{group.anchor}">\n<h2>{group.title}</h2>'
    for entry in group.entries:
        yield from _entry(entry)
    yield "</section>"


def _entry(entry: Entry) -> Iterator[str]:
    name = escape(entry.name)
    yield f'<article id="{name}">\n<h3><a href="#{name}">{name}</a></h3>'
    yield from _paragraphs(entry.doc)
    for table in entry.tables:
        yield from _table(table)
    if entry.example:
        yield f"<pre><code>{escape(entry.example)}</code></pre>"
    yield "</article>"


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        yield f'<p class="none">{escape(table.empty)}</p>'
        return
    typed = any(row.type for row in table.rows)
    described = any(row.doc for row in table.rows)
    columns = [table.title, *(["Type"] if typed else []), *(["Description"] if described else [])]
    heads = "".join(f"<th>{column}</th>" for column in columns)
    yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>"
    for row in table.rows:
        cells = [f"<code>{escape(row.name)}</code>"]
        cells += [f"<code>{''.join(map(_piece, row.type))}</code>"] if typed else []
        cells += ["".join(_paragraphs(row.doc))] if described else []
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody>\n</table>"


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    return f'<a href="#{text}">{text}</a>' if piece.declared else text


def _paragraphs(doc: str) -> Iterator[str]:
    for paragraph in re.split(r"\n(?:[ ]*\n)+", doc):
        if paragraph:
            yield f"<p>{escape(paragraph)}</p>"
