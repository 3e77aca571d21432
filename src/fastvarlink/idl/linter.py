"""Finds what other implementations of Varlink refuse, or take for something else (rule I10)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastvarlink._core import lexer
from fastvarlink.idl.faults import Fault, Source
from fastvarlink.idl.parser import parse
from fastvarlink.idl.peers import DISPUTES, Peer

__all__ = ["Finding", "lint"]

_LINE_END = "\n\r\u2028\u2029"
_COMMENT = f"#[^{_LINE_END}]*"
# A comment with its line end, or white space that some peers do not know.
_SPACE = re.compile(
    rf"(?P<comment>{_COMMENT})(?P<end>\r\n|[{_LINE_END}])?"
    "|\r\n|[\r\u2028\u2029\u00a0\ufeff\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]"
)
_FIRST_BREAK = re.compile(f"[^{_LINE_END}#]*[{_LINE_END}]|#")
_FIRST_LABELS = {
    Peer.GO: re.compile("[A-Za-z]+|xn--[A-Za-z0-9]+").fullmatch,
    Peer.PYTHON_VARLINK: re.compile("[A-Za-z]+|xn--[a-z0-9]*").fullmatch,
}
_BEFORE_A_TYPE = {":", "?", "[]", "[string]"}


@dataclass(frozen=True, slots=True)
class Finding(Fault):
    """One place of a text that ``peers`` refuse or misread, though the specification allows it.

    ``message`` says who does what, ``hint`` how to write it so that all take it. ``rule`` is a short name for
    what was found, as in ``one-line``.
    """

    peers: frozenset[Peer] = frozenset()
    rule: str = ""


def lint(text: str | bytes, filename: str | None = None) -> list[Finding]:
    """What other implementations refuse or misread in a definition, in the order of the text.

    ``text`` and ``filename`` are as for parse(). White space that peers do not know is found at its first
    place only. Raises IdlSyntaxError if the specification does not allow the text either.
    """
    parse(text, filename)
    return _Linter(text.decode() if isinstance(text, bytes) else text).findings()


class _Linter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[tuple[int, str, frozenset[Peer]]] = []
        self._tokens = lexer.tokens(text)

    def findings(self) -> list[Finding]:
        self._spaces()
        self._bare_comments()
        self._declarations()
        source = Source(self._text)
        findings = []
        for at, which, peers in sorted(self._found, key=lambda found: found[0]):
            dispute = DISPUTES[which]
            line, column, shown = source.place(at)
            rule = which.replace(" ", "-")
            findings.append(Finding(line, column, dispute.message(peers), dispute.hint, shown, peers, rule))
        return findings

    def _add(self, at: int, which: str, *more: Peer) -> None:
        self._found.append((at, which, DISPUTES[which].peers.union(more)))

    # ---- white space and comments, wherever they stand

    def _spaces(self) -> None:
        seen: set[str] = set()
        for match in _SPACE.finditer(self._text):
            commented = match["comment"] is not None
            space = match["end"] if commented else match.group()
            # The CR of a CR LF behind a comment is part of the comment for those who do not know it.
            if space is None or space == "\n" or (commented and space == "\r\n"):
                continue
            which = {"\r\n": "cr lf", "\r": "cr"}.get(space, "beyond ascii")
            if commented:
                which += " after comment"
            if which not in seen:
                seen.add(which)
                self._add(match.start("end") if commented else match.start(), which)

    def _bare_comments(self) -> None:
        text = self._text
        read = 0  # how far Go is: comments before are part of a line that it skipped
        for match in re.finditer(_COMMENT, text):
            if match.start() < read or match.group() != "#" or not text.startswith("\n", match.end()):
                continue
            end = text.find("\n", match.end() + 1)
            read = len(text) if end < 0 else end
            if text[match.end() + 1 : read].lstrip(" \t")[:1] not in {"", "#"}:
                self._add(match.start(), "bare comment")

    # ---- from token to token

    def _declarations(self) -> None:
        tokens = self._tokens
        depth = 0
        keyword = ""  # of the declaration that is being read
        methods = False
        for index, (kind, start, end, gap) in enumerate(tokens):
            before = tokens[index - 1][0] if index else ""
            last = tokens[index - 1][2] if index else 0
            after = tokens[index + 1][0] if index + 1 < len(tokens) else "end"
            begins = depth == 0 and kind == "word" and (index in {0, 2} or before == ")")
            comment = self._comment(last, start) if gap is not None else -1
            if begins:
                keyword = self._text[start:end]
                methods |= keyword == "method"
            if index and (begins or kind == "end"):
                self._between_members(last, start, comment, kind == "end")
            elif comment >= 0 and index:
                self._comment_inside(comment, before, kind, depth, keyword)
            elif last < start:
                if kind == ",":
                    self._add(start, "blank before comma")
                elif kind == ")" and before == "(":
                    self._add(last, "blank in empty")
            if index == 1:
                self._name(start, self._text[start:end])
            if kind == "(":
                self._body(index, depth == 0, keyword)
                depth += 1
            elif kind == ")":
                depth -= 1
            elif kind == "word" and before in {"(", ","} and self._text[start].isupper():
                self._add(start, "capital")
            elif kind == "word" and before in _BEFORE_A_TYPE and self._text[start:end] == "any":
                self._add(start, "any")
            elif kind in {"[]", "[string]"} and after in _BEFORE_A_TYPE:
                self._add(start, "nested")
        if not methods:
            self._add(tokens[1][1], "no method")

    def _comment(self, start: int, end: int) -> int:
        """Where the first comment between two tokens begins, -1 if there is none."""
        return self._text.find("#", start, end)

    def _between_members(self, last: int, start: int, comment: int, at_end: bool) -> None:
        """The gap behind the interface's name or a member, up to the next member or the end."""
        if at_end:
            last_line = 1 + max(map(self._text.rfind, _LINE_END))
            if (comment := self._comment(max(last, last_line), start)) >= 0:
                self._add(comment, "last comment")
        elif not _FIRST_BREAK.match(self._text, last, start):
            on_line = comment >= 0
            self._add(comment if on_line else start, "remark" if on_line else "one line")

    def _comment_inside(self, comment: int, before: str, kind: str, depth: int, keyword: str) -> None:
        """A comment between two tokens of a declaration, the second of this kind."""
        # zlink reads parameters and declared types by other functions than types that have no name.
        outermost = (Peer.ZLINK,) if depth == 1 else ()
        if kind == ",":
            self._add(comment, "comment before comma", *outermost)
        elif kind == ")":
            self._add(
                comment, "comment in empty" if before == "(" else "comment before parenthesis", *outermost
            )
        elif kind == "word" and before == "word":
            self._add(comment, "comment after keyword")
        elif before not in {"(", ","}:
            at_colon = depth == 1 and keyword == "type" and ":" in {kind, before}
            self._add(comment, "comment inside", *(outermost if at_colon else ()))

    # ---- structs, enums and names

    def _body(self, index: int, outermost: bool, keyword: str) -> None:
        """A struct or an enum, from its parenthesis on."""
        tokens = self._tokens
        start = tokens[index][1]
        first, second = tokens[index + 1][0], tokens[index + 2][0]
        if first == ")":
            if not outermost:
                self._add(start, "empty field")
            elif keyword == "type":
                self._add(start, "empty type")
        elif second == ")":
            self._add(tokens[index + 1][1], "one value")
        if outermost:
            return
        # zlink takes for a struct what has a colon before the first closing parenthesis, comments included.
        colon = ":" in self._text[start : self._text.index(")", start)]
        if first == ")":
            if not colon:
                self._add(start, "empty enum")
        elif colon != (second == ":"):
            self._add(start, "comment with sign")

    def _name(self, at: int, name: str) -> None:
        """The interface's name."""
        label = name[: name.index(".")]
        refusing = [peer for peer, accepts in _FIRST_LABELS.items() if not accepts(label)]
        if refusing:
            self._add(at, "first label", *refusing)
        if label[1:] != label[1:].lower():
            self._add(at, "capital in label")
        if label.startswith("xn--") and name != name.lower():
            self._add(at, "capital in xn")
        if "--" in name:
            self._add(at, "hyphens", *([Peer.GO] if "--" in name.removeprefix("xn--") else []))
        if len(name) > 255:
            self._add(at, "long name")
