# cython: language_level=3str
"""Whether this process is a fork of the one that made a connection."""


# A number that is another one in each process that was forked, for what it inherited to compare with.
cdef unsigned long process_number() noexcept nogil
