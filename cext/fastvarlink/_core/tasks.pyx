# cython: language_level=3str
"""Handlers that are coroutines: run at once as far as they go, and by a task of the loop from there on.

A handler that does not wait for anything is over before a task could have been made for it. One that does
must be in a task from its first line on: asyncio.current_task() names it, asyncio.timeout() cancels it, and
libraries keep books by it. So tasks are kept in store. A Spare is a task that waits at a gate for something
to run. A course is run as if it were in that task, with what asyncio has for those who bring tasks of their
own; when it has to wait, it becomes what the task runs.

Each call has a context of its own (contextvars), entered for each of its steps.
"""

from cpython.contextvars cimport PyContext_Copy, PyContext_Enter, PyContext_Exit
from cpython.object cimport PyObject

from collections.abc import Coroutine
from contextvars import copy_context
from importlib import import_module
from types import CoroutineType

from fastvarlink._core.reactor cimport Source

cdef extern from "Python.h":
    void Py_DECREF(PyObject *reference)
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    PySendResult PyIter_Send(object iterator, object value, PyObject **result) except PYGEN_ERROR

cdef enum:
    STORE = 64  # tasks that are kept when there is nothing to run

# asyncio, and what of it is needed for each call: it takes long to import, and most programs do without.
cdef object asyncio = None
cdef object current_task
cdef object enter_task
cdef object leave_task


cdef int load_asyncio() except -1:
    global asyncio, current_task, enter_task, leave_task
    if asyncio is None:
        asyncio = import_module("asyncio")
        current_task = asyncio.current_task
        enter_task = asyncio.tasks._enter_task
        leave_task = asyncio.tasks._leave_task
    return 0


cdef class Tasks:
    """The tasks of the running event loop, for the coroutines of one server."""

    def __init__(self):
        load_asyncio()
        self.loop = asyncio.get_running_loop()
        self.context = copy_context()
        self.spares = []
        self.working = set()

    cdef Course begin(self, Source source, object context):
        cdef Course course = Course.__new__(Course)
        cdef Spare spare
        course.tasks = self
        course.source = source
        course.context = PyContext_Copy(self.context) if context is None else context
        if self.spares:
            spare = self.spares.pop()
        else:
            spare = Spare.__new__(Spare)
            spare.tasks = self
            spare.task = self.loop.create_task(spare)
        self.working.add(spare)
        spare.course = course
        course.spare = spare
        return course

    async def close(self):
        """Cancel all that runs, and wait for its end."""
        cdef Spare spare
        self.closed = True
        tasks = []
        for spare in [*self.spares, *self.working]:
            spare.task.cancel()
            tasks.append(spare.task)
        if tasks:
            await asyncio.wait(tasks)


cdef class Course:
    cdef bint run(self, object awaitable) except -1:
        cdef bint over = False
        cdef Tasks tasks = self.tasks
        cdef Spare spare = self.spare
        cdef object thrown = None
        task = spare.task
        outer = current_task(tasks.loop)
        self.value = self.failure = None
        if spare.thrown is not None:
            thrown, spare.thrown = spare.thrown, None
        if outer is not None:
            leave_task(tasks.loop, outer)
        enter_task(tasks.loop, task)
        try:
            if type(awaitable) is CoroutineType:
                self.steps = awaitable
            else:
                self.steps = type(awaitable).__await__(awaitable)
            awaits = self.step(None, thrown, &over)
        finally:
            leave_task(tasks.loop, task)
            if outer is not None:
                enter_task(tasks.loop, outer)
        if not over:
            spare.take_over(awaits)
        return over

    cdef object step(self, object sent, object thrown, bint *over):
        cdef PyObject *given = NULL
        cdef PySendResult outcome
        over[0] = True
        PyContext_Enter(self.context)
        try:
            if thrown is not None:
                awaits = self.steps.throw(thrown)
            else:
                outcome = PyIter_Send(self.steps, sent, &given)
                awaits = <object> given
                Py_DECREF(given)
                if outcome == PYGEN_RETURN:
                    self.value = awaits
                    return None
            over[0] = False
            return awaits
        except StopIteration as end:
            self.value = end.value
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            self.failure = failure
        finally:
            PyContext_Exit(self.context)
            if over[0]:
                self.steps = None

    cdef int cancel(self) except -1:
        self.spare.task.cancel()
        return 0

    cdef int end(self) except -1:
        cdef Spare spare = self.spare
        cdef Tasks tasks = self.tasks
        self.source = None
        self.spare = None
        spare.course = None
        tasks.working.discard(spare)
        if tasks.closed or len(tasks.spares) >= STORE or spare.task.cancelling():
            # Once a task has been asked to end, it does, whatever it was asked for.
            spare.task.cancel()
        else:
            tasks.spares.append(spare)
        return 0


cdef class Spare:
    """The coroutine of a task that is kept in store."""

    def send(self, value):
        """As of a coroutine."""
        return self.go_on(value, None)

    def throw(self, kind, value=None, traceback=None):
        """As of a coroutine."""
        return self.go_on(None, kind if value is None else value)

    def close(self):
        """As of a coroutine. What it runs is closed."""
        if self.running and self.course is not None and self.course.steps is not None:
            self.course.steps.close()

    def __await__(self):
        raise TypeError("This task is run by its event loop alone.")

    cdef int take_over(self, object awaits) except -1:
        self.running = self.fresh = True
        self.awaits = awaits
        if self.gate is not None and not self.gate.done():
            self.gate.set_result(None)
        # Else it is about to begin, or to be told of a cancellation.
        return 0

    cdef object wait(self):
        """What the task is to wait for while there is nothing to run."""
        self.gate = self.tasks.loop.create_future()
        self.gate._asyncio_future_blocking = True
        return self.gate

    cdef object go_on(self, object sent, object thrown):
        cdef bint over = False
        cdef Course course = self.course
        cdef Source source
        if not self.running:
            if thrown is None:
                return self.wait()
            if course is not None:
                # It learns of it when it awaits something again.
                self.thrown = thrown
                return self.wait()
            if self in self.tasks.spares:
                self.tasks.spares.remove(self)
            raise thrown
        if self.fresh:
            self.fresh = False
            awaits, self.awaits = self.awaits, None
            if thrown is None or (awaits is not None and awaits.cancel(*thrown.args)):
                return awaits
        awaits = course.step(sent, thrown, &over)
        if not over:
            return awaits
        self.running = False
        # Held here: when the connection is over, the last other reference to it goes while it runs.
        source = course.source
        try:
            source.resumed()
        except Exception as failure:
            self.tasks.loop.call_exception_handler(
                {"message": "A connection has been closed by an error.", "exception": failure}
            )
        if self.running:
            # That was one reply of a stream, and the next one has to be waited for.
            self.fresh = False
            awaits, self.awaits = self.awaits, None
            return awaits
        return self.wait()


Coroutine.register(Spare)
