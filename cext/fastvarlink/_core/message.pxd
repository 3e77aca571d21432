# cython: language_level=3str
"""Envelopes: the outer object of calls and replies. The values inside are orjson's."""

from fastvarlink._core.control cimport Rights
from fastvarlink._core.framing cimport FrameWriter, Slice


# The members an envelope may have, as bits.
cdef enum:
    METHOD = 1
    PARAMETERS = 2
    ONEWAY = 4
    MORE = 8
    UPGRADE = 16
    ERROR = 32
    CONTINUES = 64

cdef enum:
    DECODER_DEPTH = 1024  # of arrays and objects in each other; orjson decodes no deeper ones


# What a frame says. The slices point into the read buffer: they are good until the connection is
# read from again. One Message serves a whole connection, filled anew for each frame.
cdef class Message:
    cdef size_t max_elements
    cdef int max_depth
    cdef bint strict  # members that are not known, and null for a flag, break the protocol
    cdef int seen  # members that are present
    cdef int flags  # the boolean members that are true
    cdef Slice frame
    cdef Slice name  # of the method or the error, between its quotes, as sent
    cdef bint name_plain  # printable ASCII without escapes: valid, and its bytes can be compared
    cdef Slice text  # of the parameters
    cdef bint guessed  # parameters were taken to reach to the end of the frame
    cdef dict parameters  # empty when absent or null; free to be changed

    cdef str name_text(self)
    cdef bytes raw(self)

# Each fills message and returns NULL, or returns the reason why the frame breaks the protocol.
cdef const char *decode_call(const char *frame, size_t size, Message message) except? NULL
cdef const char *decode_reply(const char *frame, size_t size, Message message) except? NULL

# Each queues one whole frame or, on an error, nothing. Names are JSON strings with their quotes; parameters
# the bytes of a JSON object, or None to leave them out.
cdef int write_call(FrameWriter writer, bytes name, bytes parameters, int flags, Rights rights) except -1
cdef int write_reply(FrameWriter writer, bytes parameters, bint continues, Rights rights) except -1
cdef int write_error(FrameWriter writer, bytes name, bytes parameters) except -1
