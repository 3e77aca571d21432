# cython: language_level=3str
"""From the tokens of an interface definition to its syntax tree."""

from fastvarlink._core.lexer cimport Lexer
from fastvarlink._core.tree cimport Enum, EnumValue, Field, Interface, Struct


cdef enum:
    MAX_DEPTH = 64  # types inside each other; protects the stack of whoever walks the tree
    MAX_MEMBERS = 100_000  # protects memory
    MAX_PARTS = 1_000_000  # fields and values, likewise
    MAX_FAULTS = 100  # so that a large text of nothing but faults ends soon


# One walk over one text.
cdef class Parser:
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

    # Each of these begins at its first token and ends behind its last.
    cdef Interface interface(self)
    cdef str interface_name(self)
    cdef object member(self)
    cdef Struct struct(self, str which)
    cdef object body(self, int depth)
    cdef Struct fields(self, Py_ssize_t at, int depth)
    cdef Field field(self, int depth, bint *more)
    cdef Enum values(self, Py_ssize_t at)
    cdef EnumValue value(self, bint *more)
    cdef object type(self, int depth)
    cdef object plain_type(self)
    # Before a field or a value: counts it.
    cdef int begin_part(self) except -1
    # Behind a field or a value, which began when so many faults were known: takes the separator and returns
    # the remark of its line.
    cdef str separator(self, str which, Py_ssize_t known, bint *more)

    # After a fault: to the next separator of the struct, to its end, to the next member.
    cdef int skip_to_separator(self) except -1
    cdef int skip_to_close(self) except -1
    cdef int skip_to_member(self) except -1
    cdef bint begins_member(self) noexcept
    # Whether the token is this character, which the grammar does not know.
    cdef bint is_sign(self, str sign) except -1
