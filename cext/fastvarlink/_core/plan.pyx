# cython: language_level=3str
"""What is known of a method before it is called, and how its handler is called.

A plan holds what can be found out in advance, so that a call costs a comparison of names, the checks, and the
handler. Handlers are looked up as attributes at each call all the same: programs replace them at run time.
"""

from cpython.dict cimport PyDict_Check, PyDict_GetItemWithError
from cpython.method cimport PyMethod_Check, PyMethod_GET_FUNCTION
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM

from orjson import loads

from fastvarlink._core.context cimport Context, Origin
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.countdown cimport Countdown
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE, Message
from fastvarlink._core.schema cimport CALL_IN, REPLY_OUT, Checker
from fastvarlink._core.session cimport ServerSession
from fastvarlink._core.value cimport Fault, send_any, to_json
from fastvarlink.error import (
    EncodingError,
    ExpectedMore,
    ExpectedUpgrade,
    InvalidParameter,
    MethodNotImplemented,
    ResultMismatch,
)

cdef extern from "Python.h":
    object PyObject_Vectorcall(
        object function, PyObject *const *arguments, size_t count, PyObject *names
    )
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    object PyObject_Call(object function, object arguments, object keywords)

# No handler is this, not even a missing one.
cdef object NONE_YET = object()

cdef enum:
    ON_STACK = 16  # parameters that are passed without a tuple

KEYWORDS = {
    "_more": WANTS_MORE,
    "_oneway": WANTS_ONEWAY,
    "_upgrade": WANTS_UPGRADE,
    "_raw": WANTS_RAW,
    "_message": WANTS_MESSAGE,
    "_interface": WANTS_INTERFACE,
    "_method": WANTS_METHOD,
    "_server": WANTS_SERVER,
    "_request": WANTS_REQUEST,
    "_context": WANTS_CONTEXT,
    "_descriptors": WANTS_DESCRIPTORS,
}


cdef object refusal(Fault fault):
    """What is to be raised for a result that cannot be sent."""
    kind = EncodingError if fault.unsendable else ResultMismatch
    return kind(fault.place(), fault.reason)


cdef class MethodPlan:
    """How one method is called.

    name is qualified; takes and gives are Checkers of structs; target has the attribute that handles the
    method; interface and method are what handlers get as _interface and _method; keywords_of(handler)
    returns the bits of KEYWORDS a handler declares, and whether what it returns is to be awaited;
    encoder_of() returns the program's own encoder of results, a function from a result to JSON's own types,
    or None. Without checked, results are not compared with gives.

    A typed handler, one that was declared by its annotations, has defaults: what it gets for each parameter
    that is not there. It returns what gives is a shape of, or the result that is called only. When it
    streams, each thing it yields is a reply, and so is what it returns if that is not None; the last of them
    is held back until it is known to be the last, unless it is live.

    upgrades says that calls have to ask for an upgrade. descriptors is how many file descriptors have to come
    with a call, -1 if any number may, -2 if the interface uses none. sensitive says that no value of a call
    or of its replies may get into a log. brief says that the handler never blocks. timeout is how many
    seconds the handler has, and each reply of a stream, None for any number.
    """

    def __init__(
        self,
        str name not None,
        Checker takes not None,
        Checker gives not None,
        object target,
        str attribute not None,
        *,
        object interface,
        object method,
        bint namespaced,
        object keywords_of,
        object encoder_of,
        bint checked=True,
        tuple defaults=None,
        str only=None,
        bint streams=False,
        bint live=False,
        bint upgrades=False,
        int descriptors=UNUSED,
        bint sensitive=False,
        bint brief=False,
        timeout=None,
    ):
        self.name = name
        self.takes = takes
        self.gives = gives
        self.target = target
        self.attribute = attribute
        self.interface = interface
        self.method = method
        self.namespaced = namespaced
        self.keywords_of = keywords_of
        self.encoder_of = encoder_of
        self.encoder = encoder_of()
        self.checked = checked
        self.defaults = defaults
        self.only = only
        self.streams = streams
        self.live = live
        self.upgrades = upgrades
        self.descriptors = descriptors
        self.sensitive = sensitive
        self.brief = brief
        self.limit = None if timeout is None else Countdown(timeout)
        self.wire_name = name.encode()
        self.function = NONE_YET

    cdef object find(self):
        """The handler. Programs replace it, so it is looked up for each call."""
        cdef object handler = getattr(self.target, self.attribute, None)
        cdef object function = handler
        if PyMethod_Check(handler):
            function = <object> PyMethod_GET_FUNCTION(handler)
        if function is not self.function:
            if not callable(handler):
                raise MethodNotImplemented(self.name)
            self.keywords, self.awaited = self.keywords_of(handler)
            self.function = function
        return handler

    cdef int look(self) except -1:
        self.find()
        return 0

    cdef object call(self, ServerSession session, Origin origin):
        cdef Message message = session.message
        cdef Fault fault
        cdef dict parameters
        cdef dict keywords
        cdef bytes raw = None
        cdef object whole = None
        cdef object handler = self.find()
        cdef PyObject *arguments[ON_STACK + 1]
        cdef PyObject *found
        cdef Context context
        cdef int wants
        cdef Py_ssize_t i
        cdef Py_ssize_t count = len(self.takes.names)

        if self.streams and not message.flags & (MORE | ONEWAY):
            raise ExpectedMore()
        if self.upgrades and not message.flags & UPGRADE:
            raise ExpectedUpgrade()
        if session.received is not None or self.descriptors > 0:
            self.check_descriptors(session)
        # Another call of this method may find another function while this one runs.
        wants = self.keywords
        if wants & (WANTS_RAW | WANTS_MESSAGE):
            raw = message.raw()
        session.let_frame_go()
        if wants & WANTS_MESSAGE:
            # Decoded anew: it shows what was sent, not what the checks make of it.
            whole = loads(raw)

        fault = Fault.__new__(Fault)
        parameters = self.takes.receive_members(
            message.parameters, CALL_IN, self.namespaced, fault
        )
        if parameters is None:
            raise InvalidParameter(fault.place())

        if wants == 0 and count <= ON_STACK:
            for i in range(count):
                found = PyDict_GetItemWithError(
                    parameters, <object> PyTuple_GET_ITEM(self.takes.names, i)
                )
                if found == NULL:
                    found = <PyObject *> None
                    if self.defaults is not None:
                        found = PyTuple_GET_ITEM(self.defaults, i)
                # Borrowed from parameters or the plan, which outlive the call.
                arguments[i + 1] = found
            return PyObject_Vectorcall(
                handler, arguments + 1, <size_t> count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL
            )

        keywords = {}
        if wants & WANTS_MORE and message.flags & MORE:
            keywords["_more"] = True
        if wants & WANTS_ONEWAY and message.flags & ONEWAY:
            keywords["_oneway"] = True
        if wants & WANTS_UPGRADE and message.flags & UPGRADE:
            keywords["_upgrade"] = True
        if wants & WANTS_RAW:
            keywords["_raw"] = raw
        if wants & WANTS_MESSAGE:
            keywords["_message"] = whole
        if wants & WANTS_INTERFACE:
            keywords["_interface"] = self.interface
        if wants & WANTS_METHOD:
            keywords["_method"] = self.method
        if wants & WANTS_SERVER:
            keywords["_server"] = origin.server
        if wants & WANTS_REQUEST:
            keywords["_request"] = origin.expose()
        if wants & WANTS_CONTEXT:
            if origin.context is None:
                origin.context = context = Context.__new__(Context)
                context.origin = origin
                context.method = self.name
                context.flags = message.flags
            # Interceptors may have got it before.
            keywords["_context"] = context = origin.context
            context.sensitive = self.sensitive
        if wants & WANTS_DESCRIPTORS:
            keywords["_descriptors"] = origin.descriptors = Descriptors()
            origin.descriptors.received = session.received
        return PyObject_Call(handler, tuple(self.arguments(parameters)), keywords)

    cdef int check_descriptors(self, ServerSession session) except -1:
        cdef int count = 0 if session.received is None else session.received.count
        cdef int wanted = self.descriptors
        if wanted == UNUSED:
            session.received = None
        elif wanted == ANY_NUMBER and not self.keywords & WANTS_DESCRIPTORS:
            # Nobody would take them.
            wanted = 0
        if wanted >= 0 and count != wanted:
            raise InvalidParameter("descriptors")
        return 0

    cdef list arguments(self, dict parameters):
        if self.defaults is None:
            return [parameters.get(name) for name in self.takes.names]
        return [
            parameters.get(name, default)
            for name, default in zip(self.takes.names, self.defaults)
        ]

    cdef bytes encode(self, object result):
        """The bytes of a result's object, None for an empty one."""
        cdef dict sent = self.plain(result)
        return to_json(sent) if sent else None

    cdef dict plain_again(self, dict members):
        cdef Fault fault = Fault.__new__(Fault)
        cdef dict sent = self.gives.send_members(members, REPLY_OUT, fault)
        if sent is None:
            raise refusal(fault)
        return sent

    cdef dict plain(self, object result):
        cdef Fault fault = Fault.__new__(Fault)
        cdef dict sent
        cdef object plain
        if self.only is not None:
            result = {self.only: result}
        elif self.encoder is not None:
            result = self.encoder(result)
        if result is None or (self.defaults is None and not result):
            result = {}
        if self.checked or self.defaults is not None:
            sent = self.gives.send_members(result, REPLY_OUT, fault)
        else:
            plain = send_any(result, fault)
            sent = plain if PyDict_Check(plain) else None
        if sent is None and self.encoder is None:
            # The program may have brought an encoder since the plan was made.
            self.encoder = self.encoder_of()
            if self.encoder is not None:
                return self.plain(result)
        if sent is None:
            raise refusal(fault)
        return sent
