# cython: language_level=3str
"""What interceptors see of a call that is made."""

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.interception cimport Call, Interception


# The plan of one call, which knows what stands around it.
cdef class InterceptedPlan(CallPlan):
    cdef readonly Call call
    cdef Interception interception
    cdef bint over  # the interceptors have been told

    cdef object ask(self)
    # What the caller gets for what an interceptor has answered.
    cdef object take_answer(self, object answer, bint namespaced)
    # The call has failed: what is to be raised.
    cdef object over_by(self, object failure)
    cdef int finish(self) except -1


cdef InterceptedPlan intercept(
    Interception interception, CallPlan plan, tuple arguments, dict keywords, int flags
)
