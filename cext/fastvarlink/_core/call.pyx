# cython: language_level=3str
"""From a program's arguments to a call, and from a reply to its result."""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from types import SimpleNamespace

from orjson import dumps

from fastvarlink._core.message cimport ERROR, MORE, ONEWAY, Message
from fastvarlink._core.schema cimport CALL_OUT, REPLY_IN, Checker
from fastvarlink._core.session cimport ClientSession
from fastvarlink._core.value cimport MISMATCH, Fault, to_json
from fastvarlink.error import EncodingError, InvalidParameter


cdef class CallPlan:
    """How one method is called: its qualified name and the Checkers of its parameters and results.

    error_of(message, namespaced) turns an error reply into the exception to raise; encoder, if any,
    turns parameters into JSON's own types. typed says that results are objects of the program's classes, and
    None where the method returns nothing.
    """

    def __init__(
        self,
        str name not None,
        Checker takes not None,
        Checker gives not None,
        error_of,
        encoder=None,
        bint typed=False,
    ):
        self.name = name
        self.wire_name = dumps(name)
        self.takes = takes
        self.gives = gives
        self.error_of = error_of
        self.encoder = encoder
        self.typed = typed

    cdef dict named(self, tuple arguments, dict keywords):
        """Positional arguments come in the order of declaration; None is for what is not given."""
        cdef Py_ssize_t i
        cdef Py_ssize_t positional = PyTuple_GET_SIZE(arguments)
        cdef PyObject *found
        cdef object value
        cdef dict parameters = {}
        for i in range(PyTuple_GET_SIZE(self.takes.names)):
            name = <object> PyTuple_GET_ITEM(self.takes.names, i)
            if i < positional:
                value = <object> PyTuple_GET_ITEM(arguments, i)
            else:
                found = PyDict_GetItemWithError(keywords, name)
                if found == NULL:
                    continue
                value = <object> found
            if value is not None:
                parameters[name] = value
        return parameters

    cdef bytes encode(self, tuple arguments, dict keywords):
        return self.encode_named(self.named(arguments, keywords))

    cdef bytes encode_named(self, dict parameters):
        cdef Fault fault
        if not parameters:
            return None
        if self.encoder is not None:
            parameters = self.encoder(parameters)
        fault = Fault.__new__(Fault)
        parameters = self.takes.send_members(parameters, CALL_OUT, fault)
        if parameters is None:
            if fault.unsendable:
                raise EncodingError(fault.place(), fault.reason)
            raise InvalidParameter(fault.place())
        return to_json(parameters)

    def parameters(self, tuple arguments, dict keywords):
        """The bytes of the object that carries these arguments, b"{}" when there are none."""
        return self.encode(arguments, keywords) or b"{}"

    def result(self, dict parameters not None, bint namespaced):
        """What the caller gets for the parameters of a reply, which are changed in place.

        InvalidParameter names the first that is not of its declared type.
        """
        return self.decode(parameters, namespaced)

    def send(self, ClientSession session not None, bytes parameters not None, bint more, bint oneway):
        """Queue a call with the parameters that parameters() has made.

        MessageTooLarge over the limit; nothing has been queued then.
        """
        cdef int flags = (MORE if more else 0) | (ONEWAY if oneway else 0)
        session.call(self.wire_name, None if parameters == b"{}" else parameters, flags)

    def answer(self, ClientSession session not None, bint namespaced):
        """What the caller gets for the reply that the session has taken; raises what an error reply says.

        InvalidParameter names the first result that is not of its declared type.
        """
        return self.read(session.message, namespaced)

    cdef object read(self, Message message, bint namespaced):
        if message.seen & ERROR:
            raise self.error_of(
                {"error": message.name_text(), "parameters": message.parameters}, namespaced
            )
        return self.decode(message.parameters, namespaced)

    cdef int lost(self, object failure) except -1:
        return 0

    cdef object decode(self, dict parameters, bint namespaced):
        cdef Fault fault = Fault.__new__(Fault)
        cdef dict checked = self.gives.receive_members(parameters, REPLY_IN, namespaced, fault)
        cdef object shaped
        if checked is None:
            raise InvalidParameter(fault.place())
        if self.gives.shape is not None:
            shaped = self.gives.shape.make(checked, fault)
            if shaped is MISMATCH:
                raise InvalidParameter(fault.place())
            return shaped
        if self.typed and not self.gives.names:
            return None
        return SimpleNamespace(**checked) if namespaced else checked
