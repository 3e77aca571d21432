# cython: language_level=3str
"""File descriptors that travel with messages."""

from libc.stddef cimport size_t

cdef extern from "control.h" nogil:
    enum:
        RIGHTS_MOST
    ssize_t control_peek(int fd, void *to, size_t size, int *rights)
    ssize_t control_receive(int fd, void *to, size_t size, int *fds, int *count, int *cut)
    ssize_t control_send(int fd, const void *what, size_t size, const int *fds, int count)


# Descriptors of one message. Those that are still here when it goes are closed.
cdef class Rights:
    cdef int *fds  # -1 for one that has been taken; NULL while there are none
    cdef int count

    cdef int add(self, int fd) except -1
    cdef int close_all(self) noexcept


# What came with a call or a reply, and what goes with the answer.
cdef class Descriptors:
    cdef Rights received  # None if none came
    cdef Rights given  # None while none is to go

    # What was given, for the next message; forgotten here.
    cdef Rights let_go(self)


cdef Rights rights_of(const int *fds, int count)
