# cython: language_level=3str
"""A descriptor whose readiness is told to a Python callable: a listening socket, say."""

from fastvarlink._core.reactor cimport Source


cdef class Listener(Source):
    cdef object callback
    cdef bint running
    cdef bint again
