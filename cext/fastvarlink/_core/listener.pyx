# cython: language_level=3str
"""A descriptor whose readiness is told to a Python callable: a listening socket, say."""

from libc.stdint cimport uint32_t

from fastvarlink._core.reactor cimport EPOLLIN, Reactor, Source


cdef class Listener(Source):
    """A descriptor whose readiness is told to a Python callable: a listening socket, say.

    The callable must take all there is (the watch is edge-triggered). It is never run by two threads at
    once; what happens meanwhile makes it run again.
    """

    def __init__(self, int fd, callback):
        self.fd = fd
        self.callback = callback

    cdef int ready(self, uint32_t events) except -1:
        self.again = True
        if self.running:
            return 0
        self.running = True
        try:
            while self.again:
                self.again = False
                self.callback()
        finally:
            self.running = False
        return 0

    def attach(self, Reactor reactor not None):
        """Watch the descriptor for input."""
        reactor.attach(self, EPOLLIN)

    def detach(self):
        """Stop watching."""
        cdef Reactor reactor = self.reactor
        if reactor is not None:
            reactor.detach(self)
