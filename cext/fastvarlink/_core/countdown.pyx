# cython: language_level=3str
"""Spans of time after which something happens unless it is called off.

All that one Countdown holds waits for the same span, so the one that began first expires first: starting and
calling off cost the same for ten as for ten thousand, and only the first is ever looked at.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int64_t

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *time)
    int CLOCK_MONOTONIC


cdef int64_t now() noexcept nogil:
    cdef timespec time
    # It cannot fail: the clock exists and the pointer is good.
    clock_gettime(CLOCK_MONOTONIC, &time)
    return <int64_t> time.tv_sec * 1_000_000 + time.tv_nsec // 1000


cdef int64_t running = 0


cdef int64_t counting() noexcept nogil:
    return running


cdef class Timed:
    cdef int expired(self) except -1:
        raise NotImplementedError


cdef class Countdown:
    """span is the time in seconds."""

    def __cinit__(self):
        self.first = self.last = NULL

    def __init__(self, double span):
        self.span = <int64_t> (span * 1e6)

    cdef int start(self, Timed what) except -1:
        global running
        if what.countdown is not None:
            what.countdown.cancel(what)
        what.due = now() + self.span
        what.countdown = self
        what.earlier = self.last
        what.later = NULL
        if self.last == NULL:
            self.first = <PyObject *> what
        else:
            (<Timed> self.last).later = <PyObject *> what
        self.last = <PyObject *> what
        # A chain of owned references would be taken down by recursion.
        Py_INCREF(what)
        running += 1
        return 0

    cdef int cancel(self, Timed what) except -1:
        global running
        CHECK(what.countdown is self)
        if what.earlier == NULL:
            self.first = what.later
        else:
            (<Timed> what.earlier).later = what.later
        if what.later == NULL:
            self.last = what.earlier
        else:
            (<Timed> what.later).earlier = what.earlier
        what.earlier = what.later = NULL
        what.countdown = None
        running -= 1
        Py_DECREF(what)
        return 0

    cdef Timed take(self, int64_t time):
        cdef Timed first
        if self.first == NULL:
            return None
        first = <Timed> self.first
        if first.due > time:
            return None
        self.cancel(first)
        return first
