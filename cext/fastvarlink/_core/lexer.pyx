# cython: language_level=3str
"""The tokens of an interface definition, with the comments that stand between them."""

cimport cython
from cpython.unicode cimport PyUnicode_Substring

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    const void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, const void *data, Py_ssize_t index) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef dict NAMES = {
    WORD: "word", COLON: ":", COMMA: ",", OPEN: "(", CLOSE: ")", QUESTION: "?",
    ARRAY: "[]", MAP: "[string]", ARROW: "->", OTHER: "other",
}


cdef inline bint is_blank(Py_UCS4 c) noexcept:
    """White space that ends no line, as the grammar lists it."""
    if c == 0x20 or c == 0x09:
        return True
    if c < 0xA0:
        return False
    return (
        c == 0xA0 or c == 0xFEFF or c == 0x1680 or c == 0x180E or 0x2000 <= c <= 0x200A
        or c == 0x202F or c == 0x205F or c == 0x3000
    )


cdef inline bint is_break(Py_UCS4 c) noexcept:
    return c == 0x0A or c == 0x0D or c == 0x2028 or c == 0x2029


cdef inline bint is_digit(Py_UCS4 c) noexcept:
    return 0x30 <= c <= 0x39


@cython.final
cdef class Lexer:
    """The tokens of a text, one by one; END again and again behind the last."""

    def __init__(self, str text not None):
        self.text = text
        self.data = PyUnicode_DATA(text)
        self.width = PyUnicode_KIND(text)
        self.size = PyUnicode_GET_LENGTH(text)
        self.blocks = []
        self.remark = self.doc = ""

    cdef int advance(self) except -1:
        cdef Py_ssize_t at
        cdef Py_UCS4 c
        self.before = self.start = self.end
        self.skip_gap()
        at = self.start
        self.is_member = self.is_field = False
        if at == self.size:
            self.token = END
            self.end = at
            return 0
        c = PyUnicode_READ(self.width, self.data, at)
        if is_letter(c) or is_digit(c) or c == u"_" or c > 0x7F:
            return self.take_word(at)
        self.end = at + 1
        if c == u":":
            self.token = COLON
        elif c == u",":
            self.token = COMMA
        elif c == u"(":
            self.token = OPEN
        elif c == u")":
            self.token = CLOSE
        elif c == u"?":
            self.token = QUESTION
        elif c == u"[" and self.match(at, "[]", 2):
            self.token = ARRAY
            self.end = at + 2
        elif c == u"[" and self.match(at, "[string]", 8):
            self.token = MAP
            self.end = at + 8
        elif c == u"-" and self.match(at, "->", 2):
            self.token = ARROW
            self.end = at + 2
        else:
            self.token = OTHER
        return 0

    cdef int take_word(self, Py_ssize_t at) except -1:
        cdef Py_UCS4 c = PyUnicode_READ(self.width, self.data, at)
        cdef bint plain = True  # letters and digits only
        cdef bint single = True  # no underscore but between two letters or digits
        cdef Py_UCS4 before = c
        cdef Py_UCS4 first = c
        at += 1
        while at < self.size:
            c = PyUnicode_READ(self.width, self.data, at)
            if is_letter(c) or is_digit(c):
                pass
            elif c == u"_":
                plain = False
                if before == u"_":
                    single = False
            elif (
                c == u"."
                or (c == u"-" and not self.match(at, "->", 2))
                or (c > 0x7F and not is_blank(c) and not is_break(c))
            ):
                plain = single = False
            else:
                break
            before = c
            at += 1
        self.token = WORD
        self.end = at
        self.is_member = plain and 0x41 <= first <= 0x5A
        self.is_field = single and is_letter(first) and before != u"_"
        return 0

    cdef int skip_gap(self) except -1:
        """Move start to the next token, and take note of what was passed."""
        cdef Py_ssize_t at = self.start
        cdef Py_ssize_t begin
        cdef Py_UCS4 c
        cdef int breaks = 0  # line ends since the last comment, or the token before
        cdef list lines = None
        cdef str line
        self.broken = False
        if self.commented:
            self.commented = False
            self.remark = self.doc = ""
            self.blocks = []
        while at < self.size:
            c = PyUnicode_READ(self.width, self.data, at)
            if is_blank(c):
                at += 1
            elif is_break(c):
                at += 1
                if c == 0x0D and at < self.size and PyUnicode_READ(self.width, self.data, at) == 0x0A:
                    at += 1
                breaks += 1
                self.broken = True
            elif c == u"#":
                begin = at = at + 1
                while at < self.size and not is_break(PyUnicode_READ(self.width, self.data, at)):
                    at += 1
                if begin < at and is_blank(PyUnicode_READ(self.width, self.data, begin)):
                    begin += 1
                line = PyUnicode_Substring(self.text, begin, at)
                if not self.commented:
                    # Whoever read the gap before may have kept its list.
                    self.blocks = []
                if not self.broken and self.start > 0 and not self.commented:
                    if line:
                        self.remark = line
                    else:
                        self.blocks.append(line)
                elif lines is None:
                    lines = [line]
                else:
                    if breaks > 1:
                        self.blocks.append("\n".join(lines))
                        lines = []
                    lines.append(line)
                self.commented = True
                breaks = 0
            else:
                break
        if lines is not None:
            line = "\n".join(lines)
            # An empty comment documents nothing, but is not to be lost either.
            if breaks > 1 or not line:
                self.blocks.append(line)
            else:
                self.doc = line
        self.glued = at == self.start
        self.start = at
        return 0

    cdef Py_ssize_t match(self, Py_ssize_t at, const char *word, Py_ssize_t length) noexcept:
        cdef Py_ssize_t i
        if self.size - at < length:
            return 0
        for i in range(length):
            if PyUnicode_READ(self.width, self.data, at + i) != <unsigned char> word[i]:
                return 0
        return length

    cdef bint is_word(self, const char *word, Py_ssize_t length) noexcept:
        return (
            self.token == WORD
            and self.end - self.start == length
            and self.match(self.start, word, length) != 0
        )

    cdef str found(self):
        return PyUnicode_Substring(self.text, self.start, self.end)

    cdef Py_UCS4 peek(self) noexcept:
        cdef Py_ssize_t at = self.end
        cdef bint comment = False
        cdef Py_UCS4 c
        while at < self.size:
            c = PyUnicode_READ(self.width, self.data, at)
            if is_break(c):
                comment = False
            elif c == u"#":
                comment = True
            elif not comment and not is_blank(c):
                return c
            at += 1
        return 0


def tokens(str text not None):
    """The tokens of a text, as tuples (kind, start, end, gap).

    kind is "word", "other" or the sign itself; start and end are offsets. gap is a tuple (broken, remark,
    blocks, doc) of what stands before the token, or None for nothing but blanks. A last token of the kind
    "end" stands for the end of the text.
    """
    cdef Lexer lexer = Lexer(text)
    cdef list found = []
    while True:
        lexer.advance()
        gap = None
        if lexer.broken or lexer.commented:
            gap = (lexer.broken, lexer.remark, tuple(lexer.blocks), lexer.doc)
        found.append((NAMES.get(lexer.token, "end"), lexer.start, lexer.end, gap))
        if lexer.token == END:
            return found
