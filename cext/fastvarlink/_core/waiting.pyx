# cython: language_level=3str
"""The server's end of one connection, on a thread that waits for it: no reactor, and no other connection."""

from libc.stdint cimport int64_t

from fastvarlink._core.buffer cimport stored
from fastvarlink._core.context cimport Origin
from fastvarlink._core.countdown cimport now
from fastvarlink._core.dispatch cimport Answerer, MethodTable
from fastvarlink._core.link import is_plain_socket

from fastvarlink._core.link cimport (
    CARE_RIGHTS,
    CARE_UPGRADES,
    LINK_BLOCKED,
    LINK_END,
    LINK_LOST,
    LINK_OK,
    Link,
    LinkStatus,
)
from fastvarlink._core.session cimport MESSAGE, VIOLATION, ServerSession, SessionEvent
from fastvarlink._core.terms cimport Terms
from fastvarlink.error import ConnectionLost

cdef extern from "<poll.h>" nogil:
    short POLLIN

cdef enum:
    RECEIVE = 65536  # bytes read at most by a socket's own recv()
    LONGEST = 1_000_000  # seconds that are waited


cdef class WaitingConnection:
    """One connection of a server, for one thread.

    request is the connected socket, or what has its recv(), sendall() and fileno(): a TLS socket, say, which
    is read and written by its own methods. It stays open: closing it is left to the caller. The other
    arguments are those of ServerConnection.
    """

    def __init__(
        self,
        request,
        server,
        MethodTable table not None,
        Terms terms not None,
        peer=None,
        bint rights=False,
        bint upgrades=False,
    ):
        self.terms = terms
        self.plain = is_plain_socket(request)
        self.session = ServerSession(terms.limits, terms.strict)
        self.link = Link(request.fileno(), self.session.reader, self.session.writer)
        self.link.care = (CARE_RIGHTS if rights else 0) | (CARE_UPGRADES if upgrades else 0)
        self.origin = Origin(server, request, peer)
        self.answerer = Answerer(self.session, table, self.origin)

    def serve(self):
        """Serve the connection, waiting as needed, until it is over."""
        try:
            self.serve_waiting()
        finally:
            self.origin.depart()
            self.answerer.settle()
            self.session.writer.discard()
            self.origin.let_go()

    def finish(self):
        """Take no more calls after those that have arrived."""
        self.finishing = True
        self.origin.stop()

    @property
    def idle(self):
        """True while it waits for a call, and nothing else."""
        return self.waiting

    cdef object patience(self):
        limits = self.terms.limits
        if not stored(self.session.reader.buffer):
            return limits.idle_timeout
        if self.began == 0:
            self.began = now()
        if limits.frame_timeout is None:
            return None
        return max(limits.frame_timeout - (now() - self.began) / 1e6, 0.001)

    cdef LinkStatus transfer(self, bint read) except *:
        cdef LinkStatus status = LINK_BLOCKED
        cdef double limit
        cdef int64_t due
        # The socket's own limit ends its connection too, as it would with a plain recv().
        limits = [self.patience() if read else None]
        if hasattr(self.origin.request, "gettimeout"):
            limits.append(self.origin.request.gettimeout())
        limits = [each for each in limits if each is not None]
        limit = min(limits) if limits else -1
        if not self.plain:
            return self.transfer_by_methods(read, limit if limits else None)
        while status == LINK_BLOCKED:
            if limits and read:
                # A read that blocks knows no limit.
                status = self.link.exchange(False)
                if status != LINK_OK:
                    return status
                self.link.awaits = POLLIN
                if self.link.wait(now() + <int64_t> (min(limit, <double> LONGEST) * 1e6)) != LINK_OK:
                    return LINK_LOST
            status = self.link.exchange(read)
            if status == LINK_BLOCKED and not (limits and read):
                due = now() + <int64_t> (min(limit, <double> LONGEST) * 1e6) if limits else 0
                if self.link.wait(due) != LINK_OK:
                    return LINK_LOST
        return status

    cdef LinkStatus transfer_by_methods(self, bint read, object limit) except *:
        request = self.origin.request
        try:
            if stored(self.session.writer.buffer):
                request.sendall(self.session.data_to_send())
            if not read:
                return LINK_OK
            if limit is None or not hasattr(request, "settimeout"):
                data = request.recv(RECEIVE)
            else:
                usual = request.gettimeout()
                request.settimeout(limit)
                try:
                    data = request.recv(RECEIVE)
                finally:
                    request.settimeout(usual)
        except OSError:
            return LINK_LOST
        if not data:
            return LINK_END
        self.session.receive(data)
        return LINK_OK

    cdef int hand_over(self) except -1:
        """The connection leaves Varlink: whoever takes it over has it until it returns (rule C12)."""
        takeover, self.answerer.takeover = self.answerer.takeover, None
        self.terms.upgraded(self, takeover, self.session.reader.rest(), self.answerer.table.own_loop)
        return 0

    @property
    def peer(self):
        """The Peer at the other end."""
        return self.origin.who()

    @property
    def state(self):
        """The dict that lives as long as the connection: what handlers get as _context.state."""
        return self.origin.memory()

    @property
    def request(self):
        """The socket."""
        return self.origin.request

    cdef int serve_waiting(self) except -1:
        cdef SessionEvent event
        cdef LinkStatus status
        while True:
            if self.answerer.stream is not None:
                self.answerer.step()
            else:
                event = self.session.next_call()
                if event == VIOLATION:
                    return 0
                if event == MESSAGE:
                    self.began = 0
                    if self.answerer.prepare():
                        self.answerer.answer()
                elif self.finishing:
                    return 0
                else:
                    self.waiting = not stored(self.session.writer.buffer)
                    status = self.transfer(True)
                    self.waiting = False
                    if status != LINK_OK:
                        return 0
            # Nobody watches over this thread: what is ready goes out before a handler runs again.
            if stored(self.session.writer.buffer) and self.transfer(False) != LINK_OK:
                self.origin.depart()
                self.answerer.abort(
                    ConnectionLost("The client has closed the connection in mid-stream.")
                )
                return 0
            if self.answerer.takeover is not None:
                return self.hand_over()
