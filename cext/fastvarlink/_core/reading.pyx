# cython: language_level=3str
"""A walk over the tokens of a definition: its faults, its comments, and how it goes on after a fault."""

from fastvarlink._core.lexer cimport CLOSE, COMMA, END, OPEN, OTHER, Lexer, is_letter


class Skip(Exception):
    """The walk cannot go on from this token. Never leaves the modules of the grammar."""


cdef class Reading:
    def __init__(self, str text not None):
        self.lexer = Lexer(text)
        self.faults = []
        self.strays = []
        self.unread = set()

    cdef int fault(self, str which) except -1:
        return self.fault_at(self.lexer.start, self.lexer.start, self.lexer.end, which)

    cdef int missing(self, str which) except -1:
        cdef Lexer lexer = self.lexer
        if lexer.before > 0 and (lexer.token == END or self.begins_member()):
            return self.fault_at(lexer.before, lexer.start, lexer.end, which)
        return self.fault(which)

    cdef int give_up(self, str which) except -1:
        self.missing(which)
        raise Skip()

    cdef int fault_at(self, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end, str which) except -1:
        if self.stopped:
            return 0
        self.faults.append((at, start, end, which))
        if len(self.faults) == MAX_FAULTS:
            self.faults.append((at, start, end, "too many"))
            self.stop()
        return 0

    cdef int stop(self) except -1:
        self.stopped = True
        self.lexer.size = self.lexer.end
        return 0

    # ---- comments

    cdef int stray(self) except -1:
        if self.lexer.commented:
            self.stray_remark()
            self.strays.extend(self.gap_blocks())
        return 0

    cdef int stray_remark(self) except -1:
        if self.lexer.commented and self.lexer.remark:
            self.strays.append(self.lexer.remark)
        return 0

    cdef tuple gap_blocks(self):
        if not self.lexer.commented:
            return ()
        if self.lexer.doc:
            return (*self.lexer.blocks, self.lexer.doc)
        return tuple(self.lexer.blocks)

    cdef tuple own_comments(self, list blocks):
        if not blocks and not self.strays:
            return ()
        return (*blocks, *self.strays)

    # ---- going on after a fault

    cdef int skip_to_separator(self) except -1:
        """To a comma or a closing parenthesis of the struct that is being read."""
        cdef Lexer lexer = self.lexer
        cdef int depth = 0
        while True:
            if depth == 0 and (lexer.token == COMMA or lexer.token == CLOSE):
                return 0
            if lexer.token == END or self.begins_member():
                raise Skip()
            if lexer.token == OPEN:
                depth += 1
            elif lexer.token == CLOSE:
                depth -= 1
            lexer.advance()

    cdef int skip_to_close(self) except -1:
        while True:
            self.skip_to_separator()
            if self.lexer.token == CLOSE:
                return 0
            self.lexer.advance()

    cdef int skip_to_member(self) except -1:
        cdef Lexer lexer = self.lexer
        cdef bint declares
        while lexer.token != END:
            if self.begins_member():
                return 0
            declares = lexer.is_word("type", 4)
            lexer.advance()
            if declares and lexer.is_member:
                self.unread.add(lexer.found())
        return 0

    cdef bint begins_member(self) noexcept:
        """Whether the token is a keyword on a line of its own with a name behind it."""
        cdef Lexer lexer = self.lexer
        if not lexer.broken or not (
            lexer.is_word("type", 4) or lexer.is_word("method", 6) or lexer.is_word("error", 5)
        ):
            return False
        return is_letter(lexer.peek())

    cdef bint is_sign(self, str sign) except -1:
        return self.lexer.token == OTHER and self.lexer.found() == sign
