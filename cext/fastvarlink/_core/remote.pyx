# cython: language_level=3str
"""Methods of a service, and what carries their calls."""

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.control cimport Descriptors
from fastvarlink._core.deadline cimport Deadline, deadline_in, span_of
from fastvarlink._core.intercepted cimport InterceptedPlan, intercept
from fastvarlink._core.intercepted import InterceptedReplies

from fastvarlink._core.link cimport CARE_FRAMES
from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink.error import ConnectionBusy

cdef extern from "pythread.h" nogil:
    unsigned long PyThread_get_thread_ident()

cdef dict NOTHING = {}


cdef class Carrier:
    """What carries calls. timeout is how many seconds a call may take which says nothing else, or None."""

    def __init__(self, timeout=None):
        self.span = span_of(timeout, 0)

    def invoke(
        self, CallPlan plan not None, tuple arguments not None, bint more, bint oneway, timeout=...
    ):
        """Call a method: its result, an iterator of its replies, or None at once."""
        cdef int flags = MORE if more else ONEWAY if oneway else 0
        return self.carry(plan, arguments, NOTHING, False, flags, None, timeout)

    def close(self):
        """Whoever made calls by it makes none any more."""

    cdef Channel lend(self, CallPlan plan, Deadline deadline):
        raise NotImplementedError

    cdef int give_back(self, Channel channel) except -1:
        raise NotImplementedError

    cdef object carry(
        self, CallPlan plan, tuple arguments, dict keywords, bint namespaced, int flags,
        Descriptors descriptors, object timeout
    ):
        cdef InterceptedPlan mine
        if self.interception is None:
            return self.perform(plan, arguments, keywords, namespaced, flags, descriptors, timeout)
        mine = intercept(self.interception, plan, arguments, keywords, flags)
        try:
            answer = mine.ask()
            if answer is not None:
                return self.answered(mine, mine.take_answer(answer, namespaced), flags)
            made = self.perform(
                mine, (), mine.call.parameters, namespaced, flags, descriptors, timeout
            )
        except BaseException as failure:
            raise mine.over_by(failure)
        if isinstance(made, ReplyStream):
            return InterceptedReplies(mine, made)
        if flags == ONEWAY:
            mine.finish()
        return made

    cdef object answered(self, CallPlan plan, object result, int flags):
        if flags == MORE:
            # A generator, as it can be closed.
            return InterceptedReplies(plan, (reply for reply in (result,)))
        return None if flags == ONEWAY else result

    cdef object perform(
        self, CallPlan plan, tuple arguments, dict keywords, bint namespaced, int flags,
        Descriptors descriptors, object timeout
    ):
        cdef int64_t span = span_of(timeout, self.span)
        cdef bytes parameters = plan.encode(arguments, keywords)
        cdef Channel channel
        if flags == MORE:
            # The original sends an empty object here.
            return ReplyStream(self, plan, parameters or b"{}", namespaced, descriptors, span)
        if flags == UPGRADE:
            return self.upgrade(plan, parameters, namespaced, deadline_in(span))
        channel = self.lend(plan, deadline_in(span))
        try:
            channel.send(plan, parameters, flags, descriptors)
            if flags == ONEWAY:
                return None
            return channel.take(plan, namespaced, descriptors)
        finally:
            self.give_back(channel)

    cdef object upgrade(self, CallPlan plan, bytes parameters, bint namespaced, Deadline deadline):
        """Calls a method that hands the connection over to another protocol: its result, and the socket.

        Of what the service sends behind its reply nothing has been read (rule C12). The channel is closed,
        but for the socket, which is the caller's from here on. An error reply leaves everything as it was.
        """
        cdef Channel channel = self.lend(plan, deadline)
        try:
            channel.link.care |= CARE_FRAMES
            channel.send(plan, parameters, UPGRADE, None)
            result = channel.take(plan, namespaced, None)
            return result, channel.hand_over()
        finally:
            channel.link.care &= ~CARE_FRAMES
            self.give_back(channel)


cdef class DirectCarrier(Carrier):
    """Carries calls over one channel, each in its turn."""

    def __init__(self, Channel channel not None, timeout=None):
        super().__init__(timeout)
        self.channel = channel

    def close(self):
        """Close the connection. May be called while another thread waits for a reply."""
        self.channel.close()

    cdef Channel lend(self, CallPlan plan, Deadline deadline):
        cdef Channel channel = self.channel
        channel.acquire(plan, deadline)
        try:
            channel.prepare()
        except BaseException:
            channel.release()
            raise
        return channel

    cdef int give_back(self, Channel channel) except -1:
        return channel.release()


cdef class ReplyStream:
    """The replies to one call with ``more``, as they arrive. An iterator; also a context manager.

    The call is sent when the first reply is asked for. Leaving the stream before its end closes the
    connection, as the protocol has no other way to stop it; an unread stream that is dropped does the
    same.
    """

    cdef Carrier carrier
    cdef Channel channel  # lent from when the call is sent to the end of the stream, else None
    cdef CallPlan plan
    cdef bytes parameters
    cdef bint namespaced
    cdef bint over
    cdef Descriptors descriptors
    cdef int64_t span  # microseconds that the next reply may take; 0 without a limit

    def __cinit__(
        self,
        Carrier carrier not None,
        CallPlan plan not None,
        bytes parameters,
        bint namespaced,
        Descriptors descriptors,
        int64_t span,
    ):
        self.carrier = carrier
        self.plan = plan
        self.parameters = parameters
        self.namespaced = namespaced
        self.descriptors = descriptors
        self.span = span

    def __iter__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __next__(self):
        cdef Channel channel = self.channel
        cdef Deadline deadline
        if self.over:
            raise StopIteration
        deadline = deadline_in(self.span)
        if channel is None:
            channel = self.start(deadline)
        else:
            channel.acquire_stream(deadline)
        try:
            try:
                result = channel.take(self.plan, self.namespaced, self.descriptors)
            except BaseException:
                # An error reply ends the stream; for anything else the connection is closed already,
                # or, where only a result did not fit its declaration, more replies may be coming.
                self.finish(channel, channel.session.last)
                raise
            if channel.session.last:
                self.finish(channel, True)
        finally:
            if self.over:
                self.give_back()
            else:
                channel.release()
        return result

    cdef Channel start(self, Deadline deadline):
        """Sends the call."""
        cdef Channel channel = self.carrier.lend(self.plan, deadline)
        try:
            if self.over:
                # Another thread has read it to its end while this one waited for its turn.
                raise StopIteration
            if self.channel is not None:
                raise ConnectionBusy("Another thread is reading this stream of replies.")
            channel.send(self.plan, self.parameters, MORE, self.descriptors)
            if self.over:
                # It has been left meanwhile.
                channel.give_up("A stream of replies was left before its end.")
                raise StopIteration
        except BaseException:
            self.carrier.give_back(channel)
            raise
        channel.streaming = True
        self.channel = channel
        return channel

    cdef int finish(self, Channel channel, bint complete) except -1:
        self.over = True
        # First, as the channel may be in other hands once give_up() returns.
        channel.streaming = False
        if not complete:
            channel.give_up("A stream of replies was left before its end.")
        return 0

    cdef int give_back(self) except -1:
        channel, self.channel = self.channel, None
        return self.carrier.give_back(channel)

    def close(self):
        """Leave the stream. Before its end this closes the connection."""
        cdef Channel channel = self.channel
        cdef bint idle
        if channel is not None and not self.over:
            idle = channel.owner == 0
            if idle:
                channel.owner = PyThread_get_thread_ident()
            try:
                self.finish(channel, False)
            finally:
                # A thread that is reading gives the channel back on its way out.
                if idle:
                    self.give_back()
        self.over = True

    def __del__(self):
        self.close()


cdef class RemoteMethod:
    """A method of a service, to be called like one of an object.

    Parameters go in by position or by name. _more=True returns a ReplyStream, _oneway=True sends the call
    and returns None at once, _upgrade=True returns the result and the socket, which speaks another protocol
    from then on. _descriptors is a Descriptors, for file descriptors that go with the call and come with each
    reply. _timeout is how many seconds the call, or each reply of a stream, may take, or None for any number.
    """

    cdef Carrier carrier
    cdef CallPlan plan
    cdef bint namespaced
    cdef str short_name
    cdef str documentation

    def __init__(
        self,
        Carrier carrier not None,
        CallPlan plan not None,
        bint namespaced,
        str name not None,
        str doc not None,
    ):
        self.carrier = carrier
        self.plan = plan
        self.namespaced = namespaced
        self.short_name = name
        self.documentation = doc

    @property
    def __name__(self):
        return self.short_name

    @property
    def __doc__(self):
        return self.documentation

    def __repr__(self):
        return f"<method {self.plan.name} of a Varlink service>"

    def __call__(self, *args, **kwargs):
        cdef int flags = 0
        cdef Descriptors descriptors = None
        cdef object timeout = ...
        if kwargs:
            descriptors = kwargs.pop("_descriptors", None)
            timeout = kwargs.pop("_timeout", ...)
            if kwargs.pop("_oneway", False):
                flags = ONEWAY
            if kwargs.pop("_upgrade", False):
                flags = UPGRADE
            if kwargs.pop("_more", False):
                flags = MORE
        return self.carrier.carry(self.plan, args, kwargs, self.namespaced, flags, descriptors, timeout)
