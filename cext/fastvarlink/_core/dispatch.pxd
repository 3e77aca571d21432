# cython: language_level=3str
"""From a call to its handler and back, without I/O."""

from fastvarlink._core.message cimport Message
from fastvarlink._core.context cimport Context, Origin
from fastvarlink._core.interception cimport Call, Interception
from fastvarlink._core.plan cimport MethodPlan
from fastvarlink._core.reactor cimport Source
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.tasks cimport Course, Tasks


cdef class MethodTable:
    cdef dict plans  # wire name to MethodPlan
    cdef unsigned long version  # changes when plans are forgotten
    cdef object resolve  # callable: a qualified name to its MethodPlan, or VarlinkError
    cdef object explain  # callable: what went wrong to the name and parameters of an error reply
    cdef object allow  # callable: a call's Context to whether it may be made; None if all may
    cdef public Interception interception  # None without interceptors
    cdef object own_loop  # awaits where no event loop runs: wait_for() and iterate()

    cdef MethodPlan find(self, Message message)


# What is being awaited.
cdef enum Stage:
    INTERCEPTOR  # what an interceptor answers
    RESULT  # what the handler returns
    REPLY  # the next reply of its stream
    LEAVING  # the end of a stream that has been left


# One connection's calls, answered one after the other.
cdef class Answerer:
    cdef ServerSession session
    cdef MethodTable table
    cdef Origin origin
    cdef MethodPlan plan  # of the latest call
    cdef unsigned long version  # of the table when plan was found
    cdef object stream  # the generator that gives the replies; None when none is under way
    cdef bint asynchronous  # the stream's replies are awaited
    cdef Tasks tasks  # of the event loop that runs handlers; None without one
    cdef Source source  # is told when what is awaited is there
    cdef Course course  # of the call under way; None unless something is awaited in it
    cdef Stage stage
    cdef bint waits  # nothing can be done until source is told
    cdef Call call  # as interceptors see it; None without any
    cdef bint ready  # they have let it through while it was awaited
    cdef bint inside  # the handler is running
    cdef bint late  # it has run out of time, and its caller is told when it is over
    cdef bint spent  # likewise, and its caller has been told
    cdef bint abandoned  # nobody waits for what is under way
    cdef object unbegun  # a coroutine that has to be run by another thread; None mostly
    cdef object held  # the reply of a typed stream that may be its last; NONE_YET without one

    cdef object takeover  # callable: gets the connection, once all replies are out; None mostly

    # Finds the plan of session.message; False when the call has been answered by an error instead.
    cdef bint prepare(self) except -1
    cdef object find_plan(self)
    cdef Context new_context(self, str method)
    cdef bint prepare_intercepted(self) except -1
    # The interceptors that the call has not come to. True if they have let it through.
    cdef bint go_through(self, object answer) except -1
    cdef int result_intercepted(self, object value, bint continues) except -1
    cdef object call_handler(self)
    cdef Course begin_course(self)
    # Calls the handler: afterwards the call is answered, or stream is set.
    cdef int answer(self) except -1
    # Takes one reply from the stream and queues it; stream is None after the last.
    cdef int step(self) except -1
    # What is awaited is there.
    cdef int resume(self) except -1
    # True if what comes next is for a thread that may block, or for the one that must not.
    cdef bint is_for_another(self, bint on_loop) except -1
    # The handler has run out of time. True if there is something to be written.
    cdef bint run_out(self) except -1
    cdef int drop(self, object value) except -1
    # Tells what is under way that nobody waits for it.
    cdef int abort(self, object reason) except -1
    # The handler has returned this.
    cdef int accept(self, object value) except -1
    cdef bint is_awaited(self, object kind) except -1
    cdef int await_step(self, Stage stage, object awaitable) except -1
    cdef int arrive(self) except -1
    cdef int next_reply(self) except -1
    # The stream has given something, and it is queued. False if it was held back instead, as it may be the
    # last of a typed stream.
    cdef bint yielded(self, object value) except -1
    # The stream is at its end, and has returned this.
    cdef int exhausted(self, object value) except -1
    cdef int broken(self, object error) except -1
    cdef int result(self, object value, bint continues) except -1
    cdef int fail(self, object error) except -1
    cdef int drop_stream(self) except -1
    cdef int leave(self) except -1
    cdef int take_leave(self, object value, object failure) except -1
    cdef int complain(self, object error) except -1
    cdef int end_course(self) except -1
    # True if the caller may make the call.
    cdef bint is_allowed(self) except -1
    # The call has been answered: what it left behind goes.
    cdef int settle(self) except -1
