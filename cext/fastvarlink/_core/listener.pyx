# cython: language_level=3str
"""What is told to a Python callable: that a descriptor is ready, or that time is over."""

from libc.stdint cimport uint32_t

from fastvarlink._core.countdown cimport Countdown
from fastvarlink._core.reactor cimport EPOLLIN, Reactor, Source


cdef class Listener(Source):
    """A descriptor whose readiness is told to a Python callable: a listening socket, say.

    The callable takes all there is (the watch is edge-triggered), or returns True to be called again when
    others have had their turn. It is never run by two threads at once; what happens meanwhile makes it run
    again.
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
                if self.callback() and self.reactor is not None:
                    self.reactor.enqueue(self)
        except BaseException:
            # Nothing tells again of what the callable has left.
            if self.reactor is not None:
                self.reactor.enqueue(self)
            raise
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


cdef class Alarm(Source):
    """A Python callable that is called once a span of time is over, by a reactor.

    span is the time in seconds.
    """

    def __init__(self, double span, callback):
        self.span = Countdown(span)
        self.callback = callback

    cdef int expired(self) except -1:
        self.callback()
        return 0

    def start(self, Reactor reactor not None):
        """Begin to wait, anew if it already does."""
        reactor.observe(self.span)
        reactor.start_countdown(self, self.span)

    def cancel(self):
        """Stop waiting."""
        if self.countdown is not None:
            self.countdown.cancel(self)
