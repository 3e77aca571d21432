# cython: language_level=3str
"""Until when a call may take.

A program says it in seconds, None for no limit, and "..." for the limit that is usual where it stands.
"""

from libc.stdint cimport int64_t

from fastvarlink._core.countdown cimport now
from fastvarlink.error import DeadlineExceeded

cdef double LONGEST = 1e9  # seconds, some thirty years: beyond that is no limit


def checked_timeout(timeout):
    """A program's timeout as seconds, None for no limit. ValueError or TypeError if it is neither."""
    cdef int64_t span = span_of(timeout, 0)
    return span / 1e6 if span else None


cdef int64_t span_of(object timeout, int64_t usual) except -1:
    cdef double seconds
    if timeout is ...:
        return usual
    if timeout is None:
        return 0
    try:
        seconds = timeout
    except TypeError:
        raise TypeError(
            f"A timeout is a number of seconds, or None for no limit, not {type(timeout).__name__}."
        ) from None
    except OverflowError:
        seconds = LONGEST if timeout > 0 else -1
    if not seconds >= 0:
        raise ValueError(f"A timeout of {timeout!r} seconds is none: give 0 or more, or None for no limit.")
    # 0 stands for no limit, so the shortest has 1.
    return max(<int64_t> (seconds * 1e6 + 0.5), <int64_t> 1) if seconds < LONGEST else 0


cdef Deadline deadline_in(int64_t span) noexcept nogil:
    cdef Deadline deadline
    deadline.span = span
    # The shortest span is none at all: it is over at once.
    deadline.due = now() + (span if span > 1 else 0) if span else 0
    return deadline


cdef bint is_past(int64_t due) noexcept nogil:
    return due != 0 and now() >= due


cdef object seconds_left(Deadline deadline):
    if deadline.due == 0:
        return None
    return max(deadline.due - now(), <int64_t> 0) / 1e6


cdef int64_t earlier(int64_t one, int64_t other) noexcept nogil:
    if one == 0 or other == 0:
        return one + other
    return min(one, other)


cdef object exceeded(str method, str what, Deadline deadline):
    cdef double seconds = deadline.span / 1e6 if deadline.span > 1 else 0
    message = f"{method or 'A call'} was not {what} within {seconds:g} seconds."
    return DeadlineExceeded(message, method, seconds)
