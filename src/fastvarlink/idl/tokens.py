"""Cuts the text of an interface definition into tokens.

One regular expression does the work: each of its matches is white space and comments, the
documentation that belongs to the next token, that token, and a comment behind it on its line.
Positions are not kept. Only an error needs one, and then the text is scanned again up to it.
"""

from __future__ import annotations

import re
from itertools import islice

__all__ = ["documentation", "locate", "method_signatures", "source_line", "tokenize"]

_BLANK = r" \t\u00a0\ufeff\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_BREAK = r"\n\r\u2028\u2029"
# A lone CR counts only where no LF follows, so that backtracking never makes two lines of a CRLF.
_LINE_END = r"(?:\r\n|\r(?!\n)|[\n\u2028\u2029])"

# Comment lines without a blank line between them. Possessive, so that long comments take no memory.
_COMMENTS = rf"(?:\#[^{_BREAK}]*+(?:{_LINE_END}|\Z)[{_BLANK}]*+)++"

_TOKEN = re.compile(
    rf"""
    [{_BLANK}{_BREAK}]*+
    (?: {_COMMENTS} (?= [{_BREAK}] | \Z )    # a blank line follows: nobody's documentation
        [{_BLANK}{_BREAK}]*+
    )*
    ( {_COMMENTS} )?
    ( [A-Za-z0-9_]++ (?: [A-Za-z0-9_.] | -(?!>) )*+  # wider than names, for errors to quote all
    | [:,()?]
    | ->
    | \[ (?: string )? \]
    | \Z
    | .                                      # what the grammar does not know, for the error message
    )
    (?: [{_BLANK}]*+ \#[^{_BREAK}]*+ )?      # behind a token on its line: documents nothing
    """,
    re.VERBOSE | re.DOTALL,
)

_COMMENT = re.compile(rf"\#[{_BLANK}]?([^{_BREAK}]*)")
_BREAKS = re.compile(_LINE_END)


def tokenize(text: str) -> tuple[list[str], list[str]]:
    """The tokens of ``text``, and for each of them the comments directly above it, or ``""``.

    The last token is ``""``, for the end of the text.
    """
    pairs = _TOKEN.findall(text)
    return [token for _, token in pairs], [comments for comments, _ in pairs]


def documentation(comments: str) -> str:
    """The text of comment lines: without ``#`` and one blank after it, joined by line feeds."""
    return "\n".join(_COMMENT.findall(comments))


def locate(text: str, index: int) -> int:
    """Where in ``text`` the token stands that has this index in ``tokenize(text)``."""
    return next(islice(_TOKEN.finditer(text), index, None)).start(2)


def method_signatures(text: str) -> dict[str, str]:
    """The text of each method from its name to its last parenthesis. ``text`` must be well formed.

    Parentheses are counted: after the keyword, a method ends when they have closed twice.
    """
    signatures: dict[str, str] = {}
    depth = left = start = 0
    name = ""
    for match in _TOKEN.finditer(text):
        token = match.group(2)
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            if depth == 0 and left:
                left -= 1
                if not left:
                    signatures[name] = text[start : match.end(2)]
        elif depth == 0 and token == "method":
            left, name = 2, ""
        elif depth == 0 and left and not name:
            name, start = token, match.start(2)
    return signatures


def source_line(text: str, position: int) -> tuple[int, int, str]:
    """Line and column of a position, both counted from one, and that line without its end."""
    number, start = 1, 0
    for end in _BREAKS.finditer(text):
        if end.start() >= position:
            return number, position - start + 1, text[start : end.start()]
        number += 1
        start = end.end()
    return number, position - start + 1, text[start:]
