# cython: language_level=3str
"""Handlers that are coroutines: run at once as far as they go, and by a task of the loop from there on."""

from fastvarlink._core.reactor cimport Source


# The tasks of one event loop, and how its coroutines are run.
cdef class Tasks:
    cdef readonly object loop
    cdef object context  # what each call's own context is a copy of
    cdef list spares  # Spares that wait for something to run
    cdef set working  # those that run something
    cdef bint closed

    # A course for what belongs to one call; source.resumed() tells that a step which had to wait is over.
    # Its steps run in the context that is given, or in one of its own.
    cdef Course begin(self, Source source, object context)


# What is awaited for one call: its handler, and each reply of a stream, one after the other, in one task and
# one context. Used on the loop's thread only.
cdef class Course:
    cdef Tasks tasks
    cdef Source source
    cdef Spare spare
    cdef object context
    cdef object steps  # the iterator by which the thing awaited is run
    cdef object value  # what it has returned
    cdef object failure  # what it has raised; None if it has not

    # Awaits what is given. True if that is over: value or failure has what came of it. False if it waits.
    cdef bint run(self, object awaitable) except -1
    # One step, in the call's context: what it waits for, or that it is over.
    cdef object step(self, object sent, object thrown, bint *over)
    cdef int cancel(self) except -1
    # The call is over.
    cdef int end(self) except -1


# A task that is kept for courses to run in; it is the coroutine of that task itself.
cdef class Spare:
    cdef Tasks tasks
    cdef object task
    cdef object gate  # the future the task waits for while there is nothing to run
    cdef Course course  # whose task it is; None while it is in store
    cdef bint running  # the task runs the course, rather than waiting at the gate
    cdef bint fresh  # awaits is still to be waited for
    cdef object awaits  # what the course has stopped at before the task ran it
    cdef object thrown  # a cancellation that came while the course awaited nothing

    cdef int take_over(self, object awaits) except -1
    cdef object wait(self)
    cdef object go_on(self, object sent, object thrown)
