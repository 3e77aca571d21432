# cython: language_level=3str
"""From a call to its handler and back, without I/O."""

from fastvarlink._core.message cimport Message
from fastvarlink._core.context cimport Origin
from fastvarlink._core.plan cimport MethodPlan
from fastvarlink._core.session cimport ServerSession


cdef class MethodTable:
    cdef dict plans  # wire name to MethodPlan
    cdef unsigned long version  # changes when plans are forgotten
    cdef object resolve  # callable: a qualified name to its MethodPlan, or VarlinkError
    cdef object explain  # callable: what went wrong to the name and parameters of an error reply
    cdef object allow  # callable: a call's Context to whether it may be made; None if all may

    cdef MethodPlan find(self, Message message)


# One connection's calls, answered one after the other.
cdef class Answerer:
    cdef ServerSession session
    cdef MethodTable table
    cdef Origin origin
    cdef MethodPlan plan  # of the latest call
    cdef unsigned long version  # of the table when plan was found
    cdef object stream  # the generator that gives the replies; None when none is under way
    cdef object held  # the reply of a typed stream that may be its last; NONE_YET without one

    cdef object takeover  # callable: gets the connection, once all replies are out; None mostly

    # Finds the plan of session.message; False when the call has been answered by an error instead.
    cdef bint prepare(self) except -1
    # Calls the handler: afterwards the call is answered, or stream is set.
    cdef int answer(self) except -1
    # Takes one reply from the stream and queues it; stream is None after the last.
    cdef int step(self) except -1
    cdef int step_once(self) except -1
    # The same for a typed stream: everything it yields is a reply, its end is seen by looking ahead.
    cdef int step_typed(self) except -1
    # Tells the stream that its reader has gone.
    cdef int abort(self, object reason) except -1
    cdef int result(self, object value, bint continues) except -1
    cdef int fail(self, object error) except -1
    cdef int drop_stream(self) except -1
    # True if the caller may make the call.
    cdef bint is_allowed(self) except -1
    # The call has been answered: what it left behind goes.
    cdef int settle(self) except -1
