# cython: language_level=3str
"""The tokens of an interface definition."""


cdef enum Token:
    END
    WORD  # a keyword or a name; also what begins like one, for errors to quote all of it
    COLON
    COMMA
    OPEN
    CLOSE
    QUESTION
    ARRAY  # []
    MAP  # [string]
    ARROW
    OTHER  # a character that the grammar does not know


# Walks over a text; everything but the text describes the token that was taken last.
cdef class Lexer:
    cdef readonly str text
    cdef const void *data
    cdef int width  # of a character, as PyUnicode_KIND has it
    cdef Py_ssize_t size
    cdef Token token
    cdef Py_ssize_t start
    cdef Py_ssize_t end
    cdef Py_ssize_t before  # where the token before ends
    cdef bint is_member  # a WORD that can name a type, a method or an error
    cdef bint is_field  # a WORD that can name a field

    # What stands between the token before and this one.
    cdef bint glued  # nothing
    cdef bint broken  # a line end, at least
    cdef bint commented  # a comment, at least; the next three are only then more than empty
    cdef str remark  # the comment behind the token before, on its line
    cdef list blocks  # the comments that are not documentation, a string for each block of lines
    cdef str doc  # the block directly above the token

    cdef int advance(self) except -1
    cdef int skip_gap(self) except -1
    cdef int take_word(self, Py_ssize_t at) except -1
    cdef Py_ssize_t match(self, Py_ssize_t at, const char *word, Py_ssize_t length) noexcept
    # Whether the token is this word.
    cdef bint is_word(self, const char *word, Py_ssize_t length) noexcept
    cdef str found(self)
    # The first character of the next token, 0 at the end.
    cdef Py_UCS4 peek(self) noexcept


cdef inline bint is_letter(Py_UCS4 c) noexcept:
    return 0x61 <= c <= 0x7A or 0x41 <= c <= 0x5A
