# cython: language_level=3str
"""Where calls come from, and what a handler may know of that."""

from fastvarlink._core.message cimport MORE, ONEWAY, UPGRADE
from fastvarlink.error import ExpectedUpgrade
from fastvarlink.peer import Peer

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout)
    short POLLHUP
    short POLLERR


cdef class Origin:
    """Where calls come from. server and request are handed to handlers that ask for them."""

    def __init__(self, server=None, request=None, peer=None):
        self.server = server
        self.request = request
        self.peer = peer

    cdef object expose(self):
        # A handler may close the socket it is given. As with socketserver, whose files keep it open,
        # the descriptor then lives until the connection is over and its number cannot be reused.
        if self.hold is None and hasattr(self.request, "makefile"):
            self.hold = self.request.makefile("rb", buffering=0)
        return self.request

    cdef object who(self):
        if self.peer is None:
            self.peer = Peer(self.request)
        return self.peer

    cdef dict memory(self):
        if self.state is None:
            self.state = {}
        return self.state

    cdef int let_go(self) except -1:
        hold, self.hold = self.hold, None
        if hold is not None:
            hold.close()
        self.context = None
        self.descriptors = None
        if self.peer is not None:
            self.peer.close()
        return 0

    cdef int depart(self) except -1:
        self.gone = True
        if self.endings is not None:
            self.tell()
        return 0

    cdef int stop(self) except -1:
        self.stopping = True
        if self.endings is not None:
            self.tell()
        return 0

    cdef int run_out(self) except -1:
        self.late = True
        if self.endings is not None:
            self.tell()
        return 0

    cdef int tell(self) except -1:
        # Others may be doing the same, and may be adding some: each is called by whoever takes it out.
        cdef set endings = self.endings
        while endings:
            (<Ending> endings.pop()).call()
        return 0


cdef class Context:
    """What a handler may know of the call it answers: it gets one as ``_context``.

    ``method`` is the qualified name of the method. The rest is said at each property.
    """

    @property
    def peer(self):
        """The Peer at the other end: its user, process and address."""
        return self.origin.who()

    @property
    def state(self):
        """A dict that lives as long as the connection, for handlers to keep what they like in."""
        return self.origin.memory()

    @property
    def connection(self):
        """The connection's socket; None where a call is answered without one. Not to be read or written."""
        return self.origin.expose()

    @property
    def server(self):
        """The server that answers; None where a call is answered without one."""
        return self.origin.server

    @property
    def more(self):
        """True if the call takes several replies."""
        return self.flags & MORE != 0

    @property
    def oneway(self):
        """True if the call gets no reply."""
        return self.flags & ONEWAY != 0

    @property
    def upgrade(self):
        """True if the call asks for the connection to leave Varlink; see take_over()."""
        return self.flags & UPGRADE != 0

    @property
    def cancelled(self):
        """True once nobody waits for the reply: the caller has closed the connection, or the time is over.

        A caller that only has no more calls to send, and still reads, does not count.
        """
        cdef pollfd look
        if self.origin.gone or (self.origin.late and self.origin.context is self):
            return True
        fd = -1 if self.origin.request is None else self.origin.request.fileno()
        if fd < 0:
            return False
        look.fd = fd
        look.events = 0
        look.revents = 0
        # EINTR and the like: it is asked again before long.
        if poll(&look, 1, 0) > 0 and look.revents & (POLLHUP | POLLERR):
            self.origin.depart()
        return self.origin.gone

    @property
    def stopping(self):
        """True once the server is to end: a stream without an end should send its last reply."""
        return self.origin.stopping

    def on_end(self, function not None):
        """Have function() called once, as soon as the call should come to its end.

        That is when ``cancelled`` or ``stopping`` becomes true; at once, if one of them is, or if the call
        has been answered. Whichever thread finds out calls it, perhaps in a signal handler: so it must be
        brief and never wait, and best only wakes whoever waits, by SimpleQueue.put() say. What it raises is
        logged. It is forgotten when the call has been answered, and when what on_end() returns is closed or
        left as a context manager; a call of it that has begun by then may still be going on.

        While one thread serves everything (Server, ForkingServer, connections with TLS), nobody finds out
        that the caller has gone before the handler is done, or asks by ``cancelled``.
        """
        cdef Origin origin = self.origin
        cdef Ending ending = Ending.__new__(Ending)
        ending.context = self
        ending.function = function
        if origin.endings is None:
            made = set()
            # Making it may have let another thread run.
            if origin.endings is None:
                origin.endings = made
        origin.endings.add(ending)
        # Only now: whoever finds out from here on sees it.
        if self.cancelled or origin.stopping or origin.context is not self:
            ending.call()
            ending.close()
        return ending

    def take_over(self, function):
        """Have the connection leave Varlink once the reply of this call is out (rule C12).

        function(connection) then gets it, as a blocking socket with all that the peer has sent behind its
        call, on a thread of its own; when it returns, the socket is closed. A coroutine function gets a
        socket that does not block, and runs in an event loop: as a task of the server's own, which is
        cancelled when the server ends, or, where the server has none, in the loop that handlers which are
        coroutines run in there. Nothing happens if the call is answered by an error. Raises ExpectedUpgrade,
        for the handler to let through, if the caller has not asked for an upgrade.
        """
        if not self.flags & UPGRADE:
            raise ExpectedUpgrade()
        self.takeover = function


cdef class Ending:
    """What on_end() was given. close(), or leaving it as a context manager, has it forgotten."""

    cdef int call(self) except -1:
        cdef Context context = self.context
        function, self.function = self.function, None
        if function is None:
            return 0
        try:
            function()
        except Exception as error:
            try:
                context.origin.explain(context.method, error, context.sensitive)
            except Exception:
                # There was no memory to log it.
                pass
        return 0

    def close(self):
        """Forget the function, unless it has been called."""
        cdef set endings = self.context.origin.endings
        self.function = None
        if endings is not None:
            endings.discard(self)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
