# cython: language_level=3str
"""A reactor that an event loop leads."""

from libc.stdint cimport int64_t

from fastvarlink._core.reactor cimport Reactor


cdef class HostedReactor(Reactor):
    cdef bint turning  # the loop is inside of it
    cdef int timer  # a timerfd that gets the event loop to call
    cdef int64_t timer_due  # 0 while it does not run
    cdef int loop_fd  # what the loop itself waits for, where wait_for_loop() waits in its place
    cdef bint loop_ready  # and it is there
    cdef bint interrupted  # the loop has something to do
    cdef object delegated  # deque of sources that wait for a thread that may block
    cdef object ended  # callable: run_once() need not be called any more

    # Has the timer go off when something runs out.
    cdef int set_timer(self) except -1
    cdef int run_delegated(self) except -1
    # Takes events, and handles them.
    cdef int harvest(self, int timeout) except -1
    cdef int run_harvest(self) except -1
