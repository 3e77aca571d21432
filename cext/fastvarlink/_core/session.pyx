# cython: language_level=3str
"""Whose turn it is: the protocol's state on one connection, without any I/O.

Server, one call at a time, in the order of arrival (rule C6):

    state       next_call          reply(continues)     reply / error
    idle        -> answering       not allowed          not allowed
    answering   not allowed        stays, if more       -> idle
    broken      VIOLATION          dropped              dropped

    oneway      every reply and error is dropped; the last one still ends the call (rule C8)
    continues   only when the call set more (rule R3); anything else is a fault of this side

Client, any number of calls outstanding, answered in order:

    outstanding  next_reply
    none         any frame is a violation (rule R3)
    some         a reply with continues needs more on the oldest call, and leaves it outstanding;
                 a reply without, or an error, ends it

The four verbs receive(), the next event, the act (reply, error, call) and data_to_send() work on bytes
alone; drivers that own a socket use the reader's and the writer's buffers directly instead.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint64_t

from fastvarlink._core.buffer cimport Buffer, stored
from fastvarlink._core.control cimport Rights
from fastvarlink._core.framing cimport (
    FRAME_NONE,
    FRAME_TOO_LARGE,
    FrameReader,
    FrameStatus,
    FrameWriter,
    Slice,
)
from fastvarlink._core.message cimport (
    CONTINUES,
    DECODER_DEPTH,
    MORE,
    ONEWAY,
    Message,
    decode_call,
    decode_reply,
    write_call,
    write_error,
    write_reply,
)

from fastvarlink.error import ProtocolError

cdef enum:
    EXPECTS_MORE = 1
    MOST_ATTACHED = 4  # messages with descriptors that wait behind the one being answered


cdef class Session:
    """limits are the Limits of what the peer sends; strict says whether it must keep to every rule."""

    def __cinit__(self, limits, bint strict=True):
        self.reader = FrameReader(limits.max_message_size, limits.max_queued_calls)
        self.writer = FrameWriter(limits.max_message_size)
        self.message = Message(limits.max_elements, limits.max_depth, strict)
        self.fault = NULL
        self.broken = False

    cdef str complaint(self):
        return "The peer sent a message that " + self.fault.decode() + "."

    def receive(self, bytes data):
        """Take bytes that have arrived, in pieces of any size."""
        self.reader.buffer.append(PyBytes_AS_STRING(data), <size_t> PyBytes_GET_SIZE(data))

    def data_to_send(self):
        """Hand over, once, the bytes that are to be sent."""
        cdef Buffer buffer = self.writer.buffer
        cdef size_t size = stored(buffer)
        cdef bytes data = PyBytes_FromStringAndSize(
            buffer.data + buffer.start if size else NULL, <Py_ssize_t> size
        )
        buffer.consume(size)
        buffer.release()
        return data

    @property
    def partial(self):
        """True if bytes have arrived that have not been taken."""
        return stored(self.reader.buffer) > 0

    def waiting_data(self):
        """A copy of the bytes that have arrived and have not been taken."""
        cdef Buffer buffer = self.reader.buffer
        cdef size_t size = stored(buffer)
        return PyBytes_FromStringAndSize(
            buffer.data + buffer.start if size else NULL, <Py_ssize_t> size
        )


cdef class ServerSession(Session):
    cdef SessionEvent next_call(self) except *:
        cdef const char *frame
        cdef size_t size
        cdef FrameStatus status
        cdef uint64_t began
        if self.broken:
            return VIOLATION
        if self.answering:
            raise RuntimeError("The previous call has not been answered.")
        if stored(self.reader.buffer) == 0:
            return NEED_DATA
        began = self.reader.taken
        status = self.reader.take(&frame, &size)
        if status == FRAME_NONE:
            return NEED_DATA
        if self.reader.attached is not None or self.received is not None:
            self.received = self.reader.detach(began)
        if status == FRAME_TOO_LARGE:
            self.fault = b"is larger than the limit"
        else:
            self.reader.buffer.pins += 1
            try:
                self.fault = decode_call(frame, size, self.message)
            finally:
                self.reader.buffer.pins -= 1
            if self.fault == NULL:
                self.answering = True
                self.flags = self.message.flags
                # Other threads may read for this connection; they must not move the frame.
                self.holding = True
                self.reader.buffer.pins += 1
                return MESSAGE
        self.broken = True
        self.reader.discard()
        return VIOLATION

    cdef void let_frame_go(self) noexcept:
        if self.holding:
            self.holding = False
            self.reader.buffer.pins -= 1
            # Now the buffer may start anew, if all of it has been taken.
            self.reader.buffer.consume(0)

    cdef int reply(self, bytes parameters, bint continues) except -1:
        if not self.answering:
            raise RuntimeError("There is no call to reply to.")
        if continues and not self.flags & (MORE | ONEWAY):
            raise RuntimeError("A reply that continues needs a call with more.")
        if not self.flags & ONEWAY:
            write_reply(self.writer, parameters, continues, self.outgoing)
        self.outgoing = None
        self.answering = continues
        return 0

    cdef int error(self, bytes name, bytes parameters) except -1:
        if not self.answering:
            raise RuntimeError("There is no call to reply to.")
        if not self.flags & ONEWAY:
            write_error(self.writer, name, parameters)
        self.outgoing = None
        self.answering = False
        return 0

    cdef bint wants_more(self) except -1:
        return (
            not self.broken
            and stored(self.reader.buffer) < self.reader.limit
            and (self.reader.attached is None or len(self.reader.attached) < MOST_ATTACHED)
            and self.reader.count_ahead() < self.reader.most_ahead
        )


cdef class ClientSession(Session):
    def __cinit__(self, limits, bint strict=True):
        self.outstanding = Buffer()

    cdef int call(self, bytes name, bytes parameters, int flags, Rights outgoing=None) except -1:
        cdef char expects = EXPECTS_MORE if flags & MORE else 0
        # From the moment it is written the call counts.
        self.outstanding.reserve(1)
        write_call(self.writer, name, parameters, flags, outgoing)
        if not flags & ONEWAY:
            self.outstanding.append(&expects, 1)
        return 0

    cdef SessionEvent next_reply(self) except *:
        cdef const char *frame
        cdef size_t size
        cdef FrameStatus status
        cdef uint64_t began
        cdef char expects
        if self.broken:
            return VIOLATION
        began = self.reader.taken
        status = self.reader.take(&frame, &size)
        if status == FRAME_NONE:
            return NEED_DATA
        if self.reader.attached is not None or self.received is not None:
            self.received = self.reader.detach(began)
        if status == FRAME_TOO_LARGE:
            self.fault = b"is larger than the limit"
        elif stored(self.outstanding) == 0:
            self.fault = b"answers no call"
        else:
            self.fault = decode_reply(frame, size, self.message)
            if self.fault == NULL:
                self.last = not self.message.flags & CONTINUES
                expects = self.outstanding.data[self.outstanding.start]
                if self.last:
                    self.outstanding.consume(1)
                    return MESSAGE
                if expects == EXPECTS_MORE:
                    return MESSAGE
                self.fault = b"continues although the call did not ask for more"
        self.broken = True
        self.reader.discard()
        return VIOLATION

    def send_message(self, bytes message not None, Rights outgoing=None):
        """Queue a call that the program has encoded, without its NUL: its flags. ValueError if it is none."""
        cdef const char *text = PyBytes_AS_STRING(message)
        cdef size_t size = <size_t> PyBytes_GET_SIZE(message)
        # Nobody limits what the program sends but the size.
        cdef Message call = Message(self.writer.limit, DECODER_DEPTH, True)
        cdef const char *fault = decode_call(text, size, call)
        cdef Slice piece
        cdef char expects
        if fault != NULL:
            raise ValueError("The message " + fault.decode() + ".")
        expects = EXPECTS_MORE if call.flags & MORE else 0
        self.outstanding.reserve(1)
        piece.at = text
        piece.size = size
        self.writer.write(&piece, 1, outgoing)
        if not call.flags & ONEWAY:
            self.outstanding.append(&expects, 1)
        return call.flags

    def take_reply(self):
        """Take the next reply, for CallPlan.answer() to read: False when more has to arrive first.

        ProtocolError when the service breaks the protocol.
        """
        cdef SessionEvent event = self.next_reply()
        if event == VIOLATION:
            raise ProtocolError(self.complaint())
        if event == NEED_DATA:
            self.reader.buffer.release()
        return event == MESSAGE

    def next_frame(self):
        """The next reply as its bytes, without the NUL; None when more has to arrive first.

        ProtocolError when the service breaks the protocol.
        """
        return self.message.raw() if self.take_reply() else None

    cdef size_t waiting(self) noexcept:
        return stored(self.outstanding)
