# cython: language_level=3str
"""File descriptors that travel with messages (rules D1 to D4).

Whoever holds a Rights owns its descriptors. They are closed when it goes, on whatever way: a message that was
never looked at, a reply that was never sent, an exception.
"""

from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc

import os

from fastvarlink.error import MissingDescriptor

cdef extern from "<unistd.h>" nogil:
    int close(int fd)


cdef class Rights:
    def __cinit__(self):
        self.fds = NULL
        self.count = 0

    def __dealloc__(self):
        self.close_all()
        PyMem_RawFree(self.fds)

    cdef int add(self, int fd) except -1:
        cdef int *grown = <int *> PyMem_RawRealloc(self.fds, <size_t> (self.count + 1) * sizeof(int))
        if grown == NULL:
            raise MemoryError()
        self.fds = grown
        self.fds[self.count] = fd
        self.count += 1
        return 0

    cdef int close_all(self) noexcept:
        cdef int i
        for i in range(self.count):
            if self.fds[i] >= 0:
                # Linux frees the number whatever close() returns.
                close(self.fds[i])
                self.fds[i] = -1
        return 0


cdef Rights rights_of(const int *fds, int count):
    """Owns them from here on, also when there is no memory."""
    cdef Rights rights
    cdef int i = 0
    try:
        rights = Rights()
        while i < count:
            rights.add(fds[i])
            i += 1
    except BaseException:
        while i < count:
            close(fds[i])
            i += 1
        raise
    return rights


cdef class Descriptors:
    """The file descriptors of one call and of its replies.

    For a handler that declares ``_descriptors`` in an interface that is offered with descriptors, and for a
    client that passes one as ``_descriptors`` with a call. What has come is read by its number: len() and
    indices say what there is, and take() makes it the program's own. give() says what goes with the next
    message in the other direction. All that nobody took is closed.
    """

    def __len__(self):
        return 0 if self.received is None else self.received.count

    def __getitem__(self, index):
        """The descriptor of this number, which stays owned here. MissingDescriptor if there is none."""
        if not 0 <= index < len(self) or self.received.fds[index] < 0:
            raise MissingDescriptor(index, len(self))
        return self.received.fds[index]

    def __iter__(self):
        """Those that have come and have not been taken."""
        cdef int i
        return iter([self.received.fds[i] for i in range(len(self)) if self.received.fds[i] >= 0])

    def take(self, index):
        """The descriptor of this number, to be closed by the program. MissingDescriptor if there is none."""
        fd = self[index]
        self.received.fds[<int> index] = -1
        return fd

    def give(self, what):
        """Send a descriptor with the next message. Returns its number there, for a parameter to tell.

        what is a descriptor, which is owned, and closed, here from now on; or an object with fileno(), which
        is duplicated. OSError if it is not open,
        ValueError if the message has as many as one can carry.
        """
        cdef int fd
        if self.given is None:
            self.given = Rights()
        if self.given.count >= RIGHTS_MOST:
            raise ValueError(f"A message can carry {RIGHTS_MOST} descriptors at most.")
        if isinstance(what, int):
            fd = what
            # One that is not open would only be found out when the reply is sent. OSError.
            os.get_inheritable(fd)
        else:
            fd = os.dup(what.fileno())
        try:
            self.given.add(fd)
        except MemoryError:
            # It was handed over.
            close(fd)
            raise
        return self.given.count - 1

    def close(self):
        """Close all that has come or is to go and has not been taken."""
        if self.received is not None:
            self.received.close_all()
        self.received = self.given = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    cdef Rights let_go(self):
        given, self.given = self.given, None
        return given
