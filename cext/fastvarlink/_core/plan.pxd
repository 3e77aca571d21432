# cython: language_level=3str
"""What is known of a method before it is called, and how its handler is called."""

from fastvarlink._core.schema cimport Checker
from fastvarlink._core.session cimport ServerSession


# What a handler may be told besides its parameters, as bits: the keywords it declares.
cdef enum Keyword:
    WANTS_MORE = 1
    WANTS_ONEWAY = 2
    WANTS_UPGRADE = 4
    WANTS_RAW = 8
    WANTS_MESSAGE = 16
    WANTS_INTERFACE = 32
    WANTS_METHOD = 64
    WANTS_SERVER = 128
    WANTS_REQUEST = 256


# Where calls come from: what _server and _request are for handlers.
cdef class Origin:
    cdef object server
    cdef object request  # a socket, or None where there is no connection
    cdef object hold  # keeps the socket open when a handler closes it; None until one has it

    # The socket, for a handler to use.
    cdef object expose(self)
    # Ends the hold.
    cdef int let_go(self) except -1


# All that is known of a method before it is called, found out once.
cdef class MethodPlan:
    cdef readonly str name  # qualified
    cdef Checker takes
    cdef Checker gives
    cdef object target  # the object whose attribute handles the method
    cdef str attribute
    cdef object interface
    cdef object method
    cdef bint namespaced
    cdef object keywords_of  # callable: a handler to the Keywords it declares
    cdef object encoder_of  # callable: the program's own encoder of results, or None
    cdef bint checked  # whether results are compared with their declaration
    cdef tuple defaults  # of a typed handler: what it gets for parameters that are not there; else None
    cdef str only  # of a typed handler: the name of the one result that it returns bare; else None
    cdef bint streams  # a typed handler that returns an iterator of replies
    cdef bint live  # whose replies are not held back until it is known whether another follows
    cdef object encoder  # what it has returned: a callable, a result to JSON's own types
    cdef bytes wire_name  # as between the quotes of a call
    cdef object function  # the handler that keywords was found out for
    cdef int keywords
    cdef int slowness  # grows when the method holds up its thread, shrinks when it does not

    # Calls the handler for the call that session has taken.
    cdef object call(self, ServerSession session, Origin origin)
    cdef list arguments(self, dict parameters)
    cdef bytes encode(self, object result)
