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
    cdef bint late  # the call being answered has run out of time
    cdef set endings  # of the call being answered: the Endings that are still to be called; made at first use
    cdef object explain  # callable, as a MethodTable has it: what is to become of an exception
    cdef Context context  # of the call being answered, if its handler wanted one
    cdef Descriptors descriptors  # likewise

    # The socket, for a handler to use.
    cdef object expose(self)
    cdef object who(self)
    cdef dict memory(self)
    # Ends the hold.
    cdef int let_go(self) except -1
    # The peer reads no more: whoever wants to know is told.
    cdef int depart(self) except -1
    # The server is to end: likewise.
    cdef int stop(self) except -1
    # The call has run out of time: likewise.
    cdef int run_out(self) except -1
    cdef int tell(self) except -1


# One call, for its handler to look at.
cdef class Context:
    cdef Origin origin
    cdef readonly str method  # qualified; None before a call
    cdef int flags
    cdef bint sensitive  # no value of the call is for a log
    cdef object takeover  # callable: gets the connection after the reply; None if Varlink goes on


# What on_end() was given, until it is called or forgotten.
cdef class Ending:
    cdef Context context
    cdef object function  # None once it has been called or forgotten

    cdef int call(self) except -1
