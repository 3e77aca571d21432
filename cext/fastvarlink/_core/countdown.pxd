# cython: language_level=3str
"""Spans of time after which something happens unless it is called off."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t


# Microseconds of the monotonic clock.
cdef int64_t now() noexcept nogil


# How many wait in all countdowns of the process: mostly none.
cdef int64_t counting() noexcept nogil


# Something that a countdown can run for; for one at a time.
cdef class Timed:
    cdef Countdown countdown  # None while none runs
    cdef PyObject *earlier  # its neighbours; the countdown keeps what it holds alive
    cdef PyObject *later
    cdef int64_t due  # on the monotonic clock, in microseconds

    # The time is over. The countdown does not run any more.
    cdef int expired(self) except -1


# All that wait for the same span: they expire in the order in which they began.
cdef class Countdown:
    cdef int64_t span  # microseconds
    cdef PyObject *first
    cdef PyObject *last

    # Starts, or starts anew. Whoever waits for the next one to expire must be told when this was the first.
    cdef int start(self, Timed what) except -1
    cdef int cancel(self, Timed what) except -1
    # The first one whose time is over, taken out; None if there is none.
    cdef Timed take(self, int64_t time)
