# cython: language_level=3str
"""From a call to its handler and back, without I/O."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from libc.string cimport memcmp

from types import GeneratorType, SimpleNamespace

from fastvarlink._core.context cimport Context, Origin
from fastvarlink._core.message cimport MORE, ONEWAY, Message
from fastvarlink._core.plan cimport MethodPlan
from fastvarlink._core.session cimport MESSAGE, ServerSession
from fastvarlink.error import ExpectedMore, MessageTooLarge, PermissionDenied, ProtocolError

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
    if given, says whether a call may be made. All are called from any thread.
    """

    def __init__(self, resolve, explain, allow=None):
        self.plans = {}
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
        if not message.name_escaped:
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
        cdef Message message = self.session.message
        cdef MethodPlan plan = self.plan
        if self.table.allow is not None and not self.is_allowed():
            return False
        if (
            plan is not None
            and self.version == self.table.version
            and message.name.size == <size_t> PyBytes_GET_SIZE(plan.wire_name)
            and not message.name_escaped
            and memcmp(message.name.at, PyBytes_AS_STRING(plan.wire_name), message.name.size) == 0
        ):
            return True
        try:
            self.version = self.table.version
            self.plan = self.table.find(message)
        except Exception as error:
            self.plan = None
            self.fail(error)
            self.settle()
            return False
        return True

    cdef int answer(self) except -1:
        try:
            value = self.plan.call(self.session, self.origin)
            if type(value) is GeneratorType:
                self.stream = value
                self.held = NONE_YET
            elif self.plan.streams and not isinstance(value, Exception):
                # Any iterator will do; a generator also has close() and throw().
                self.stream = passed_on(value)
                self.held = NONE_YET
            else:
                self.result(value, False)
        except Exception as error:
            self.fail(error)
        if self.stream is None:
            self.settle()
        return 0

    cdef int settle(self) except -1:
        cdef Origin origin = self.origin
        self.session.received = None
        if origin.descriptors is not None:
            origin.descriptors.close()
            origin.descriptors = None
        if origin.context is not None:
            self.takeover = origin.context.takeover
            origin.context = None
            origin.endings = None
        return 0

    cdef bint is_allowed(self) except -1:
        cdef Context context = Context.__new__(Context)
        context.origin = self.origin
        context.method = self.session.message.name_text()
        context.flags = self.session.flags
        try:
            if self.table.allow(context):
                return True
            failure = PermissionDenied()
        except Exception as error:
            failure = error
        self.plan = None
        self.fail(failure)
        self.settle()
        return False

    cdef int result(self, object value, bint continues) except -1:
        if self.session.flags & ONEWAY:
            self.session.reply(None, continues)
        else:
            parameters = self.plan.encode(value)
            if self.origin.descriptors is not None:
                self.session.outgoing = self.origin.descriptors.let_go()
            self.session.reply(parameters, continues)
        return 0

    cdef int step(self) except -1:
        self.step_once()
        if self.stream is None:
            self.settle()
        return 0

    cdef int step_once(self) except -1:
        cdef PyObject *given
        cdef object value
        cdef bint continues = False
        if self.plan.defaults is not None:
            return self.step_typed()
        try:
            given = PyIter_Next(self.stream)
        except Exception as error:
            self.stream = None
            self.fail(error)
            return 0
        if given == NULL:
            self.stream = None
            try:
                # The generator left without a final reply; an empty one is sent where it is legal.
                self.result(None, False)
            except Exception as error:
                self.fail(error)
            return 0
        value = <object> given
        Py_DECREF(given)
        try:
            if isinstance(value, Exception):
                raise value
            if type(value) is dict:
                # As it is not declared, it does not get into the reply.
                given = PyDict_GetItemWithError(value, "_continues")
                continues = given != NULL and <object> given
            elif isinstance(value, SimpleNamespace):
                continues = bool(getattr(value, "_continues", False))
            if continues and not self.session.flags & (MORE | ONEWAY):
                raise ExpectedMore()
            self.result(value, continues)
        except Exception as error:
            self.drop_stream()
            self.fail(error)
            return 0
        if not continues:
            self.drop_stream()
        return 0

    cdef int step_typed(self) except -1:
        cdef PyObject *given = NULL
        cdef bint ended = False
        cdef object value
        try:
            while not ended:
                try:
                    ended = PyIter_Send(self.stream, None, &given) == PYGEN_RETURN
                except Exception as error:
                    self.stream = None
                    if self.held is not NONE_YET:
                        self.result(self.held, True)
                    self.fail(error)
                    break
                value = <object> given
                Py_DECREF(given)
                if ended:
                    self.stream = None
                    if value is None and self.held is not NONE_YET:
                        value, self.held = self.held, NONE_YET
                    if self.held is not NONE_YET:
                        self.result(self.held, True)
                    self.result(value, False)
                elif self.plan.live:
                    self.result(value, True)
                    return 0
                else:
                    value, self.held = self.held, value
                    if value is not NONE_YET:
                        self.result(value, True)
                        return 0
        except Exception as error:
            self.drop_stream()
            self.fail(error)
        self.held = NONE_YET
        return 0

    cdef int fail(self, object error) except -1:
        cdef bytes name
        cdef bytes parameters
        cdef object method = self.plan.name if self.plan is not None else None
        cdef bint sensitive = self.plan is not None and self.plan.sensitive
        self.session.let_frame_go()
        self.session.outgoing = None
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
        stream, self.stream = self.stream, None
        self.held = NONE_YET
        if stream is not None:
            try:
                stream.close()
            except Exception as error:
                # The reply is out; there is nobody left to tell but the log.
                self.table.explain(self.plan.name, error, self.plan.sensitive)
        return 0

    cdef int abort(self, object reason) except -1:
        stream, self.stream = self.stream, None
        if stream is None:
            return 0
        try:
            stream.throw(reason)
            # It caught the exception and went on; now it must end.
            stream.close()
        except StopIteration:
            pass
        except Exception as error:
            if error is not reason:
                self.table.explain(self.plan.name, error, self.plan.sensitive)
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
