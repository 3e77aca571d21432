# cython: language_level=3str
"""Envelopes: the outer object of calls and replies. The values inside are orjson's.

The outer object is scanned here, member by member, and each value is given to orjson by itself. That
finds what orjson would hide (a member that stands twice, rule C5), saves the dict of the envelope, and
a frame is valid JSON exactly when the scan and every loads() succeed: what stands between the values is
checked here, the values are checked there.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.string cimport memchr, memcmp

from orjson import loads

from fastvarlink._core.control cimport Rights
from fastvarlink._core.framing cimport FrameWriter, Slice

cdef extern from "Python.h":
    object PyObject_CallOneArg(object function, object argument)
    object PyMemoryView_FromMemory(char *mem, Py_ssize_t size, int flags)
    int PyBUF_READ

cdef enum:
    # Above this a view of the buffer costs less than a copy; below, making the view costs more.
    VIEW_FROM = 32768

cdef enum:
    CALL_MEMBERS = METHOD | PARAMETERS | ONEWAY | MORE | UPGRADE
    REPLY_MEMBERS = PARAMETERS | ERROR | CONTINUES


cdef dict BITS = {
    "method": METHOD,
    "parameters": PARAMETERS,
    "oneway": ONEWAY,
    "more": MORE,
    "upgrade": UPGRADE,
    "error": ERROR,
    "continues": CONTINUES,
}


cdef class Message:
    def __cinit__(self, size_t max_elements, int max_depth, bint strict):
        self.max_elements = max_elements
        self.max_depth = max_depth
        self.strict = strict

    cdef str name_text(self):
        """The name of the method or error. ValueError when it is not valid JSON."""
        return load(self.name.at - 1, self.name.size + 2)

    cdef bytes raw(self):
        return PyBytes_FromStringAndSize(self.frame.at, <Py_ssize_t> self.frame.size)


cdef object load(const char *at, size_t size):
    if size < VIEW_FROM:
        return PyObject_CallOneArg(loads, PyBytes_FromStringAndSize(at, <Py_ssize_t> size))
    # Safe without a pin: the GIL is held until loads() has returned, and it keeps nothing.
    return loads(PyMemoryView_FromMemory(<char *> at, <Py_ssize_t> size, PyBUF_READ))


cdef inline const char *skip_blank(const char *at, const char *end) noexcept nogil:
    while at < end and (at[0] == c" " or at[0] == c"\n" or at[0] == c"\r" or at[0] == c"\t"):
        at += 1
    return at


cdef const char *skip_string(const char *start, const char *end) noexcept nogil:
    """From behind the opening quote to behind the closing one; NULL when there is none."""
    cdef const char *at = start
    cdef const char *quote
    cdef const char *back
    while True:
        quote = <const char *> memchr(at, c'"', end - at)
        if quote == NULL:
            return NULL
        back = quote
        while back > at and back[-1] == c"\\":
            back -= 1
        if (quote - back) % 2 == 0:
            return quote + 1
        at = quote + 1


cdef const char *skip_value(const char *at, const char *end) noexcept nogil:
    """To behind the value at at, which orjson checks afterwards; NULL when it has no end."""
    cdef size_t depth = 0
    cdef char byte
    if at == end:
        return NULL
    if at[0] == c'"':
        return skip_string(at + 1, end)
    if at[0] != c"{" and at[0] != c"[":
        while at < end:
            byte = at[0]
            if byte in (c",", c"}", c" ", c"\n", c"\r", c"\t"):
                return at
            at += 1
        return NULL
    while at < end:
        byte = at[0]
        at += 1
        if byte == c'"':
            at = skip_string(at, end)
            if at == NULL:
                return NULL
        elif byte == c"{" or byte == c"[":
            depth += 1
        elif byte == c"}" or byte == c"]":
            depth -= 1
            if depth == 0:
                return at
    return NULL


cdef const char *measure(const char *at, size_t size, Message message) noexcept nogil:
    """What a frame exceeds, NULL if nothing. One that is no JSON may pass: the decoder finds that."""
    cdef const char *end = at + size
    cdef size_t elements = 0
    cdef int depth = -1  # the envelope does not count
    cdef char byte
    while at < end:
        byte = at[0]
        at += 1
        if byte == c'"':
            at = skip_string(at, end)
            if at == NULL:
                return NULL
        elif byte == c",":
            elements += 1
        elif byte == c"{" or byte == c"[":
            elements += 1
            depth += 1
            if depth > message.max_depth:
                return b"is nested deeper than the limit"
        elif byte == c"}" or byte == c"]":
            depth -= 1
    if elements > message.max_elements:
        return b"has more elements than the limit"
    return NULL


cdef inline bint may_exceed(size_t size, Message message) noexcept nogil:
    # Each element and each level takes a byte at least, so that most frames need no look.
    return size > message.max_elements or (
        message.max_depth < DECODER_DEPTH and size > <size_t> message.max_depth
    )


cdef inline bint same(const char *at, size_t room, const char *text, size_t size) noexcept nogil:
    return room >= size and memcmp(at, text, size) == 0


cdef int member(const char *at, size_t room, size_t *size) noexcept nogil:
    """The bit of the member whose name, and the quote behind it, stand at at; 0 if none is known."""
    cdef int bit = 0
    cdef char first = at[0] if room else 0
    size[0] = 0
    if first == c"p":
        size[0] = 10
        bit = PARAMETERS if same(at, room, b'parameters"', 11) else 0
    elif first == c"m":
        if same(at, room, b'method"', 7):
            size[0] = 6
            bit = METHOD
        else:
            size[0] = 4
            bit = MORE if same(at, room, b'more"', 5) else 0
    elif first == c"c":
        size[0] = 9
        bit = CONTINUES if same(at, room, b'continues"', 10) else 0
    elif first == c"e":
        size[0] = 5
        bit = ERROR if same(at, room, b'error"', 6) else 0
    elif first == c"o":
        size[0] = 6
        bit = ONEWAY if same(at, room, b'oneway"', 7) else 0
    elif first == c"u":
        size[0] = 7
        bit = UPGRADE if same(at, room, b'upgrade"', 8) else 0
    return bit


cdef inline bint is_null(const char *at, const char *end) noexcept nogil:
    return end - at >= 4 and memcmp(at, b"null", 4) == 0


cdef bint is_plain(const char *at, size_t size) noexcept nogil:
    """True for printable ASCII without escapes: a valid string without a further look."""
    cdef size_t i
    cdef bint odd = False
    # To the end in any case: a loop that cannot be left is made of vector instructions.
    for i in range(size):
        # char may be signed or not; bytes of 0x80 and above need the decoder's look.
        odd |= <unsigned char> (at[i] - 0x20) >= 0x7F - 0x20
        odd |= at[i] == c"\\"
    return not odd


cdef bint scan_usual(const char *at, size_t size, int members, Message message) noexcept nogil:
    """True for what most peers send: method and parameters, or parameters alone, without a blank between.

    Then message has what scan() would have found by its guess.
    """
    cdef const char *value = at
    cdef const char *end = at + size
    cdef const char *quote
    message.name.at = NULL
    message.seen = PARAMETERS
    if members & METHOD:
        if not same(at, size, b'{"method":"', 11):
            return False
        quote = <const char *> memchr(at + 11, c'"', size - 11)
        if quote == NULL or not is_plain(at + 11, quote - at - 11):
            return False
        message.name.at = at + 11
        message.name.size = quote - at - 11
        message.seen |= METHOD
        value = quote + 1
        if not same(value, end - value, b',"parameters":{', 15):
            return False
    elif not same(at, size, b'{"parameters":{', 15):
        return False
    value += 14
    # The brace that opened value is not the one that closes it.
    if end[-1] != c"}" or end[-2] != c"}":
        return False
    message.flags = 0
    message.name_plain = True
    message.guessed = True
    message.text.at = value
    message.text.size = end - 1 - value
    return True


cdef const char *scan(
    const char *at, size_t size, int members, bint guess, Message message
) except? NULL:
    """Finds the members of the object that a frame holds.

    members says which are known. guess allows parameters to be taken to the end of the frame without
    a look at them; the caller scans again without it when they turn out not to be one value.
    """
    cdef const char *end = at + size
    cdef const char *key
    cdef const char *value
    cdef size_t key_size
    cdef int bit
    cdef str name = None
    cdef set extensions = None
    message.seen = message.flags = 0
    message.text.at = message.name.at = NULL
    message.guessed = message.name_plain = False

    at = skip_blank(at, end)
    while end > at and (end[-1] == c" " or end[-1] == c"\n" or end[-1] == c"\r" or end[-1] == c"\t"):
        end -= 1
    if end - at < 2 or at[0] != c"{" or end[-1] != c"}":
        return b"is not one JSON object"
    end -= 1  # everything up to the closing brace
    at = skip_blank(at + 1, end)
    while at < end:
        if at[0] != c'"':
            return b"has a member without a name"
        key = at + 1
        bit = member(key, end - key, &key_size)
        if bit:
            at = key + key_size + 1
        else:
            at = skip_string(key, end)
            if at == NULL:
                return b"has a name that does not end"
            key_size = at - 1 - key
            try:
                name = load(key - 1, key_size + 2)
            except ValueError:
                return b"has a name that is not valid JSON"
            # It may be a known one written with escapes.
            bit = BITS.get(name, 0)
        at = skip_blank(at, end)
        if at == end or at[0] != c":":
            return b"has a member without a value"
        value = skip_blank(at + 1, end)
        if bit & members == 0:
            if message.strict and (bit or "." not in name):
                return b"has a member that is not known"
            # A vendor's extension: it must be JSON and stand once, and means nothing here (rule C4).
            if bit:
                name = load(key - 1, key_size + 2)
            if extensions is None:
                extensions = set()
            if name in extensions:
                return b"has the same member twice"
            extensions.add(name)
            at = skip_value(value, end)
            if at == NULL:
                at = end
            try:
                load(value, at - value)
            except ValueError:
                return b"is not valid JSON"
        else:
            if message.seen & bit:
                return b"has the same member twice"
            message.seen |= bit
            if bit == PARAMETERS:
                message.text.at = value
                if guess and value < end and value[0] == c"{" and end[-1] == c"}":
                    message.text.size = end - value
                    message.guessed = True
                    return NULL
                at = skip_value(value, end)
                if at == NULL:
                    at = end
                message.text.size = at - value
            elif not message.strict and is_null(value, end):
                # As if it were not there.
                at = value + 4
                message.seen &= ~bit
            elif bit == METHOD or bit == ERROR:
                if value == end or value[0] != c'"':
                    return b"has a name that is not a string"
                at = skip_string(value + 1, end)
                if at == NULL:
                    return b"has a name that does not end"
                message.name.at = value + 1
                message.name.size = at - value - 2
                message.name_plain = is_plain(message.name.at, message.name.size)
            elif end - value >= 4 and memcmp(value, b"true", 4) == 0:
                message.flags |= bit
                at = value + 4
            elif end - value >= 5 and memcmp(value, b"false", 5) == 0:
                at = value + 5
            else:
                return b"has a flag that is not a boolean"
        at = skip_blank(at, end)
        if at == end:
            break
        if at[0] != c",":
            return b"is not valid JSON"
        at = skip_blank(at + 1, end)
        if at == end:
            return b"ends with a comma"
    return NULL


cdef const char *decode(
    const char *frame, size_t size, int members, Message message
) except? NULL:
    cdef const char *fault = NULL
    cdef object value
    if may_exceed(size, message):
        fault = measure(frame, size, message)
        if fault != NULL:
            return fault
    if not scan_usual(frame, size, members, message):
        fault = scan(frame, size, members, True, message)
        if fault != NULL:
            return fault
    message.frame.at = frame
    message.frame.size = size
    if message.guessed:
        try:
            message.parameters = load(message.text.at, message.text.size)
            return NULL
        except ValueError:
            # Not one value: members follow the parameters, or the frame is invalid.
            fault = scan(frame, size, members, False, message)
            if fault != NULL:
                return fault
    if message.text.at == NULL:
        message.parameters = {}
        return NULL
    try:
        value = load(message.text.at, message.text.size)
    except ValueError:
        return b"is not valid JSON"
    if value is None:
        value = {}
    elif type(value) is not dict:
        return b"has parameters that are not an object"
    message.parameters = value
    return NULL


cdef bint is_valid_name(Message message) except -1:
    if message.name_plain:
        return True
    try:
        message.name_text()
    except ValueError:
        return False
    return True


cdef const char *decode_call(const char *frame, size_t size, Message message) except? NULL:
    cdef const char *fault = decode(frame, size, CALL_MEMBERS, message)
    if fault != NULL:
        return fault
    if not message.seen & METHOD:
        return b"has no method"
    if not is_valid_name(message):
        return b"has a method name that is not valid JSON"
    # At most one of the three bits (rule C3).
    if message.flags & (message.flags - 1):
        return b"sets more than one of oneway, more and upgrade"
    return NULL


cdef const char *decode_reply(const char *frame, size_t size, Message message) except? NULL:
    cdef const char *fault = decode(frame, size, REPLY_MEMBERS, message)
    if fault != NULL:
        return fault
    if message.seen & ERROR:
        if not is_valid_name(message):
            return b"has an error name that is not valid JSON"
        if message.flags & CONTINUES:
            return b"sets continues beside an error"
    return NULL


cdef inline Slice piece(bytes text) noexcept:
    cdef Slice out
    out.at = PyBytes_AS_STRING(text)
    out.size = <size_t> PyBytes_GET_SIZE(text)
    return out


cdef int write_call(FrameWriter writer, bytes name, bytes parameters, int flags, Rights rights) except -1:
    cdef Slice pieces[8]
    cdef int count = 2
    pieces[0] = [b'{"method":', 10]
    pieces[1] = piece(name)
    # The flags stand in front, where they cost the reader least.
    if flags & ONEWAY:
        pieces[count] = [b',"oneway":true', 14]
        count += 1
    if flags & MORE:
        pieces[count] = [b',"more":true', 12]
        count += 1
    if flags & UPGRADE:
        pieces[count] = [b',"upgrade":true', 15]
        count += 1
    return write(writer, pieces, count, b',"parameters":', parameters, rights)


cdef int write_reply(FrameWriter writer, bytes parameters, bint continues, Rights rights) except -1:
    cdef Slice pieces[4]
    if continues:
        pieces[0] = [b'{"continues":true', 17]
        return write(writer, pieces, 1, b',"parameters":', parameters, rights)
    pieces[0] = [b"{", 1]
    return write(writer, pieces, 1, b'"parameters":', parameters, rights)


cdef int write_error(FrameWriter writer, bytes name, bytes parameters) except -1:
    cdef Slice pieces[5]
    pieces[0] = [b'{"error":', 9]
    pieces[1] = piece(name)
    return write(writer, pieces, 2, b',"parameters":', parameters, None)


cdef int write(
    FrameWriter writer, Slice *pieces, int count, bytes label, bytes parameters, Rights rights
) except -1:
    """Adds the parameters, if there are any, and what ends an envelope: room for three pieces more."""
    if parameters is not None:
        pieces[count] = piece(label)
        pieces[count + 1] = piece(parameters)
        count += 2
    pieces[count] = [b"}", 1]
    return writer.write(pieces, count + 1, rights)
