"""What other implementations of Varlink make of definitions that the specification allows.

systemd and python-varlink were asked themselves (systemd 262, varlink 31); what is said of the others was
read in their sources. A peer is named when one of its versions is known to do it: newer ones of zlink, for
one, read more than this.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import NamedTuple

__all__ = ["DISPUTES", "Dispute", "Peer"]


class Peer(enum.Enum):
    """Another implementation that reads definitions."""

    SYSTEMD = "systemd"
    GO = "Go"
    RUST = "Rust"
    PYTHON_VARLINK = "python-varlink"
    LIBVARLINK = "libvarlink"
    ZLINK = "zlink"


class Dispute(NamedTuple):
    """A form that the specification allows and some peers do not take, ``what`` in words.

    ``peers`` are those that never take it; it may depend on the place whether others do. ``hint`` is how to
    write it so that all take it. ``misread`` says that they accept the text, and take it for another one.
    """

    peers: frozenset[Peer]
    what: str
    hint: str
    misread: bool = False

    def message(self, peers: Collection[Peer]) -> str:
        """The sentence that says who does what."""
        names = [peer.value for peer in Peer if peer in peers]
        who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        verb = "misread" if self.misread else "refuse"
        return f"{who} {verb}{'s' if len(names) == 1 else ''} {self.what}."


SYSTEMD, GO, RUST, PYTHON, LIB, ZLINK = Peer
_ALL_BUT_RUST = frozenset(Peer) - {RUST}

_LINE_FEEDS = "End lines with a line feed (LF)."
_ASCII = "Use spaces, tabs and line feeds only."
_NOTHING_INSIDE = "Write () with nothing in it."
_COMMENT_ABOVE = "Write the comment on a line above."
_OTHER_NAME = "Choose a name of small letters, with single dots between them."
_NO_EMPTY = "Use object, or a struct that has a field."

# By what the linter calls them.
DISPUTES = {
    # Lines and white space
    "one line": Dispute(
        frozenset({RUST}),
        "a declaration that does not begin on a line of its own",
        "Begin a new line before it.",
    ),
    "remark": Dispute(
        frozenset({RUST}),
        "a comment, with blanks before it, behind the interface's name or a member that is not the last",
        _COMMENT_ABOVE,
    ),
    "last comment": Dispute(
        frozenset({RUST}),
        "a comment at the end of the text without a line end",
        "End the text with a line feed.",
    ),
    "cr lf": Dispute(frozenset({PYTHON, LIB}), "lines that end in CR LF", _LINE_FEEDS),
    "cr": Dispute(frozenset({PYTHON, LIB}), "lines that end in CR", _LINE_FEEDS),
    "cr after comment": Dispute(
        frozenset({GO, PYTHON, LIB, ZLINK}),
        "a comment whose line ends in CR: it goes on for them up to the next line feed",
        _LINE_FEEDS,
        misread=True,
    ),
    "beyond ascii": Dispute(_ALL_BUT_RUST, "white space and line ends beyond ASCII", _ASCII),
    "beyond ascii after comment": Dispute(
        _ALL_BUT_RUST,
        "a comment that ends in U+2028 or U+2029: it goes on for them up to the next line feed",
        _ASCII,
        misread=True,
    ),
    "bare comment": Dispute(
        frozenset({GO}),
        "a '#' without a comment: it takes the next line for the comment",
        "Write something behind the '#', or remove it.",
        misread=True,
    ),
    # Within a declaration
    "blank before comma": Dispute(
        frozenset({RUST}), "white space before a comma", "Write the comma directly behind the field or value."
    ),
    "comment before comma": Dispute(
        frozenset({SYSTEMD, RUST}),
        "a comment before a comma",
        "Write the comma directly behind the field or value, and the comment behind the comma.",
    ),
    "comment before parenthesis": Dispute(
        frozenset({SYSTEMD}),
        "a comment before a closing parenthesis",
        "Write it above the last field or value.",
    ),
    "blank in empty": Dispute(
        frozenset({GO}), "white space in a pair of parentheses that is otherwise empty", _NOTHING_INSIDE
    ),
    "comment in empty": Dispute(
        frozenset({GO}), "a comment in a pair of parentheses that is otherwise empty", _NOTHING_INSIDE
    ),
    "comment after keyword": Dispute(
        frozenset({SYSTEMD, ZLINK}), "a comment between a keyword and the name", _COMMENT_ABOVE
    ),
    "comment inside": Dispute(
        frozenset({SYSTEMD}), "a comment before or behind a colon or an arrow, or before '('", _COMMENT_ABOVE
    ),
    "comment with sign": Dispute(
        frozenset({ZLINK}),
        "':' or ')' in the comments of a type without a name, as it tells structs from enums by these signs",
        "Declare the type with a name, or reword the comment.",
        misread=True,
    ),
    # Types
    "empty type": Dispute(
        frozenset({SYSTEMD}), "a declared type without fields", "Give it a nullable field."
    ),
    "empty field": Dispute(frozenset({SYSTEMD}), "() as the type of a field", _NO_EMPTY),
    "empty enum": Dispute(
        frozenset({ZLINK}), "() as the type of a field: it takes it for an enum", _NO_EMPTY, misread=True
    ),
    "nested": Dispute(
        frozenset({SYSTEMD}),
        "an array or a map of something nullable, of arrays or of maps",
        "Declare a struct that holds the inner type, and use its name.",
    ),
    "any": Dispute(
        frozenset({GO, RUST, PYTHON, LIB, ZLINK}), "'any'", "Use object where the value is always an object."
    ),
    "one value": Dispute(frozenset({PYTHON}), "an enum of one value", "Add a second value, or use string."),
    # Names
    "no method": Dispute(frozenset({GO}), "an interface without a method", "Declare a method."),
    "capital": Dispute(
        frozenset({GO}), "a field or value whose name begins with a capital", "Begin it with a small letter."
    ),
    "first label": Dispute(
        frozenset(), "digits and hyphens before the first dot of an interface name", _OTHER_NAME
    ),
    "capital in label": Dispute(
        frozenset({RUST}),
        "a capital before the first dot of an interface name that is not its first letter",
        _OTHER_NAME,
    ),
    "capital in xn": Dispute(
        frozenset({GO}), "a capital in an interface name that begins with 'xn--'", _OTHER_NAME
    ),
    "hyphens": Dispute(frozenset({SYSTEMD}), "two hyphens side by side in an interface name", _OTHER_NAME),
    "long name": Dispute(
        frozenset({GO, LIB}), "an interface name of more than 255 characters", "Choose a shorter name."
    ),
}
