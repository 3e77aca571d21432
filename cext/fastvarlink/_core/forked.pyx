# cython: language_level=3str
"""Whether this process is a fork of the one that made a connection (rule S9).

Two processes that use one connection take each other's replies. Asking the system for the process at each
call would cost a system call; the C library tells of forks by itself, also of those that Python does not
make.
"""

cdef extern from "<pthread.h>" nogil:
    int pthread_atfork(void (*prepare)() noexcept nogil, void (*parent)() noexcept nogil,
                       void (*child)() noexcept nogil)

cdef unsigned long number = 0


cdef void count() noexcept nogil:
    global number
    number += 1


cdef unsigned long process_number() noexcept nogil:
    return number


if pthread_atfork(NULL, NULL, count) != 0:
    raise MemoryError()
