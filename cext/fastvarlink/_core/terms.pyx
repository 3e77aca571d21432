# cython: language_level=3str
"""What the connections of a server have in common: what each may cost, and what all cost together."""

from libc.stddef cimport size_t

from fastvarlink._core.countdown cimport Countdown


cdef class Terms:
    """limits are the Limits of a server, strict says whether its peers must keep to every rule.

    closed(connection) is called once when a connection is over. upgraded(connection, function, early,
    own_loop) is called instead when one leaves Varlink: function is to get its socket, early is what was read
    beyond the call, own_loop awaits where no event loop runs.
    """

    def __init__(self, limits, bint strict=True, closed=None, upgraded=None):
        self.limits = limits
        self.strict = strict
        self.frames = None if limits.frame_timeout is None else Countdown(limits.frame_timeout)
        self.idle = None if limits.idle_timeout is None else Countdown(limits.idle_timeout)
        self.max_unsent = limits.max_unsent
        self.max_buffered = limits.max_buffered
        self.holders = {}
        self.closed = closed
        self.upgraded = upgraded

    cdef int hold(self, object connection, size_t size) except -1:
        cdef size_t before = self.holders.get(connection, 0)
        if size:
            self.holders[connection] = size
        elif before:
            del self.holders[connection]
        self.buffered = self.buffered - before + size
        if self.buffered > self.max_buffered and size > before:
            # What it holds is given back when its thread lets it be closed.
            greedy = max(self.holders, key=self.holders.get)
            self.buffered -= self.holders.pop(greedy)
            greedy.close()
        return 0
