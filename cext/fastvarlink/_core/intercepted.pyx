# cython: language_level=3str
"""What interceptors see of a call that is made.

Whatever carries calls reads replies by a plan. The plan of a call that is intercepted is made for it alone,
and tells of what it reads; whoever carries it tells of what goes wrong on the way.
"""

from cpython.contextvars cimport PyContext_CopyCurrent

import logging

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.interception cimport Call, Interception
from fastvarlink._core.message cimport CONTINUES, ERROR, MORE, ONEWAY, UPGRADE, Message
from fastvarlink.error import ConnectionLost

cdef object logger = logging.getLogger("fastvarlink.client")


cdef InterceptedPlan intercept(
    Interception interception, CallPlan plan, tuple arguments, dict keywords, int flags
):
    cdef InterceptedPlan mine = InterceptedPlan.__new__(InterceptedPlan)
    cdef Call call = Call.__new__(Call)
    mine.name = plan.name
    mine.wire_name = plan.wire_name
    mine.takes = plan.takes
    mine.gives = plan.gives
    mine.typed = plan.typed
    mine.encoder = plan.encoder
    mine.error_of = plan.error_of
    mine.interception = interception
    mine.call = call
    call.method = plan.name
    call.parameters = plan.named(arguments, keywords)
    call.flags = flags
    call.variables = PyContext_CopyCurrent()
    return mine


def intercept_call(
    Interception interception not None,
    CallPlan plan not None,
    tuple arguments not None,
    dict keywords not None,
    bint more,
    bint oneway,
    bint upgrade,
):
    """The plan of one call."""
    cdef int flags = (MORE if more else 0) | (ONEWAY if oneway else 0) | (UPGRADE if upgrade else 0)
    return intercept(interception, plan, arguments, keywords, flags)


cdef class InterceptedPlan(CallPlan):
    """The plan of one call, which knows what stands around it. intercept_call() makes it."""

    @property
    def variables(self):
        """The context (contextvars) of the call."""
        return self.call.variables

    def begin(self):
        """Ask the interceptors that the call has not come to yet: what one answers, None if none does."""
        return self.ask()

    def answered(self, answer, bint namespaced):
        """What the caller gets for what an interceptor has answered."""
        return self.take_answer(answer, namespaced)

    def to_send(self):
        """The parameters as they are now, as JSON."""
        return self.encode_named(self.call.parameters) or b"{}"

    def failed(self, failure not None):
        """Tell that the call has failed. What is to be raised."""
        return self.over_by(failure)

    def end(self):
        """Tell that the call is over, unless that is known."""
        self.finish()

    cdef object ask(self):
        return self.interception.begin(self.call)

    cdef object take_answer(self, object answer, bint namespaced):
        parameters = self.interception.reply(self.call, dict(answer), False)
        result = self.decode(parameters, namespaced)
        self.finish()
        return result

    cdef object read(self, Message message, bint namespaced):
        cdef bint last = not message.flags & CONTINUES
        try:
            if not message.seen & ERROR:
                message.parameters = self.interception.reply(self.call, message.parameters, not last)
            result = CallPlan.read(self, message, namespaced)
        except Exception as failure:
            raise self.over_by(failure)
        if last:
            self.finish()
        return result

    cdef int lost(self, object failure) except -1:
        self.over_by(failure)
        return 0

    cdef object over_by(self, object failure):
        if self.over:
            return failure
        if isinstance(failure, Exception):
            failure = self.interception.fail(self.call, failure)
        else:
            self.call.error = ConnectionLost("The call was given up before its reply came.")
        self.finish()
        return failure

    cdef int finish(self) except -1:
        if self.over:
            return 0
        self.over = True
        wrong = self.interception.end(self.call)
        if wrong is not None:
            logger.error("An interceptor failed at the end of %s.", self.name, exc_info=wrong)
        return 0


cdef class InterceptedReplies:
    """The replies to a call with more that is intercepted."""

    cdef InterceptedPlan plan
    cdef object replies

    def __init__(self, InterceptedPlan plan not None, replies):
        self.plan = plan
        self.replies = replies

    def __iter__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __next__(self):
        try:
            return next(self.replies)
        except StopIteration:
            self.plan.finish()
            raise
        except BaseException as failure:
            raise self.plan.over_by(failure)

    def close(self):
        """Leave the stream. Before its end this closes the connection."""
        self.replies.close()
        self.plan.finish()

    def __del__(self):
        self.close()
