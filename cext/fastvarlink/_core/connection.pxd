# cython: language_level=3str
"""The server's end of one connection: when to do what."""

from fastvarlink._core.endpoint cimport Endpoint


cdef class ServerConnection(Endpoint):
    cdef bint busy  # a thread is inside run(), or about to be; it alone answers calls
    cdef bint taken  # a call has been taken, and is yet to be prepared
    cdef bint prepared  # and is yet to be answered
    cdef bint elsewhere  # what comes next is for another thread, which has not begun
    cdef bint limited  # its countdown is that of the handler
    cdef bint attended  # the thread inside run() may wait for input, since another leads
    cdef bint finishing  # no calls are taken but those that have arrived
    cdef bint looked  # and it has been looked for them
    cdef bint patient  # finishing, but a call that is to come first, or has begun to come, is waited for
    cdef bint called  # a call has come

    # Does what can be done, until there is nothing, or another thread has to go on.
    cdef int run_on(self) except -1
    cdef int run(self) except -1
    # Answers the call that has been taken.
    cdef int answer(self) except -1
    # Limits, and no longer limits, the time that the handler may take.
    cdef int begin_limit(self) except -1
    cdef int end_limit(self) except -1
    # Sends replies of the stream. True if it cannot go on for now, False to look again.
    cdef bint run_stream(self) except -1
    # Nothing can be done until the peer sends more.
    cdef int rest(self) except -1
    # Waits on this thread for what comes next. False if it may not: the connection is to rest.
    cdef bint attend(self) except -1
    # From here on it waits in epoll again.
    cdef int leave(self) except -1
