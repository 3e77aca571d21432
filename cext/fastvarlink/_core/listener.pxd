# cython: language_level=3str
"""What is told to a Python callable: that a descriptor is ready, or that time is over."""

from fastvarlink._core.countdown cimport Countdown
from fastvarlink._core.reactor cimport Source


cdef class Listener(Source):
    cdef object callback
    cdef bint running
    cdef bint again


cdef class Alarm(Source):
    cdef Countdown span
    cdef object callback
