# cython: language_level=3str
"""Checkers made from IDL types.

Received values come fresh from the JSON decoder, so they are changed in place: a set takes the place of
the object that stands for it, a float that of an int given for a float. Values to be sent belong to the
caller and are never touched; what has to change is copied, and only that.

Nothing is coerced beyond this: 1.0 is no int, true is no number, "1" is nothing but a string.
"""

cimport cython
from cpython.dict cimport PyDict_Check, PyDict_CheckExact, PyDict_GetItemWithError, PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact
from cpython.list cimport PyList_Check, PyList_CheckExact
from cpython.long cimport PyLong_Check, PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_ITEM
from cpython.unicode cimport PyUnicode_Check
from libc.math cimport isfinite

from collections.abc import Mapping, Set
from sys import intern
from types import SimpleNamespace

from fastvarlink._core.shape cimport EnumShape, StructShape
from fastvarlink._core.value cimport (
    DEEPEST,
    MISMATCH,
    TOO_DEEP,
    Fault,
    fail,
    send_any,
    send_int,
    to_json,
    unsendable,
    within,
)
from fastvarlink._core.shape import REQUIRED
from fastvarlink.error import EncodingError, InvalidParameter, ResultMismatch

cdef extern from "Python.h":
    int PyUnicode_CheckExact(object value)
    int PyBool_Check(object value)

KINDS = {
    "bool": BOOL,
    "int": INT,
    "float": FLOAT,
    "string": STRING,
    "object": OBJECT,
    "any": ANY,
    "enum": ENUM,
    "array": ARRAY,
    "map": MAP,
    "set": SET,
    "struct": STRUCT,
}

cdef dict EXPECTED = {
    BOOL: "must be a bool",
    INT: "must be an int",
    FLOAT: "must be a float",
    STRING: "must be a string",
    OBJECT: "must be an object",
    ANY: "must not be null",
    ENUM: "must be one of the declared values",
    ARRAY: "must be an array",
    MAP: "must be an object of string to value",
    SET: "must be a set of strings",
    STRUCT: "must be an object with the declared fields",
}


@cython.final
cdef class Checker:
    """A compiled type.

    kind is one of KINDS; element a Checker (array, map); values strings (enum). The fields of a struct
    are given afterwards with define(), so that a type can contain itself. A program that has a class of its
    own for a struct or an enum names it with shape() or shape_enum(), and then gets and gives objects of it.
    """

    def __init__(self, str kind not None, bint nullable=False, Checker element=None, values=()):
        self.kind = KINDS[kind]
        self.nullable = nullable
        self.element = element
        self.values = frozenset(values)
        self.names = self.fields = ()

    def define(self, dict fields not None):
        """Set the fields of a struct: a dict of name to Checker, in the order of declaration."""
        cdef Checker checker
        for checker in fields.values():
            if checker is None:
                raise TypeError("A field of a struct has no Checker.")
        self.names = tuple(map(intern, fields))
        self.fields = tuple(fields.values())

    def shape_struct(self, cls not None, tuple attributes not None, tuple absent not None):
        """Have objects of a class stand for a struct, whose fields have been defined.

        attributes are its names for the fields, in their order; absent has what it is called with for each
        that is missing: a value, or a Factory of one. A field that is not nullable has to be there.
        """
        self.shape = StructShape(
            cls,
            self.names,
            attributes,
            tuple([
                default if (<Checker> checker).nullable else REQUIRED
                for checker, default in zip(self.fields, absent)
            ]),
        )

    def shape_enum(self, dict members not None):
        """Have members of an enum.Enum stand for values, by which members has them."""
        self.choice = EnumShape(members)

    def take(self, dict parameters not None):
        """What a handler gets for the parameters of a call, which are changed in place.

        InvalidParameter names the first that does not fit (rule P1).
        """
        cdef Fault fault = Fault.__new__(Fault)
        cdef dict taken = self.receive_members(parameters, CALL_IN, False, fault)
        if taken is None:
            raise InvalidParameter(fault.place())
        return taken

    def accept(self, dict parameters not None):
        """What a caller gets for the parameters of a reply or an error, which are changed in place.

        What is not declared is dropped, and nothing has to be there (rule R4); with a class for the struct it
        is an object of that. InvalidParameter names the first that is not of its type.
        """
        cdef Fault fault = Fault.__new__(Fault)
        cdef object accepted = self.receive(parameters, REPLY_IN, False, fault)
        if accepted is MISMATCH:
            raise InvalidParameter(fault.place())
        return accepted

    def give(self, object value):
        """The object that carries a result or the parameters of an error, as JSON; None for an empty one.

        ResultMismatch if it does not fit, EncodingError if JSON cannot carry it; both say where.
        """
        cdef Fault fault = Fault.__new__(Fault)
        cdef dict sent = self.send_members(value, REPLY_OUT, fault)
        if sent is None:
            if fault.unsendable:
                raise EncodingError(fault.place(), fault.reason)
            raise ResultMismatch(fault.place(), fault.reason)
        return to_json(sent) if sent else None

    cdef object receive(self, object value, Direction direction, bint namespaced, Fault fault):
        cdef Kind kind = self.kind
        if value is None:
            return None if self.nullable else fail(fault, "must not be null")
        if kind == STRING:
            if PyUnicode_CheckExact(value):
                return value
        elif kind == INT:
            if PyLong_CheckExact(value):
                return value
        elif kind == BOOL:
            if PyBool_Check(value):
                return value
        elif kind == FLOAT:
            if PyFloat_CheckExact(value):
                return value
            if PyLong_CheckExact(value):
                return float(value)
        elif kind == STRUCT:
            if PyDict_CheckExact(value):
                value = self.receive_members(<dict> value, direction, namespaced, fault)
                if value is None:
                    return MISMATCH
                if self.shape is not None:
                    return self.shape.make(<dict> value, fault)
                return SimpleNamespace(**value) if namespaced else value
        elif kind == ARRAY:
            if PyList_CheckExact(value):
                return self.receive_array(<list> value, direction, namespaced, fault)
        elif kind == ENUM:
            if PyUnicode_CheckExact(value) and value in self.values:
                return value if self.choice is None else self.choice.members[value]
        elif kind == MAP:
            if PyDict_CheckExact(value):
                return self.receive_map(<dict> value, direction, namespaced, fault)
        elif kind == SET:
            if PyDict_CheckExact(value):
                return self.receive_set(<dict> value, fault)
        elif kind == OBJECT:
            if PyDict_CheckExact(value):
                return value
        else:  # ANY
            return value
        return fail(fault, EXPECTED[kind])

    cdef dict receive_members(
        self, dict value, Direction direction, bint namespaced, Fault fault
    ):
        cdef Py_ssize_t i
        cdef Py_ssize_t known = 0
        cdef PyObject *found
        cdef object item
        cdef object checked
        cdef object name
        cdef Checker checker
        for i in range(len(self.names)):
            name = <object> PyTuple_GET_ITEM(self.names, i)
            checker = <Checker> PyTuple_GET_ITEM(self.fields, i)
            found = PyDict_GetItemWithError(value, name)
            if found == NULL:
                if direction == CALL_IN and not checker.nullable:
                    fail(fault, "is missing")
                    within(fault, name)
                    return None
                continue
            item = <object> found
            if item is None and checker.nullable:
                # Absent and null are the same (rule P2): the receiver sees only the one form.
                del value[name]
                continue
            known += 1
            checked = checker.receive(item, direction, namespaced, fault)
            if checked is MISMATCH:
                within(fault, name)
                return None
            if checked is not item:
                value[name] = checked
        if known != len(value):
            for name in list(value):
                if name not in self.names:
                    if direction == CALL_IN:
                        fail(fault, "is not declared")
                        within(fault, name)
                        return None
                    del value[name]
        return value

    cdef object receive_array(
        self, list value, Direction direction, bint namespaced, Fault fault
    ):
        cdef Py_ssize_t i
        cdef object item
        cdef object checked
        for i in range(len(value)):
            item = value[i]
            checked = self.element.receive(item, direction, namespaced, fault)
            if checked is MISMATCH:
                return within(fault, i)
            if checked is not item:
                value[i] = checked
        return value

    cdef object receive_map(
        self, dict value, Direction direction, bint namespaced, Fault fault
    ):
        cdef object checked
        # Replacing the value of a key that exists does not disturb the iteration.
        for key, item in value.items():
            checked = self.element.receive(item, direction, namespaced, fault)
            if checked is MISMATCH:
                return within(fault, key)
            if checked is not item:
                value[key] = checked
        return value

    cdef object receive_set(self, dict value, Fault fault):
        if self.check_elements(value, fault) is MISMATCH:
            return MISMATCH
        return set(value)

    cdef object check_elements(self, dict value, Fault fault):
        """Whether a dict stands for a set: an empty object for each element; MISMATCH if not."""
        for key, item in value.items():
            if not PyDict_Check(item):
                fail(fault, "must be an empty object, as an element of a set")
                return within(fault, key)
            if len(<dict> item):
                fail(fault, "is not declared")
                within(fault, next(iter(item)))
                return within(fault, key)

    cdef object send(self, object value, Direction direction, Fault fault):
        cdef Kind kind = self.kind
        if value is None:
            return None if self.nullable else fail(fault, "must not be null")
        if kind == STRING:
            if PyUnicode_Check(value):
                return value
        elif kind == INT:
            if PyLong_Check(value) and not PyBool_Check(value):
                return send_int(value, fault)
        elif kind == BOOL:
            if PyBool_Check(value):
                return value
        elif kind == FLOAT:
            if PyFloat_Check(value):
                if isfinite(PyFloat_AS_DOUBLE(value)):
                    return value
                return unsendable(fault, f"is {value}, which JSON cannot carry")
            if PyLong_Check(value) and not PyBool_Check(value):
                try:
                    return float(value)
                except OverflowError:
                    return unsendable(fault, "is larger than any float")
        elif kind == ENUM:
            if self.choice is not None:
                value = self.choice.value_of(value)
            if PyUnicode_Check(value) and value in self.values:
                return value
        elif kind == ANY:
            return send_any(value, fault)
        else:
            if fault.depth == DEEPEST:
                return unsendable(fault, TOO_DEEP)
            fault.depth += 1
            sent = self.send_container(value, direction, fault)
            fault.depth -= 1
            return sent
        return fail(fault, EXPECTED[kind])

    cdef object send_container(self, object value, Direction direction, Fault fault):
        cdef Kind kind = self.kind
        cdef object sent
        if kind == STRUCT:
            sent = self.send_members(value, direction, fault)
            return MISMATCH if sent is None else sent
        if kind == ARRAY:
            if PyList_Check(value) or PyTuple_Check(value):
                return self.send_array(value, direction, fault)
        elif kind == SET:
            if isinstance(value, Set) or PyDict_Check(value):
                if PyDict_Check(value) and self.check_elements(<dict> value, fault) is MISMATCH:
                    return MISMATCH
                for item in value:
                    if not PyUnicode_Check(item):
                        return fail(fault, EXPECTED[kind])
                return {item: {} for item in value}
        elif kind == MAP:
            if PyDict_Check(value) or isinstance(value, Mapping):
                return self.send_map(value, direction, fault)
        else:  # OBJECT
            sent = send_any(value, fault)
            if sent is MISMATCH or PyDict_Check(sent):
                return sent
        return fail(fault, EXPECTED[kind])

    cdef dict send_members(self, object value, Direction direction, Fault fault):
        cdef Py_ssize_t i
        cdef Py_ssize_t kept = 0
        cdef Py_ssize_t position = 0
        cdef Py_ssize_t following
        cdef PyObject *key
        cdef PyObject *found
        cdef object item
        cdef object sent
        cdef object name
        cdef Checker checker
        cdef dict given
        cdef dict copy = None
        if PyDict_Check(value):
            given = <dict> value
        elif self.shape is not None and isinstance(value, self.shape.cls):
            given = self.shape.take_apart(value)
        elif isinstance(value, SimpleNamespace):
            given = vars(value)
        elif isinstance(value, Mapping):
            given = dict(value)
        else:
            fail(fault, EXPECTED[STRUCT])
            return None
        for i in range(len(self.names)):
            name = <object> PyTuple_GET_ITEM(self.names, i)
            checker = <Checker> PyTuple_GET_ITEM(self.fields, i)
            # Most programs give the members in the order of the declaration, under names that are interned.
            following = position
            if PyDict_Next(given, &following, &key, &found) and key == <PyObject *> name:
                position = following
            else:
                found = PyDict_GetItemWithError(given, name)
            if found == NULL:
                item = None
            else:
                item = <object> found
            if item is None:
                if direction == REPLY_OUT and not checker.nullable:
                    fail(fault, "is missing" if found == NULL else "must not be null")
                    within(fault, name)
                    return None
                continue
            kept += 1
            sent = checker.send(item, direction, fault)
            if sent is MISMATCH:
                within(fault, name)
                return None
            if sent is not item:
                if copy is None:
                    copy = dict(given)
                copy[name] = sent
        if kept != len(given):
            # Nulls and members that are not declared stay behind.
            return self.declared(given if copy is None else copy)
        return given if copy is None else copy

    cdef dict declared(self, dict given):
        cdef dict kept = {}
        cdef PyObject *found
        for name in self.names:
            found = PyDict_GetItemWithError(given, name)
            if found != NULL and <object> found is not None:
                kept[name] = <object> found
        return kept

    cdef object send_array(self, object value, Direction direction, Fault fault):
        cdef Py_ssize_t i = 0
        cdef list copy = None
        cdef object sent
        for item in value:
            sent = self.element.send(item, direction, fault)
            if sent is MISMATCH:
                return within(fault, i)
            if sent is not item:
                if copy is None:
                    copy = list(value)
                copy[i] = sent
            i += 1
        return value if copy is None else copy

    cdef object send_map(self, object value, Direction direction, Fault fault):
        cdef dict copy = None if PyDict_Check(value) else dict(value)
        cdef object sent
        for key, item in value.items():
            if not PyUnicode_Check(key):
                return unsendable(fault, f"has the key {key!r}, which is not a string")
            sent = self.element.send(item, direction, fault)
            if sent is MISMATCH:
                return within(fault, key)
            if sent is not item:
                if copy is None:
                    copy = dict(value)
                copy[key] = sent
        return value if copy is None else copy


def encode(dict value not None):
    """An object whose types nobody has declared, as JSON. EncodingError if JSON cannot carry it."""
    cdef Fault fault = Fault.__new__(Fault)
    cdef object sent = send_any(value, fault)
    if sent is MISMATCH:
        raise EncodingError(fault.place(), fault.reason)
    return to_json(sent)
