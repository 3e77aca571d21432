# cython: language_level=3str
"""What the connections of a server have in common: what each may cost, and what all cost together."""

from libc.stddef cimport size_t

from fastvarlink._core.countdown cimport Countdown
from fastvarlink._core.tasks cimport Tasks


cdef class Terms:
    cdef readonly object limits
    cdef readonly bint strict
    cdef Countdown frames  # for those that have begun a message; None without a limit
    cdef Countdown idle  # for those that wait for a call; None without a limit
    cdef size_t max_unsent
    cdef size_t max_buffered
    cdef readonly size_t buffered  # what the holders hold
    cdef dict holders  # connections that hold more than a little, and how many bytes
    cdef public Tasks tasks  # for handlers that are coroutines; None where no event loop runs
    cdef object closed  # callable: a connection is over
    cdef object upgraded  # callable: a connection has left Varlink; see there

    # A connection holds so many bytes now. Closes the one that holds most when all hold too much.
    cdef int hold(self, object connection, size_t size) except -1
