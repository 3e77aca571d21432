# cython: language_level=3str
"""Interceptors: who sees a call, in which order, and what they make of it."""

from cpython.contextvars cimport PyContext_Enter, PyContext_Exit

import inspect

from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink.interceptor import Interceptor


cdef class Call:
    """One call, as interceptors see it.

    ``method`` is its qualified name, ``parameters`` the dict that was sent, or is to be, before its check.
    ``context`` is the handler's Context, None at a client. ``error`` is what it has failed with, ``replies``
    how many replies it has had. Of a ``sensitive`` method no value may get into a log.
    """

    @property
    def more(self):
        """True if it takes several replies."""
        return self.flags & MORE != 0

    @property
    def oneway(self):
        """True if it gets no reply."""
        return self.flags & ONEWAY != 0

    @property
    def upgrade(self):
        """True if it asks for the connection to leave Varlink."""
        return self.flags & UPGRADE != 0

    @property
    def state(self):
        """A dict that lives as long as the call, for interceptors to keep what they like in."""
        if self.kept is None:
            self.kept = {}
        return self.kept

    def __repr__(self):
        return f"<call of {self.method}>"


cdef class Interception:
    """interceptors are Interceptors, from the outermost to the innermost. TypeError for anything else."""

    def __init__(self, interceptors):
        self.interceptors = tuple(interceptors)
        for each in self.interceptors:
            if not isinstance(each, Interceptor):
                raise TypeError(
                    f"{each!r} is no Interceptor: make an object of a subclass of fastvarlink.Interceptor."
                )
        self.begins = self.methods("call")
        self.replies = self.methods("reply")
        self.failures = self.methods("failure")
        self.ends = self.methods("end")
        self.rewrites = any(method is not None for method in self.replies)
        self.awaits = any(inspect.iscoroutinefunction(method) for method in self.begins)
        for method in (*self.replies, *self.failures, *self.ends):
            if inspect.iscoroutinefunction(method):
                raise TypeError(
                    f"{method.__qualname__} is a coroutine function: of an interceptor's methods only call() "
                    f"can be awaited."
                )

    def methods(self, str name not None):
        """The interceptors' own methods of this name; None for those that have none."""
        return [
            None if getattr(type(each), name) is getattr(Interceptor, name) else getattr(each, name)
            for each in self.interceptors
        ]

    def opened(self, connection):
        """Tell of a connection that has been made."""
        for each in self.interceptors:
            each.opened(connection)

    def closed(self, connection):
        """Tell of a connection that has ended."""
        for each in reversed(self.interceptors):
            each.closed(connection)

    def refused(self, peer, why):
        """Tell of a peer that has not been let in."""
        for each in self.interceptors:
            each.refused(peer, why)

    cdef object begin(self, Call call):
        cdef object method
        PyContext_Enter(call.variables)
        try:
            while call.entered < len(self.begins):
                method = self.begins[call.entered]
                call.entered += 1
                if method is not None:
                    answer = method(call)
                    if answer is not None:
                        return answer
        finally:
            PyContext_Exit(call.variables)
        return None

    cdef dict reply(self, Call call, dict parameters, bint continues):
        cdef object method
        cdef int i
        PyContext_Enter(call.variables)
        try:
            for i in range(call.entered - 1, -1, -1):
                method = self.replies[i]
                if method is not None:
                    changed = method(call, parameters, continues)
                    if changed is not None:
                        parameters = changed
        finally:
            PyContext_Exit(call.variables)
        call.replies += 1
        return parameters

    cdef Exception fail(self, Call call, Exception error):
        cdef object method
        cdef int i
        call.error = error
        PyContext_Enter(call.variables)
        try:
            for i in range(call.entered - 1, -1, -1):
                method = self.failures[i]
                if method is not None:
                    try:
                        changed = method(call, call.error)
                    except Exception as failure:
                        changed = failure
                    if changed is not None:
                        call.error = changed
        finally:
            PyContext_Exit(call.variables)
        return call.error

    cdef Exception end(self, Call call):
        cdef object method
        cdef int i
        cdef Exception wrong = None
        PyContext_Enter(call.variables)
        try:
            for i in range(call.entered - 1, -1, -1):
                method = self.ends[i]
                if method is not None:
                    try:
                        method(call)
                    except Exception as failure:
                        wrong = failure
        finally:
            PyContext_Exit(call.variables)
        return wrong
