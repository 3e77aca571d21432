# cython: language_level=3str
"""Values that JSON can carry, and what is wrong with those that it cannot."""

cimport cython
from cpython.dict cimport PyDict_Check
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check
from cpython.list cimport PyList_Check
from cpython.long cimport PyLong_Check
from cpython.tuple cimport PyTuple_Check
from cpython.unicode cimport PyUnicode_Check
from libc.math cimport isfinite

from collections.abc import Mapping, Set
from types import SimpleNamespace

from orjson import dumps

from fastvarlink.error import EncodingError, VarlinkError

cdef extern from "Python.h":
    int PyBool_Check(object value)
    object PyObject_CallOneArg(object function, object argument)
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow) except? -1

cdef object MISMATCH = object()
cdef object LARGEST = 2**64 - 1
cdef str TOO_DEEP = f"is nested more than {<int> DEEPEST} levels deep, which is more than can be sent"


# It holds strings and numbers, of which nothing leads back to it.
@cython.no_gc
@cython.final
@cython.freelist(8)
cdef class Fault:
    cdef str place(self):
        cdef str text = ""
        cdef object step
        for step in reversed(self.path or ()):
            if type(step) is int:
                text += f"[{step}]"
            elif text:
                text += "." + step
            else:
                text = step
        return text


cdef object fail(Fault fault, str reason):
    fault.path = []
    fault.reason = reason
    return MISMATCH


cdef object unsendable(Fault fault, str reason):
    fault.unsendable = True
    return fail(fault, reason)


cdef object within(Fault fault, object step):
    fault.path.append(step)
    return MISMATCH


cdef object send_int(object value, Fault fault):
    cdef int overflow = 0
    PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow < 0 or (overflow > 0 and value > LARGEST):
        return unsendable(fault, f"is {value}, which does not fit into 64 bits")
    return value


cdef object send_any(object value, Fault fault):
    """A value without a declared type: JSON's own types, and what VarlinkEncoder adds to them."""
    if value is None or PyUnicode_Check(value) or PyBool_Check(value):
        return value
    if PyLong_Check(value):
        return send_int(value, fault)
    if PyFloat_Check(value):
        if isfinite(PyFloat_AS_DOUBLE(value)):
            return value
        return unsendable(fault, f"is {value}, which JSON cannot carry")
    if fault.depth == DEEPEST:
        return unsendable(fault, TOO_DEEP)
    fault.depth += 1
    sent = send_any_container(value, fault)
    fault.depth -= 1
    return sent


cdef object send_any_container(object value, Fault fault):
    if PyDict_Check(value):
        return send_any_members(<dict> value, fault)
    if PyList_Check(value) or PyTuple_Check(value):
        return send_any_elements(value, fault)
    if isinstance(value, Set):
        return send_any_members({item: {} for item in value}, fault)
    if isinstance(value, SimpleNamespace):
        return send_any_members(vars(value), fault)
    if isinstance(value, VarlinkError):
        return send_any_members(value.as_dict(), fault)
    if isinstance(value, Mapping):
        return send_any_members(dict(value), fault)
    return unsendable(fault, f"is a {type(value).__name__}, which JSON cannot carry")


cdef object send_any_members(dict value, Fault fault):
    cdef dict copy = None
    cdef object sent
    for key, item in value.items():
        if not PyUnicode_Check(key):
            return unsendable(fault, f"has the key {key!r}, which is not a string")
        sent = send_any(item, fault)
        if sent is MISMATCH:
            return within(fault, key)
        if sent is not item:
            if copy is None:
                copy = dict(value)
            copy[key] = sent
    return value if copy is None else copy


cdef object send_any_elements(object value, Fault fault):
    cdef Py_ssize_t i = 0
    cdef list copy = None
    cdef object sent
    for item in value:
        sent = send_any(item, fault)
        if sent is MISMATCH:
            return within(fault, i)
        if sent is not item:
            if copy is None:
                copy = list(value)
            copy[i] = sent
        i += 1
    return value if copy is None else copy


cdef bytes to_json(object value):
    cdef Fault fault
    try:
        return PyObject_CallOneArg(dumps, value)
    except TypeError as error:
        # Only now is it worth to look for the place.
        fault = Fault.__new__(Fault)
        if find_half(value, fault):
            raise EncodingError(fault.place(), fault.reason)
        raise EncodingError("", f"cannot be sent: {error}")


cdef bint find_half(object value, Fault fault):
    """Whether there is a string with half of a surrogate pair; then fault says where."""
    if PyUnicode_Check(value):
        try:
            value.encode()
            return False
        except UnicodeEncodeError:
            fail(fault, "has half of a surrogate pair, which is no character")
            return True
    if PyDict_Check(value):
        for key, item in value.items():
            if find_half(key, fault):
                return True
            if find_half(item, fault):
                within(fault, key)
                return True
    elif PyList_Check(value) or PyTuple_Check(value):
        for i, item in enumerate(value):
            if find_half(item, fault):
                within(fault, i)
                return True
    return False
