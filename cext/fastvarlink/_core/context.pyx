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
        """True once the caller has closed the connection, so that nobody waits for the reply any more.

        A caller that only has no more calls to send, and still reads, does not count.
        """
        cdef pollfd look
        if self.origin.gone:
            return True
        fd = -1 if self.origin.request is None else self.origin.request.fileno()
        if fd < 0:
            return False
        look.fd = fd
        look.events = 0
        look.revents = 0
        # EINTR and the like: it is asked again before long.
        if poll(&look, 1, 0) > 0 and look.revents & (POLLHUP | POLLERR):
            self.origin.gone = True
        return self.origin.gone

    @property
    def stopping(self):
        """True once the server is to end: a stream without an end should send its last reply."""
        return self.origin.stopping

    def take_over(self, function):
        """Have the connection leave Varlink once the reply of this call is out (rule C12).

        function(connection) then gets it, as a blocking socket with all that the peer has sent behind its
        call, on a thread of its own; when it returns, the socket is closed. Nothing happens if the call is
        answered by an error. Raises ExpectedUpgrade, for the handler to let through, if the caller has not
        asked for an upgrade.
        """
        if not self.flags & UPGRADE:
            raise ExpectedUpgrade()
        self.takeover = function
