# cython: language_level=3str
"""A reactor that an event loop leads: it calls, or lets it wait in its place. Threads do what may block.

The thread of the loop leads from enter_loop() to leave_loop(), and nobody takes the lead from it. What runs
out makes a timer go off, which epoll tells of, so that the loop has one descriptor to watch.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t, uint32_t, uint64_t

from collections import deque

from fastvarlink._core.countdown cimport now
from fastvarlink._core.forked cimport process_number
from fastvarlink._core.reactor cimport (
    BUSY,
    HARVEST,
    LONGEST,
    Reactor,
    Source,
    check,
    epoll_event,
    own_number,
)

cdef extern from "<sys/epoll.h>" nogil:
    int epoll_wait(int epoll, epoll_event *events, int most, int timeout)

cdef extern from "<sys/timerfd.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    struct itimerspec:
        timespec it_interval
        timespec it_value
    int timerfd_create(int clock, int flags)
    int timerfd_settime(int fd, int flags, const itimerspec *wanted, itimerspec *before)
    int TFD_CLOEXEC
    int TFD_NONBLOCK
    int TFD_TIMER_ABSTIME

cdef extern from "<time.h>" nogil:
    int CLOCK_MONOTONIC

cdef extern from "<unistd.h>" nogil:
    int close(int fd)
    ssize_t read(int fd, void *to, size_t size)

cdef extern from "park.h" nogil:
    void park_post(uint32_t *tokens)
    void word_set(uint64_t *word, uint64_t value)


cdef class HostedReactor(Reactor):
    """As Reactor; spawn() is asked for a thread whenever something may block."""

    def __cinit__(self):
        self.timer = self.loop_fd = -1

    def __init__(self, spawn):
        Reactor.__init__(self, spawn)
        self.delegated = deque()

    cdef void close_descriptors(self) noexcept:
        if self.timer >= 0:
            close(self.timer)
        self.timer = -1
        Reactor.close_descriptors(self)

    # ---- what is otherwise where a loop leads

    cdef int enqueue(self, Source source) except -1:
        self.queue.append(source)
        if not self.turning:
            self.wake()
        return 0

    cdef int hand_over(self) except -1:
        return 0

    cdef int run_event(self, epoll_event event) except -1:
        cdef int fd = <int> <uint32_t> event.data.u64
        cdef uint64_t ignored
        if fd == self.loop_fd:
            self.loop_ready = True
            return 0
        if fd == self.timer:
            # It is only looked at once its time has come, so there is something to read.
            if read(fd, &ignored, sizeof(ignored)) < 0 and errno != EAGAIN:
                check(-1, "read of a timer")
            self.timer_due = 0
            return self.expire()
        return Reactor.run_event(self, event)

    cdef int expire(self) except -1:
        Reactor.expire(self)
        return self.set_timer()

    cdef int expiry_set(self) except -1:
        return self.set_timer()

    cdef int delegate(self, Source source) except -1:
        self.delegated.append(source)
        if len(self.delegated) > self.idle and not self.spawn() and self.workers == 0:
            # There is no thread, and none can be had. Rather late than never.
            self.run_delegated()
        else:
            park_post(&self.turn)
        return 0

    cdef int take_turn(self) except -1:
        return self.run_delegated()

    cdef int run_delegated(self) except -1:
        cdef Source source
        if self.delegated:
            source = self.delegated.popleft()
            source.carry_on()
        return 0

    # ---- for the loop

    def fileno(self):
        """The descriptor that is readable while there is something for run_once() to do."""
        return self.epoll

    def enter_loop(self, ended):
        """Be led by the calling thread, whose event loop calls run_once(), until leave_loop().

        ended() is called by run_once() when the reactor has been stopped.
        """
        self.ended = ended
        self.timer = check(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")
        self.add(self.timer)
        word_set(&self.lead, (own_number() << 1) | BUSY)
        self.set_timer()
        # What has been queued before.
        self.wake()

    def leave_loop(self):
        """run_once() is not called any more. What waits for a thread to run it stays where it is."""
        self.delegated.clear()
        word_set(&self.lead, 0)

    def run_once(self):
        """Do what there is to do now, without waiting."""
        if self.stopping:
            ended, self.ended = self.ended, None
            if ended is not None:
                ended()
            return
        if self.first == self.count:
            self.harvest(0)
        self.run_harvest()

    def wait_in(self, int fd):
        """From here on wait_for_loop() is called instead of run_once(); fd is what the loop waits for."""
        self.add(fd)
        self.loop_fd = fd

    def interrupt(self):
        """The loop has got something to do."""
        self.interrupted = True

    def wait_for_loop(self, double timeout):
        """Serve until the loop has something to do, or so many seconds have passed; for ever if negative.

        True if what it waits for is there.
        """
        cdef int64_t until = now() + <int64_t> (timeout * 1e6) if timeout > 0 else 0
        cdef int wait
        self.interrupted = self.loop_ready = False
        while True:
            if self.stopping:
                self.run_once()
                return False
            if self.first == self.count:
                wait = -1
                if timeout == 0:
                    wait = 0
                elif timeout > 0:
                    # Rather late than early: the loop would come back at once.
                    wait = <int> min(max(until - now() + 999, 0) // 1000, <int64_t> LONGEST)
                self.harvest(wait)
            self.run_harvest()
            if self.loop_ready or self.interrupted or timeout == 0 or (until and now() >= until):
                return self.loop_ready

    cdef int run_harvest(self) except -1:
        cdef Py_ssize_t queued
        self.turning = True
        try:
            while self.first < self.count and not self.stopping:
                self.first += 1
                self.run_event(self.events[self.first - 1])
            # Those that are queued meanwhile have to wait for others.
            queued = len(self.queue)
            while queued > 0 and self.queue and not self.stopping:
                queued -= 1
                self.run_source(self.queue.popleft(), 0)
        finally:
            self.turning = False
            if self.queue or self.first < self.count or self.stopping:
                self.wake()
        return 0

    cdef int harvest(self, int timeout) except -1:
        cdef int count
        if self.process != process_number():
            self.refuse_fork()
        self.first = self.count = 0
        if timeout == 0:
            count = epoll_wait(self.epoll, self.events, HARVEST, 0)
        else:
            with nogil:
                count = epoll_wait(self.epoll, self.events, HARVEST, timeout)
        if count >= 0:
            self.count = count
        elif errno != EINTR:
            check(count, "epoll_wait")
        else:
            PyErr_CheckSignals()
        return 0

    cdef int set_timer(self) except -1:
        cdef itimerspec when
        cdef int64_t soonest = self.soonest()
        if self.timer < 0 or soonest < 0 or (self.timer_due and self.timer_due <= soonest):
            # It is looked for what comes next when it goes off.
            return 0
        when.it_interval.tv_sec = when.it_interval.tv_nsec = 0
        when.it_value.tv_sec = soonest // 1_000_000
        # Rather a microsecond late than once in vain; and nothing at all would stop it.
        when.it_value.tv_nsec = soonest % 1_000_000 * 1000 + 999
        check(timerfd_settime(self.timer, TFD_TIMER_ABSTIME, &when, NULL), "timerfd_settime")
        self.timer_due = soonest
        return 0
