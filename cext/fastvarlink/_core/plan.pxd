# cython: language_level=3str
"""What is known of a method before it is called, and how its handler is called."""

from fastvarlink._core.context cimport Context, Origin
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.countdown cimport Countdown
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
    WANTS_CONTEXT = 512
    WANTS_DESCRIPTORS = 1024


# Instead of a number of descriptors.
cdef enum:
    ANY_NUMBER = -1
    UNUSED = -2  # the interface has none: those that come are closed and do not matter


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
    cdef bint upgrades  # only calls that ask for an upgrade are answered
    cdef int descriptors  # how many have to come with a call; ANY_NUMBER, or UNUSED
    cdef readonly bint sensitive  # its values are for no log
    cdef object encoder  # what it has returned: a callable, a result to JSON's own types
    cdef bytes wire_name  # as between the quotes of a call
    cdef object function  # the handler that keywords was found out for
    cdef int keywords
    cdef bint awaited  # function is a coroutine function, or an asynchronous generator
    cdef Countdown limit  # the time that its handler has, and each reply of a stream; None without a limit
    cdef bint brief  # it never blocks, so it may be called where that would be fatal
    cdef int slowness  # grows when the method holds up its thread, shrinks when it does not

    # Finds out about the handler, as its server has to know that before the call.
    cdef int look(self) except -1
    cdef object find(self)
    # Calls the handler for the call that session has taken. What it is told besides is kept in origin.
    cdef object call(self, ServerSession session, Origin origin)
    cdef int check_descriptors(self, ServerSession session) except -1
    cdef list arguments(self, dict parameters)
    # The members of a result that are sent, checked, and JSON's own types.
    cdef dict plain(self, object result)
    # The same for what already is the dict of those members.
    cdef dict plain_again(self, dict members)
    cdef bytes encode(self, object result)
