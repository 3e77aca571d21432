# cython: language_level=3str
"""Connections to one service, lent to whoever calls.

A call has a connection for itself until its reply is there, a stream until its end. Who finds none idle, and
no room for another, waits in line; what becomes free is handed to the first in it, so that nobody overtakes.
The books are guarded by the interpreter's lock alone: no other thread runs between a look at them and what is
done then.
"""

import threading
from collections import deque

from fastvarlink._core.call cimport CallPlan
from fastvarlink._core.channel cimport Channel
from fastvarlink._core.deadline cimport Deadline, exceeded, seconds_left
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.remote cimport Carrier
from fastvarlink.error import ConnectionLost, ProtocolError

cdef extern from "check.h" nogil:
    void CHECK(bint what)


cdef class Turn:
    def __cinit__(self):
        self.lock = threading.Lock()
        self.lock.acquire()


cdef class ChannelPool(Carrier):
    """Carries calls over at most size connections.

    connect() returns a new one; where a call has a time limit it is passed the seconds that are left. limits,
    strict and busy_poll are those of a Channel, timeout is that of a Carrier.
    """

    def __init__(self, connect, int size, limits, bint strict=True, timeout=None, double busy_poll=0):
        super().__init__(timeout)
        self.connect = connect
        self.size = size
        self.limits = limits
        self.strict = strict
        self.busy_poll = busy_poll
        self.begin()

    cdef int begin(self) except -1:
        self.process = process_number()
        self.opened = 0
        self.channels = []
        self.idle = []
        self.turns = deque()
        return 0

    def end(self):
        """Close all connections. Whoever waits for a reply, or for a connection, gets ConnectionLost."""
        cdef Turn turn
        self.closed = True
        for channel in list(self.channels):
            (<Channel> channel).close("The pool has been closed by this program.")
        while self.turns:
            turn = self.turns.popleft()
            turn.come = True
            turn.lock.release()

    cdef int check(self) except -1:
        if self.process != process_number():
            # What has been inherited is the parent's: here it is only let go of.
            inherited = self.channels
            self.begin()
            for channel in inherited:
                (<Channel> channel).close()
        if self.closed:
            raise ConnectionLost("The pool has been closed by this program.")
        return 0

    cdef Channel lend(self, CallPlan plan, Deadline deadline):
        cdef Channel channel
        self.check()
        channel = self.borrow(plan, deadline)
        if channel is None:
            return self.make(plan, deadline)
        CHECK(channel.owner == 0 and not channel.streaming)
        try:
            channel.acquire(plan, deadline)
            try:
                channel.prepare()
            except BaseException:
                channel.release()
                raise
        except (ConnectionLost, ProtocolError):
            # It has ended while it was idle, and nothing has been sent.
            self.channels.remove(channel)
            return self.make(plan, deadline)
        except BaseException:
            self.pass_on(channel)
            raise
        return channel

    cdef Channel borrow(self, CallPlan plan, Deadline deadline):
        if self.idle:
            return self.idle.pop()
        if self.opened < self.size:
            self.opened += 1
            return None
        return self.await_turn(plan, deadline)

    cdef Channel await_turn(self, CallPlan plan, Deadline deadline):
        cdef Turn turn = Turn()
        left = seconds_left(deadline)
        self.turns.append(turn)
        try:
            turn.lock.acquire(True, -1 if left is None else left)
        except BaseException:
            if turn.come:
                self.pass_on(turn.channel)
            else:
                self.turns.remove(turn)
            raise
        if not turn.come:
            self.turns.remove(turn)
            raise exceeded(plan.name, "sent", deadline)
        self.check()
        return turn.channel

    cdef Channel make(self, CallPlan plan, Deadline deadline):
        cdef Channel channel = None
        try:
            connection = self.connect(seconds_left(deadline)) if deadline.due else self.connect()
            try:
                channel = Channel(connection, self.limits, None, self.strict, self.busy_poll)
                self.channels.append(channel)
                # end() may have come in between.
                self.check()
                channel.acquire(plan, deadline)
                channel.prepare()
            except BaseException:
                connection.close()
                raise
        except BaseException:
            if channel in self.channels:
                self.channels.remove(channel)
            self.pass_on(None)
            raise
        return channel

    cdef int give_back(self, Channel channel) except -1:
        try:
            channel.release()
        finally:
            # A stream that was begun by the parent may be left by its child.
            if channel.process == self.process:
                if channel.closed:
                    self.channels.remove(channel)
                    channel = None
                self.pass_on(channel)
        return 0

    cdef int pass_on(self, Channel channel) except -1:
        cdef Turn turn
        if self.turns:
            turn = self.turns.popleft()
            turn.channel = channel
            turn.come = True
            turn.lock.release()
        elif channel is None:
            self.opened -= 1
        else:
            try:
                self.idle.append(channel)
            except BaseException:
                # There is no memory for it; there is room for another.
                self.channels.remove(channel)
                self.opened -= 1
                raise
        return 0
