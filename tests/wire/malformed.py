"""Frames that are no message at all, for the server's side and the client's alike."""

from __future__ import annotations

#: JSON texts that must not be taken for a value, by name. None holds a NUL.
BAD_VALUES: dict[str, bytes] = {
    "bad utf-8 byte": b'"\xff"',
    "overlong utf-8": b'"\xc0\xaf"',
    "utf-8 surrogate": b'"\xed\xa0\x80"',
    "utf-8 cut short": b'"\xe2\x82"',
    "utf-8 past the last code point": b'"\xf5\x80\x80\x80"',
    "lone high surrogate": rb'"\ud800"',
    "lone low surrogate": rb'"\udc00"',
    "surrogates in the wrong order": rb'"\udc00\ud800"',
    "raw control character": b'"\x01"',
    "raw line feed in a string": b'"a\nb"',
    "raw tab in a string": b'"a\tb"',
    "unknown escape": rb'"\x41"',
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "comment": b'/* text */ "text"',
    "comment to the end of the line": b'"text" // text\n',
    "trailing comma in an array": b"[1,]",
    "trailing comma in an object": b'{"a":1,}',
    "leading zero": b"01",
    "plus sign": b"+1",
    "hexadecimal": b"0x10",
    "single quotes": b"'text'",
    "name without quotes": b"{a:1}",
    "name that is no string": b"{1:1}",
    "nothing": b"",
}

#: Frames around a good message that are not that message, to be filled in by ``%s``.
BAD_SURROUNDINGS: dict[str, bytes] = {
    "two objects": b"%s{}",
    "twice the message": b"%s %s",
    "a brace after it": b"%s}",
    "a word after it": b"%s null",
    "a comma after it": b"%s,",
    "a comma before it": b",%s",
    "a byte order mark": b"\xef\xbb\xbf%s",
    "a byte order mark in utf-16": b"\xff\xfe%s",
    "a vertical tab, which is no white space": b"\x0b%s",
    "a form feed after it": b"%s\x0c",
    "a no-break space": b"%s\xc2\xa0",
    "in an array": b"[%s]",
}

#: Frames with nothing in them.
EMPTY: dict[str, bytes] = {
    "empty": b"",
    "space": b" ",
    "white space": b" \t\r\n",
}


def surrounded(pattern: bytes, message: bytes) -> bytes:
    """The message in one of BAD_SURROUNDINGS."""
    return pattern.replace(b"%s", message)
