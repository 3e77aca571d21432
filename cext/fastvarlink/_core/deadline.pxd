# cython: language_level=3str
"""Until when a call may take."""

from libc.stdint cimport int64_t


cdef struct Deadline:
    int64_t due  # microseconds of the monotonic clock; 0 without a limit
    int64_t span  # microseconds from the beginning until then


# The span that a program's timeout stands for, which is usual where it is "...": 0 without a limit.
cdef int64_t span_of(object timeout, int64_t usual) except -1
# What begins now.
cdef Deadline deadline_in(int64_t span) noexcept nogil
# Whether a point in time, if there is one, has come.
cdef bint is_past(int64_t due) noexcept nogil
# Seconds that are left, at least 0; None without a limit.
cdef object seconds_left(Deadline deadline)
# The earlier of two points in time, where 0 is none.
cdef int64_t earlier(int64_t one, int64_t other) noexcept nogil
# The error for a call, or None for messages, that did not get so far in time.
cdef object exceeded(str method, str what, Deadline deadline)
