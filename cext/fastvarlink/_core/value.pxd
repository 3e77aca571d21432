# cython: language_level=3str
"""Values that JSON can carry, and what is wrong with those that it cannot."""


# Where and why a value does not fit. One is made for each value checked from outside.
cdef class Fault:
    cdef list path  # str and int, innermost first
    cdef str reason
    cdef int depth  # containers that are being looked at, one inside the other
    cdef bint unsendable  # not a matter of types: JSON cannot carry the value

    # The place as text: user.address[2].zip
    cdef str place(self)


cdef enum:
    # Containers inside each other that can be sent: what orjson writes. A value that contains itself
    # ends here, too.
    DEEPEST = 250


cdef object MISMATCH  # returned by checks in place of a value; the Fault says more

# Each notes something in the fault and returns MISMATCH: a value that does not fit, one that JSON
# cannot carry, and the way to either from the outside.
cdef object fail(Fault fault, str reason)
cdef object unsendable(Fault fault, str reason)
cdef str TOO_DEEP
cdef object within(Fault fault, object step)

# The value as it can be sent, what had to change copied; or MISMATCH.
cdef object send_int(object value, Fault fault)
cdef object send_any(object value, Fault fault)

# A value as JSON. EncodingError with the place of what the checks cannot see without looking at each
# character: half of a surrogate pair.
cdef bytes to_json(object value)
