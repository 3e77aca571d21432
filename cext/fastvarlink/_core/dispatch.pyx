# cython: language_level=3str
"""From a call to its handler and back, without I/O."""

from cpython.contextvars cimport PyContext_CopyCurrent, PyContext_Enter, PyContext_Exit
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from libc.string cimport memcmp

from types import AsyncGeneratorType, CoroutineType, GeneratorType, SimpleNamespace

from fastvarlink._core.context cimport Context, Origin
from fastvarlink._core.interception cimport Call
from fastvarlink._core.message cimport MORE, ONEWAY, Message
from fastvarlink._core.plan cimport MethodPlan
from fastvarlink._core.session cimport MESSAGE, ServerSession
from fastvarlink._core.tasks cimport Course
from fastvarlink._core.value cimport to_json
from fastvarlink.error import (
    ExpectedMore,
    MessageTooLarge,
    MethodNotImplemented,
    PermissionDenied,
    ProtocolError,
    TimedOut,
)

cdef extern from "Python.h":
    PyObject *PyIter_Next(object iterator) except? NULL
    void Py_DECREF(PyObject *reference)
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    PySendResult PyIter_Send(object iterator, object value, PyObject **result) except PYGEN_ERROR

# No reply is held back.
cdef object NONE_YET = object()


cdef class MethodTable:
    """The methods of a service by name, found out as they are first called.

    resolve(name) returns the MethodPlan of a qualified name or raises a VarlinkError.
    explain(name, error, sensitive) returns what an exception means to the caller: the name of an error reply
    as JSON, and its parameters as JSON or None; sensitive says that no value may be logged. allow(context),
    if given, says whether a call may be made. All are called from any thread. own_loop.wait_for(coroutine)
    and own_loop.iterate(asynchronous iterator) serve handlers that are coroutines where no event loop runs.
    """

    def __init__(self, resolve, explain, allow=None, own_loop=None):
        self.plans = {}
        self.own_loop = own_loop
        self.allow = allow
        self.resolve = resolve
        self.explain = explain

    def forget(self):
        """Drop what is known: the service has changed."""
        self.plans.clear()
        self.version += 1

    cdef MethodPlan find(self, Message message):
        cdef bytes key
        cdef PyObject *found
        cdef MethodPlan plan
        if message.name_plain:
            key = PyBytes_FromStringAndSize(message.name.at, <Py_ssize_t> message.name.size)
            found = PyDict_GetItemWithError(self.plans, key)
            if found != NULL:
                return <MethodPlan> found
        plan = self.resolve(message.name_text())
        # Names that are not found are not kept: a caller could send any number of them.
        self.plans[plan.wire_name] = plan
        return plan


def passed_on(replies):
    return (yield from replies)


cdef class Answerer:
    """One connection's calls, answered one after the other."""

    def __init__(
        self, ServerSession session not None, MethodTable table not None, Origin origin not None
    ):
        self.session = session
        self.table = table
        self.origin = origin
        origin.explain = table.explain

    cdef bint prepare(self) except -1:
        if self.table.interception is not None:
            return self.prepare_intercepted()
        if self.table.allow is not None and not self.is_allowed():
            return False
        failure = self.find_plan()
        if failure is not None:
            self.fail(failure)
            self.settle()
            return False
        return True

    cdef object find_plan(self):
        """Finds the plan of the call. Returns why there is none."""
        cdef Message message = self.session.message
        cdef MethodPlan plan = self.plan
        if (
            plan is not None
            and self.version == self.table.version
            and message.name.size == <size_t> PyBytes_GET_SIZE(plan.wire_name)
            and message.name_plain
            and memcmp(message.name.at, PyBytes_AS_STRING(plan.wire_name), message.name.size) == 0
        ):
            return None
        try:
            self.version = self.table.version
            self.plan = self.table.find(message)
        except Exception as error:
            self.plan = None
            return error
        return None

    cdef bint prepare_intercepted(self) except -1:
        cdef Call call = Call.__new__(Call)
        # Said when the interceptors have let the call through.
        call.missing = self.find_plan()
        call.method = self.plan.name if call.missing is None else self.session.message.name_text()
        call.parameters = self.session.message.parameters
        call.flags = self.session.flags
        call.sensitive = self.plan is not None and self.plan.sensitive
        call.context = self.new_context(call.method)
        call.variables = PyContext_CopyCurrent()
        # It is the handler's, too.
        self.origin.context = call.context
        self.call = call
        return self.go_through(None)

    cdef bint go_through(self, object answer) except -1:
        cdef Call call = self.call
        try:
            while True:
                if answer is None:
                    answer = self.table.interception.begin(call)
                if answer is None:
                    break
                if type(answer) is not CoroutineType:
                    self.result(answer, False)
                    self.settle()
                    return False
                if self.tasks is not None:
                    self.course = self.begin_course()
                    self.await_step(INTERCEPTOR, answer)
                    return False
                answer = self.table.own_loop.wait_for(answer)
            if call.missing is not None:
                raise call.missing
            if self.table.allow is not None and not self.is_allowed():
                return False
        except Exception as error:
            self.fail(error)
            self.settle()
            return False
        self.session.message.parameters = call.parameters
        return True

    cdef Course begin_course(self):
        return self.tasks.begin(self.source, None if self.call is None else self.call.variables)

    cdef object call_handler(self):
        """What the handler returns, called in the context of the call."""
        if self.call is None:
            return self.plan.call(self.session, self.origin)
        PyContext_Enter(self.call.variables)
        try:
            return self.plan.call(self.session, self.origin)
        finally:
            PyContext_Exit(self.call.variables)

    cdef int answer(self) except -1:
        try:
            if self.unbegun is not None:
                value, self.unbegun = self.unbegun, None
            else:
                self.inside = True
                value = self.call_handler()
                self.inside = False
            if self.spent:
                self.drop(value)
            else:
                self.accept(value)
        except Exception as error:
            if self.spent:
                self.complain(error)
            else:
                self.fail(error)
        self.inside = self.spent = False
        if self.stream is None and self.course is None and self.unbegun is None:
            self.settle()
        return 0

    cdef bint run_out(self) except -1:
        if self.waits:
            self.late = True
            self.origin.run_out()
            self.course.cancel()
        elif self.inside and self.session.answering and not self.spent:
            # It cannot be stopped, but its caller need not wait for it.
            self.spent = True
            self.origin.run_out()
            self.fail(TimedOut(self.plan.name))
            return True
        return False

    cdef int drop(self, object value) except -1:
        """Nobody waits for what the handler has returned."""
        if isinstance(value, (GeneratorType, CoroutineType)):
            value.close()
        return 0

    cdef bint is_for_another(self, bint on_loop) except -1:
        if self.stream is not None:
            return self.asynchronous != on_loop
        if self.unbegun is not None:
            return not on_loop
        try:
            self.plan.look()
        except MethodNotImplemented:
            # Whoever calls it says so.
            return False
        return not self.plan.brief and self.plan.awaited != on_loop

    cdef int accept(self, object value) except -1:
        cdef object kind = type(value)
        self.held = NONE_YET
        if kind is GeneratorType:
            self.asynchronous = False
            self.stream = value
        elif kind is CoroutineType or (
            # Looking for what a dict does not have would cost as much as calling the handler.
            self.plan.awaited and kind is not dict and hasattr(kind, "__await__")
        ):
            if self.tasks is None:
                self.accept(self.table.own_loop.wait_for(value))
            elif self.source.reactor is not None and self.source.reactor.leading():
                if self.course is None:
                    self.course = self.begin_course()
                self.await_step(RESULT, value)
            else:
                # It was not to be seen before that this is to be awaited.
                self.unbegun = value
        elif kind is AsyncGeneratorType or (kind is not dict and self.is_awaited(kind)):
            value = value.__aiter__()
            if self.tasks is None:
                self.accept(self.table.own_loop.iterate(value))
            else:
                self.asynchronous = True
                self.stream = value
        elif self.plan.streams and not isinstance(value, Exception):
            # Any iterator will do; a generator also has close() and throw().
            self.asynchronous = False
            self.stream = passed_on(value)
        else:
            self.result(value, False)
        return 0

    cdef bint is_awaited(self, object kind) except -1:
        """Whether replies of this kind are awaited; some can be had in both ways."""
        if not hasattr(kind, "__aiter__"):
            return False
        return self.tasks is not None or not hasattr(kind, "__iter__")

    cdef int await_step(self, Stage stage, object awaitable) except -1:
        self.stage = stage
        if self.course.run(awaitable):
            self.arrive()
        else:
            self.waits = True
        return 0

    cdef int resume(self) except -1:
        self.waits = False
        self.arrive()
        if self.stream is None and self.course is None and not self.ready:
            self.settle()
        return 0

    cdef int arrive(self) except -1:
        cdef Course course = self.course
        cdef object value = course.value
        cdef object failure = course.failure
        course.value = course.failure = None
        if self.stage == LEAVING or self.abandoned:
            return self.take_leave(value, failure)
        if self.late:
            self.late = False
            self.fail(TimedOut(self.plan.name))
            return self.take_leave(value, failure)
        if self.stage == INTERCEPTOR:
            self.end_course()
            if failure is not None:
                self.fail(failure)
            else:
                self.ready = self.go_through(value)
            return 0
        if self.stage == REPLY:
            if failure is None:
                if not self.yielded(value):
                    self.next_reply()
            elif isinstance(failure, StopAsyncIteration):
                # One that is not a generator may bring what it returns.
                self.exhausted(failure.args[0] if failure.args else None)
            else:
                self.broken(failure)
            return 0
        try:
            if failure is not None:
                self.fail(failure)
            else:
                self.accept(value)
        except Exception as error:
            self.fail(error)
        if not self.waits and (self.stream is None or not self.asynchronous):
            self.end_course()
        return 0

    cdef int end_course(self) except -1:
        course, self.course = self.course, None
        if course is not None:
            (<Course> course).end()
        return 0

    cdef int settle(self) except -1:
        cdef Origin origin = self.origin
        # It may have been answered before its handler was called.
        self.session.let_frame_go()
        self.session.received = None
        origin.late = False
        if self.course is None:
            self.abandoned = self.late = False
        if origin.descriptors is not None:
            origin.descriptors.close()
            origin.descriptors = None
        if origin.context is not None:
            self.takeover = origin.context.takeover
            origin.context = None
            origin.endings = None
        if self.call is not None and self.course is None:
            call, self.call = self.call, None
            wrong = self.table.interception.end(call)
            if wrong is not None:
                self.table.explain(call.method, wrong, call.sensitive)
        return 0

    cdef bint is_allowed(self) except -1:
        try:
            if self.table.allow(self.new_context(self.session.message.name_text())):
                return True
            failure = PermissionDenied()
        except Exception as error:
            failure = error
        self.plan = None
        self.fail(failure)
        self.settle()
        return False

    cdef Context new_context(self, str method):
        cdef Context context = Context.__new__(Context)
        context.origin = self.origin
        context.method = method
        context.flags = self.session.flags
        return context

    cdef int result_intercepted(self, object value, bint continues) except -1:
        cdef dict parameters
        if self.plan is None:
            # An interceptor has answered in the place of a method that is not there.
            parameters = dict(value)
        else:
            parameters = self.plan.plain(value)
        parameters = self.table.interception.reply(self.call, parameters, continues)
        if self.table.interception.rewrites and self.plan is not None:
            parameters = self.plan.plain_again(parameters)
        encoded = to_json(parameters) if parameters else None
        if self.origin.descriptors is not None:
            self.session.outgoing = self.origin.descriptors.let_go()
        self.session.reply(encoded, continues)
        return 0

    cdef int result(self, object value, bint continues) except -1:
        if self.call is not None and not self.session.flags & ONEWAY:
            return self.result_intercepted(value, continues)
        if self.session.flags & ONEWAY:
            self.session.reply(None, continues)
        else:
            parameters = self.plan.encode(value)
            if self.origin.descriptors is not None:
                self.session.outgoing = self.origin.descriptors.let_go()
            self.session.reply(parameters, continues)
        return 0

    cdef int step(self) except -1:
        self.next_reply()
        if self.stream is None and self.course is None:
            self.settle()
        return 0

    cdef int next_reply(self) except -1:
        cdef PyObject *given
        cdef object value
        cdef bint ended = False
        if self.asynchronous:
            try:
                awaitable = self.stream.__anext__()
                if self.course is None:
                    # Not before: what has returned the stream may run on another thread.
                    self.course = self.begin_course()
            except Exception as error:
                return self.broken(error)
            return self.await_step(REPLY, awaitable)
        while True:
            given = NULL
            try:
                if self.call is not None:
                    PyContext_Enter(self.call.variables)
                self.inside = True
                try:
                    if self.plan.defaults is None:
                        given = PyIter_Next(self.stream)
                        ended = given == NULL
                    else:
                        ended = PyIter_Send(self.stream, None, &given) == PYGEN_RETURN
                finally:
                    self.inside = False
                    if self.call is not None:
                        PyContext_Exit(self.call.variables)
            except Exception as error:
                if self.spent:
                    self.spent = False
                    self.stream = None
                    return self.complain(error)
                return self.broken(error)
            if self.spent:
                self.spent = False
                if given != NULL:
                    Py_DECREF(given)
                return self.drop_stream()
            value = None
            if given != NULL:
                value = <object> given
                Py_DECREF(given)
            if ended:
                return self.exhausted(value)
            if self.yielded(value):
                return 0

    cdef bint yielded(self, object value) except -1:
        cdef PyObject *found
        cdef bint continues = True
        try:
            if self.plan.defaults is not None:
                if not self.plan.live:
                    value, self.held = self.held, value
                    if value is NONE_YET:
                        return False
            else:
                if isinstance(value, Exception):
                    raise value
                continues = False
                if type(value) is dict:
                    # As it is not declared, it does not get into the reply.
                    found = PyDict_GetItemWithError(value, "_continues")
                    continues = found != NULL and <object> found
                elif isinstance(value, SimpleNamespace):
                    continues = bool(getattr(value, "_continues", False))
                if continues and not self.session.flags & (MORE | ONEWAY):
                    raise ExpectedMore()
            self.result(value, continues)
        except Exception as error:
            self.fail(error)
            self.drop_stream()
            return True
        if not continues:
            self.drop_stream()
        return True

    cdef int exhausted(self, object value) except -1:
        self.stream = None
        try:
            if value is None and self.held is not NONE_YET:
                value, self.held = self.held, NONE_YET
            if self.held is not NONE_YET:
                self.result(self.held, True)
            # One that is not typed has left without a final reply; an empty one is sent where it is legal.
            self.result(value, False)
        except Exception as error:
            self.fail(error)
        self.held = NONE_YET
        self.end_course()
        return 0

    cdef int broken(self, object error) except -1:
        self.stream = None
        held, self.held = self.held, NONE_YET
        try:
            if held is not NONE_YET:
                self.result(held, True)
        except Exception as fault:
            error = fault
        self.fail(error)
        self.end_course()
        return 0

    cdef int fail(self, object error) except -1:
        cdef bytes name
        cdef bytes parameters
        cdef object method = self.plan.name if self.plan is not None else None
        cdef bint sensitive = self.plan is not None and self.plan.sensitive
        self.session.let_frame_go()
        self.session.outgoing = None
        if self.call is not None:
            if not isinstance(error, Exception):
                error = RuntimeError(f"It ended with {error!r}.")
            error = self.table.interception.fail(self.call, error)
        if self.origin.context is not None:
            self.origin.context.takeover = None
        name, parameters = self.table.explain(method, error, sensitive)
        try:
            self.session.error(name, parameters)
        except MessageTooLarge as too_large:
            name, parameters = self.table.explain(method, too_large, sensitive)
            self.session.error(name, parameters)
        return 0

    cdef int drop_stream(self) except -1:
        """Its last reply is out, or its failure."""
        self.held = NONE_YET
        if self.stream is None:
            return 0
        if self.asynchronous:
            return self.leave()
        stream, self.stream = self.stream, None
        try:
            stream.close()
        except Exception as error:
            # The reply is out; there is nobody left to tell but the log.
            self.complain(error)
        return 0

    cdef int leave(self) except -1:
        """Has an asynchronous stream end where it is."""
        stream, self.stream = self.stream, None
        try:
            close = getattr(stream, "aclose", None)
            if close is not None:
                return self.await_step(LEAVING, close())
        except Exception as error:
            self.complain(error)
        return self.end_course()

    cdef int take_leave(self, object value, object failure) except -1:
        """Something is over that nobody waits for."""
        if failure is None:
            if self.stream is not None:
                # It has yielded once more.
                return self.leave()
            if isinstance(value, GeneratorType):
                value.close()
            elif isinstance(value, AsyncGeneratorType):
                self.asynchronous = True
                self.stream = value
                return self.leave()
        elif isinstance(failure, Exception) and not isinstance(failure, StopAsyncIteration):
            self.complain(failure)
        self.stream = None
        self.session.answering = False
        return self.end_course()

    cdef int complain(self, object error) except -1:
        self.table.explain(self.plan.name, error, self.plan.sensitive)
        return 0

    cdef int abort(self, object reason) except -1:
        self.held = NONE_YET
        if self.call is not None and self.call.error is None:
            self.call.error = reason
        if self.unbegun is not None:
            unbegun, self.unbegun = self.unbegun, None
            unbegun.close()
        if self.course is not None:
            if not self.abandoned:
                self.abandoned = True
                if self.waits:
                    self.course.cancel()
                else:
                    self.leave()
                    if self.course is None:
                        self.settle()
            return 0
        stream, self.stream = self.stream, None
        if stream is None:
            return 0
        if self.asynchronous:
            # It has not begun.
            self.settle()
            return 0
        try:
            stream.throw(reason)
            # It caught the exception and went on; now it must end.
            stream.close()
        except StopIteration:
            pass
        except Exception as error:
            if error is not reason:
                self.complain(error)
        self.settle()
        return 0


def respond(MethodTable table not None, message not None, server, request, limits):
    """Answer one call, without a connection: a generator of its replies, none with a NUL at the end.

    message is the call's bytes, with or without its NUL; none at all is no call. Throw an exception into
    the generator when a reply cannot be delivered; the handler's own generator gets it.
    """
    cdef ServerSession session = ServerSession(limits)
    cdef Origin origin = Origin(server, request)
    cdef Answerer answerer = Answerer(session, table, origin)
    cdef bytes call = bytes(message)
    if not call:
        return
    session.receive(call if call.endswith(b"\0") else call + b"\0")
    if session.next_call() != MESSAGE:
        raise ProtocolError(f"This is not one call. {session.complaint()}")
    try:
        if answerer.prepare():
            answerer.answer()
        while True:
            if answerer.stream is not None:
                answerer.step()
            reply = session.data_to_send()
            if reply:
                yield reply[:-1]
            if answerer.stream is None:
                return
    except GeneratorExit:
        origin.depart()
        answerer.drop_stream()
        raise
    except Exception as failure:
        origin.depart()
        answerer.abort(failure)
    finally:
        origin.let_go()
