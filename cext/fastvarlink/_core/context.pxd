# cython: language_level=3str
"""Where calls come from, and what a handler may know of that."""

from fastvarlink._core.control cimport Descriptors


# One connection, as its calls know it.
cdef class Origin:
    cdef object server  # what handlers get as _server
    cdef object request  # a socket, or None where there is no connection
    cdef object hold  # keeps the socket open when a handler closes it; None until one has it
    cdef object peer  # a Peer, made at first use
    cdef dict state  # what handlers keep from call to call; made at first use
    cdef bint stopping  # the server takes no more connections and waits for what is under way
    cdef bint gone  # the peer reads no more
    cdef Context context  # of the call being answered, if its handler wanted one
    cdef Descriptors descriptors  # likewise

    # The socket, for a handler to use.
    cdef object expose(self)
    cdef object who(self)
    cdef dict memory(self)
    # Ends the hold.
    cdef int let_go(self) except -1


# One call, for its handler to look at.
cdef class Context:
    cdef Origin origin
    cdef readonly str method  # qualified; None before a call
    cdef int flags
    cdef object takeover  # callable: gets the connection after the reply; None if Varlink goes on
