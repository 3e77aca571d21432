# cython: language_level=3str
"""Connections to one service, lent to whoever calls."""

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.deadline cimport Deadline
from fastvarlink._core.remote cimport Carrier


# A thread that waits for a connection.
cdef class Turn:
    cdef object lock  # held until the turn has come
    cdef bint come
    cdef Channel channel  # what it brings; None for the room to make one


cdef class ChannelPool(Carrier):
    cdef object connect  # callable: a new connection
    cdef object limits
    cdef bint strict
    cdef double busy_poll  # seconds
    cdef int size
    cdef int opened  # connections that there are, or are being made
    cdef list channels  # all that there are
    cdef list idle  # those that nobody uses, the last one used at the end
    cdef object turns  # a deque of threads that wait, which it is while nothing is idle and there is no room
    cdef bint closed
    cdef unsigned long process  # whose connections they are

    cdef int begin(self) except -1
    cdef int check(self) except -1
    # An idle connection, or None for the room to make one.
    cdef Channel borrow(self, CallPlan plan, Deadline deadline)
    cdef Channel await_turn(self, CallPlan plan, Deadline deadline)
    # Makes one where there is room.
    cdef Channel make(self, CallPlan plan, Deadline deadline)
    # A connection, or None for the room to make one, goes to whoever has waited longest.
    cdef int pass_on(self, Channel channel) except -1
