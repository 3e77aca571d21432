# cython: language_level=3str
"""Interceptors: who sees a call, in which order, and what they make of it."""


# One call, as interceptors see it.
cdef class Call:
    cdef readonly str method  # qualified
    cdef public dict parameters
    cdef readonly object context  # a Context; None at a client
    cdef readonly Exception error  # what it has failed with; None if it has not
    cdef readonly Py_ssize_t replies  # that have been given
    cdef readonly bint sensitive
    cdef int flags
    cdef int entered  # how many interceptors it has come to
    cdef dict kept
    cdef Exception missing  # why there is no such method; None if there is one
    cdef object variables  # the context (contextvars) of all that belongs to it


# The interceptors of a service or a client, from the outermost to the innermost.
cdef class Interception:
    cdef readonly tuple interceptors
    cdef readonly bint awaits  # a call() is a coroutine function
    cdef bint rewrites  # a reply may be changed
    cdef list begins  # their methods; None where they have none
    cdef list replies
    cdef list failures
    cdef list ends

    # Asks those that the call has not come to yet. What one of them has answered, None if none has.
    cdef object begin(self, Call call)
    # What becomes of a reply.
    cdef dict reply(self, Call call, dict parameters, bint continues)
    cdef Exception fail(self, Call call, Exception error)
    # Returns what has gone wrong on the way, None if nothing has.
    cdef Exception end(self, Call call)
