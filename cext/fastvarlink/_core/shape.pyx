# cython: language_level=3str
"""The program's own classes for structs and enums: their objects are made and taken apart here."""

cimport cython
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from fastvarlink._core.value cimport Fault, fail, within

cdef extern from "Python.h":
    object PyObject_Vectorcall(
        object function, PyObject *const *arguments, size_t count, PyObject *names
    )

cdef enum:
    ON_STACK = 32  # attributes that are passed without a dict

REQUIRED = object()


@cython.final
cdef class Factory:
    """Makes the value of an attribute that is missing, anew for each object."""

    cdef object make

    def __init__(self, make):
        self.make = make


@cython.final
cdef class StructShape:
    """A class whose objects stand for structs.

    names are those of the fields, attributes what the class calls them, absent what it is called with where a
    field is missing: a value, a Factory of one, or REQUIRED where that cannot be.
    """

    def __init__(self, cls not None, tuple names not None, tuple attributes not None, tuple absent not None):
        if len(attributes) != len(names) or len(absent) != len(names):
            raise TypeError(f"{cls.__name__} needs an attribute and a default for each of {names}.")
        self.cls = cls
        self.names = names
        self.attributes = attributes
        self.absent = absent

    cdef object make(self, dict members, Fault fault):
        cdef PyObject *arguments[ON_STACK]
        cdef PyObject *found
        cdef Py_ssize_t i
        cdef Py_ssize_t count = PyTuple_GET_SIZE(self.names)
        cdef dict many = {} if count > ON_STACK else None
        cdef list made = None  # keeps what was made here until the object has it
        for i in range(count):
            # Borrowed from members, from absent or from made, which outlive the call.
            found = PyDict_GetItemWithError(members, <object> PyTuple_GET_ITEM(self.names, i))
            if found == NULL:
                found = PyTuple_GET_ITEM(self.absent, i)
                if <object> found is REQUIRED:
                    # Of a reply: a dict can do without it, an object cannot.
                    fail(fault, "is missing")
                    return within(fault, <object> PyTuple_GET_ITEM(self.names, i))
                if type(<object> found) is Factory:
                    if made is None:
                        made = []
                    made.append((<Factory> <object> found).make())
                    found = <PyObject *> made[len(made) - 1]
            if many is None:
                arguments[i] = found
            else:
                many[<object> PyTuple_GET_ITEM(self.attributes, i)] = <object> found
        try:
            if many is not None:
                return self.cls(**many)
            return PyObject_Vectorcall(self.cls, arguments, 0, <PyObject *> self.attributes)
        except ValueError as error:
            # The class has its own idea of what fits.
            return fail(fault, f"is refused by {self.cls.__name__}: {error}")

    cdef dict take_apart(self, object value):
        cdef Py_ssize_t i
        cdef dict members = {}
        for i in range(PyTuple_GET_SIZE(self.names)):
            attribute = getattr(value, <str> PyTuple_GET_ITEM(self.attributes, i), None)
            if attribute is not None:
                members[<object> PyTuple_GET_ITEM(self.names, i)] = attribute
        return members


@cython.final
cdef class EnumShape:
    """An enum.Enum whose members stand for values. members has them by what goes over the wire."""

    def __init__(self, dict members not None):
        self.members = members
        self.cls = type(next(iter(members.values())))

    cdef object value_of(self, object member):
        if type(member) is self.cls:
            for value, known in self.members.items():
                if known is member:
                    return value
        return member
