# cython: language_level=3str
"""A walk over the tokens of an interface definition."""

from fastvarlink._core.lexer cimport Lexer


cdef enum:
    MAX_MEMBERS = 100_000  # protects memory
    MAX_PARTS = 1_000_000  # fields and values, likewise
    MAX_FAULTS = 100  # so that a large text of nothing but faults ends soon


# One walk over one text.
cdef class Reading:
    cdef Lexer lexer
    cdef list faults  # tuples of where a fault is shown, where its token begins and ends, and which it is
    cdef list strays  # comments inside the declaration that is being read, which no other node keeps
    cdef str name  # of the type whose declaration is being read
    cdef set unread  # names of types that are not in the tree, or not by their right name
    cdef int parts  # fields and values so far
    cdef bint stopped  # nothing more is read, and no more faults are noted

    # Takes note of a fault of the token.
    cdef int fault(self, str which) except -1
    # The same, of what should have come before the token: shown on the line where it is missing.
    cdef int missing(self, str which) except -1
    # The same, and raises Skip.
    cdef int give_up(self, str which) except -1
    cdef int fault_at(self, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end, str which) except -1
    # Makes the token the last one.
    cdef int stop(self) except -1

    # Take the comments before the token: for no other node, as blocks, as those of a declaration.
    cdef int stray(self) except -1
    cdef int stray_remark(self) except -1
    cdef tuple gap_blocks(self)
    cdef tuple own_comments(self, list blocks)

    # After a fault: to the next separator of the struct, to its end, to the next member.
    cdef int skip_to_separator(self) except -1
    cdef int skip_to_close(self) except -1
    cdef int skip_to_member(self) except -1
    cdef bint begins_member(self) noexcept
    # Whether the token is this character, which the grammar does not know.
    cdef bint is_sign(self, str sign) except -1
