# cython: language_level=3str
"""epoll, and who waits in it. Knows descriptors and threads, nothing of Varlink.

One thread leads: it alone waits in epoll_wait, and handles what it gets by itself, so a handler that
does not block costs no thread hop. When it is held up, a watchdog (watchdog.pyx) makes another thread the
leader. The thread that was held up finishes what it does and then waits for its turn.

A source that has had all turns to itself for some time may be attended: the leader leaves the lead to a
thread that waits for its turn, and waits for this source alone, in recv. That is one system call less for
each message. It ends as soon as there is something else to do.

What this costs a call: two atomic operations. docs/performance.md has the measurements, and what else
was tried.

All state but the atomic words belongs to whoever holds the GIL.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.errno cimport EINTR, errno
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

import os
from collections import deque
from time import monotonic

from fastvarlink._core.countdown cimport Countdown, Timed, counting, now
from fastvarlink._core.forked cimport process_number
from fastvarlink.error import ForkDetected

cdef extern from "<sys/epoll.h>" nogil:
    cdef enum:
        EPOLLET
        EPOLL_CTL_ADD
        EPOLL_CTL_MOD
        EPOLL_CTL_DEL
        EPOLL_CLOEXEC
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int most, int timeout)

cdef extern from "<sys/eventfd.h>" nogil:
    int eventfd(unsigned int value, int flags)
    int eventfd_read(int fd, uint64_t *value)
    int eventfd_write(int fd, uint64_t value)
    int EFD_CLOEXEC
    int EFD_NONBLOCK

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "check.h" nogil:
    void CHECK(bint what)

cdef extern from "park.h" nogil:
    int PARK_TAKEN
    int PARK_TIMEOUT
    int PARK_SIGNAL
    void park_post(uint32_t *tokens)
    int park_wait(uint32_t *tokens, int64_t microseconds)
    int32_t thread_clock()
    int32_t thread_number()
    int word_swap(uint64_t *word, uint64_t expected, uint64_t wanted)
    uint64_t word_get(const uint64_t *word)
    void word_set(uint64_t *word, uint64_t value)

cdef extern from "spin.h" nogil:
    struct spin:
        pass
    spin spin_from(int64_t time, int64_t end)
    bint spin_on(const spin *spin, int64_t time)

cdef extern from *:
    """
    /* Turns that one source has had to itself when a thread may attend it. Where the core's own checks are
     * on there are few, so that the tests meet it everywhere. */
    #ifdef FASTVARLINK_DEBUG
    #define STREAK 1
    #else
    #define STREAK 64
    #endif
    /* The number of this thread among all that ever led a reactor; 0 for others. */
    static __thread uint64_t this_thread;
    static void set_this_thread(uint64_t number) { this_thread = number; }
    static uint64_t get_this_thread(void) { return this_thread; }
    """
    uint64_t STREAK
    void set_this_thread(uint64_t number) noexcept nogil
    uint64_t get_this_thread() noexcept nogil

cdef enum:
    IDLE_THREADS = 16  # threads kept waiting for their turn
    EXPIRED = 1 << 30  # in the place of events: a bit that epoll does not use
    IDLE_TIME = 10_000_000  # microseconds a thread waits for its turn before it ends

cdef uint64_t numbers = 0  # given to threads of all reactors, so that one cannot pass for another's


cdef uint64_t own_number() noexcept:
    global numbers
    if get_this_thread() == 0:
        numbers += 1
        set_this_thread(numbers)
    return get_this_thread()


cdef int check(int result, str what) except -1:
    if result < 0:
        raise OSError(errno, f"{what} failed: {os.strerror(errno)}")
    return result


cdef class Source:
    def __cinit__(self):
        self.fd = -1

    cdef int ready(self, uint32_t events) except -1:
        raise NotImplementedError

    cdef int overtaken(self) except -1:
        return 0

    cdef int resumed(self) except -1:
        raise NotImplementedError

    cdef int carry_on(self) except -1:
        raise NotImplementedError


cdef class Reactor:
    """Watches sources. It runs once: after stop() it is over.

    spawn() is called to start one more thread that calls work(); it returns whether it could. busy_poll is
    for how many seconds whoever leads asks again and again, after something has happened, before it sleeps.
    """

    def __cinit__(self):
        self.epoll = self.wakeup = -1
        self.events = NULL

    def __init__(self, spawn=None, double busy_poll=0):
        self.spawn = spawn
        self.busy_poll = <int64_t> (busy_poll * 1e6)
        self.sources = []
        self.generations = []
        self.process = process_number()
        self.queue = deque()
        self.countdowns = []
        self.events = <epoll_event *> PyMem_RawMalloc(HARVEST * sizeof(epoll_event))
        if self.events == NULL:
            raise MemoryError()
        self.epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")
        self.wakeup = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")
        self.add(self.wakeup)

    def __dealloc__(self):
        PyMem_RawFree(self.events)
        self.close_descriptors()

    cdef void close_descriptors(self) noexcept:
        if self.epoll >= 0:
            close(self.epoll)
        if self.wakeup >= 0:
            close(self.wakeup)
        self.epoll = self.wakeup = -1

    def close(self):
        """Give the descriptors back. No thread may be inside the reactor any more, or enter it again."""
        self.stopping = True
        self.close_descriptors()

    # ---- sources

    cdef int add(self, int fd) except -1:
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.u64 = <uint64_t> fd
        check(epoll_ctl(self.epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl")
        return 0

    cdef int attach(self, Source source, uint32_t events) except -1:
        cdef epoll_event event
        cdef int fd = source.fd
        while len(self.generations) <= fd:
            self.generations.append(0)
        while len(self.sources) <= fd:
            self.sources.append(None)
        self.generations[fd] = (self.generations[fd] + 1) & 0xFFFFFFFF
        event.events = events | <uint32_t> EPOLLET
        event.data.u64 = (<uint64_t> self.generations[fd] << 32) | <uint64_t> fd
        check(epoll_ctl(self.epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl")
        self.sources[fd] = source
        source.reactor = self
        return 0

    cdef int modify(self, Source source, uint32_t events) except -1:
        cdef epoll_event event
        event.events = events | <uint32_t> EPOLLET
        event.data.u64 = (<uint64_t> self.generations[source.fd] << 32) | <uint64_t> source.fd
        check(epoll_ctl(self.epoll, EPOLL_CTL_MOD, source.fd, &event), "epoll_ctl")
        return 0

    cdef int detach(self, Source source) except -1:
        cdef epoll_event event
        source.reactor = None
        if self.attended is source:
            self.attended = None
        if self.sources[source.fd] is not source:
            return 0
        self.sources[source.fd] = None
        if self.process != process_number():
            # It is the parent's too, and a change here would be one there.
            return 0
        # ENOENT and EBADF mean that a handler has closed the descriptor, which took it out.
        epoll_ctl(self.epoll, EPOLL_CTL_DEL, source.fd, &event)
        return 0

    cdef int enqueue(self, Source source) except -1:
        self.queue.append(source)
        if not self.leading():
            self.wake()
        return 0

    cdef void wake(self) noexcept:
        eventfd_write(self.wakeup, 1)

    cdef int observe(self, Countdown countdown) except -1:
        if countdown is not None and countdown not in self.countdowns:
            self.countdowns.append(countdown)
        return 0

    cdef int start_countdown(self, Source source, Countdown countdown) except -1:
        cdef bint first = countdown.first == NULL
        countdown.start(source)
        if first:
            self.expiry_set()
        return 0

    cdef int expiry_set(self) except -1:
        if not self.leading():
            # The leader waits for longer, or for ever.
            self.wake()
        return 0

    cdef int64_t soonest(self) noexcept:
        cdef int64_t soonest = -1
        cdef Countdown countdown
        for countdown in self.countdowns:
            if countdown.first != NULL and (soonest < 0 or (<Timed> countdown.first).due < soonest):
                soonest = (<Timed> countdown.first).due
        return soonest

    cdef int next_expiry(self) noexcept:
        cdef int64_t soonest = self.soonest()
        if soonest < 0:
            return -1
        # A millisecond late rather than a turn in vain.
        return <int> min(max(soonest - now(), 0) // 1000 + 1, LONGEST)

    cdef int expire(self) except -1:
        cdef Countdown countdown
        cdef Timed source
        for countdown in self.countdowns:
            if countdown.first == NULL:
                continue
            source = countdown.take(now())
            while source is not None:
                self.run_source(<Source> source, EXPIRED)
                source = countdown.take(now())
        return 0

    # ---- leading

    cdef bint leading(self) noexcept:
        return word_get(&self.lead) >> 1 == get_this_thread()

    cdef void begin_step(self) noexcept:
        # What others do says nothing about the leader.
        if self.leading():
            self.steps += 1

    cdef int hand_over(self) except -1:
        cdef uint64_t me = get_this_thread()
        if self.spawn is None or self.stopping or not self.leading():
            return 0
        if self.idle == 0 and not self.spawn():
            # There is nobody to hand over to. The watchdog will see to it if this takes long.
            return 0
        if word_swap(&self.lead, (me << 1) | BUSY, 0):
            self.current = None
            park_post(&self.turn)
        return 0

    cdef bint attend(self, Source source) except -1:
        cdef uint64_t me = get_this_thread()
        if self.streak < STREAK or self.attended is not None or self.busy_poll or not self.leading():
            return False
        if self.idle == 0 or self.queue or self.first < self.count or self.stopping:
            return False
        # The leader is told of its end, and not of its input.
        self.modify(source, EPOLLRDHUP)
        self.attended = source
        self.disturbed = False
        self.streak = 0
        if not word_swap(&self.lead, (me << 1) | BUSY, 0):
            # This thread has just been overtaken.
            self.leave(source, EPOLLIN | EPOLLRDHUP)
            return False
        self.current = None
        park_post(&self.turn)
        return True

    cdef bint may_attend(self, Source source) noexcept:
        return (
            self.attended is source
            and not self.disturbed
            and not self.stopping
            and self.process == process_number()
        )

    cdef int leave(self, Source source, uint32_t events) except -1:
        if self.attended is source:
            self.attended = None
            if self.process == process_number():
                # In a fork it is the parent's too, and a change here would be one there.
                self.modify(source, events)
        return 0

    cdef int refuse_fork(self) except -1:
        self.stopping = True
        raise ForkDetected(
            "This process was forked while a server ran in it, and went back into the server: end it "
            "with os._exit(), or have it execute another program."
        )

    cdef int run_leader(self) except -1:
        cdef uint64_t me = get_this_thread()
        cdef uint64_t busy = (me << 1) | BUSY
        cdef uint64_t waiting = me << 1
        cdef int count
        cdef int timeout
        cdef Source held_up = self.current
        if not word_swap(&self.lead, 0, busy):
            return 0
        self.leader_number = thread_number()
        self.leader_clock = thread_clock()
        if held_up is not None:
            self.current = None
            held_up.overtaken()
        while not self.stopping:
            # Only the leader touches what has been harvested.
            CHECK(self.leading())
            if self.process != process_number():
                self.refuse_fork()
            if self.first < self.count:
                self.first += 1
                self.run_event(self.events[self.first - 1])
            else:
                timeout = -1
                if counting():
                    self.expire()
                    timeout = self.next_expiry()
                if self.queue:
                    timeout = 0
                elif self.spawn is None:
                    if timeout < 0:
                        timeout = LONGEST
                    timeout = min(timeout, self.interval, <int> SIGNALS)
                    if self.tick is not None and monotonic() >= self.next_tick:
                        self.next_tick = monotonic() + self.interval / 1000.0
                        self.tick()
                # From here on nobody may take the lead away, unless somebody has.
                if not word_swap(&self.lead, busy, waiting):
                    return 0
                with nogil:
                    if self.busy_poll:
                        count = self.spin(timeout)
                    else:
                        count = epoll_wait(self.epoll, self.events, HARVEST, timeout)
                # Only now, with the GIL held: what was harvested must be on record before another
                # thread may take over.
                word_set(&self.lead, busy)
                if word_get(&self.parked):
                    word_set(&self.parked, 0)
                    park_post(&self.alarm)
                if count < 0:
                    if errno != EINTR:
                        check(count, "epoll_wait")
                    self.first = self.count = 0
                    PyErr_CheckSignals()
                else:
                    self.first = 0
                    self.count = count
                    if count == 1 and self.events[0].data.u64 == self.usual:
                        self.streak += 1
                    elif count:
                        self.streak = 0
                        self.usual = self.events[0].data.u64
                    if self.queue:
                        self.run_source(self.queue.popleft(), 0)
                    elif count == 0:
                        PyErr_CheckSignals()
            if word_get(&self.lead) != busy:
                return 0
        word_swap(&self.lead, busy, 0)
        return 0

    cdef int spin(self, int timeout) noexcept nogil:
        cdef int64_t time = now()
        cdef int64_t end
        cdef spin spinning
        cdef int count
        if self.spin_until == 0:
            self.spin_until = time + self.busy_poll
        if timeout == 0 or time >= self.spin_until:
            count = epoll_wait(self.epoll, self.events, HARVEST, timeout)
        else:
            end = self.spin_until
            if timeout > 0:
                end = min(end, time + timeout * <int64_t> 1000)
            spinning = spin_from(time, end)
            while True:
                count = epoll_wait(self.epoll, self.events, HARVEST, 0)
                if count != 0 or not spin_on(&spinning, now()):
                    break
        if timeout == 0 or count > 0:
            # The time begins anew, when that is done.
            self.spin_until = 0
        return count

    cdef int run_event(self, epoll_event event) except -1:
        cdef Py_ssize_t fd = <Py_ssize_t> <uint32_t> event.data.u64
        cdef uint64_t generation = event.data.u64 >> 32
        cdef uint64_t ignored
        cdef Source source
        if fd == self.wakeup:
            eventfd_read(self.wakeup, &ignored)
            return 0
        source = self.sources[fd]
        if source is not None and <uint64_t> self.generations[fd] == generation:
            if source is not self.attended:
                self.disturbed = True
            self.run_source(source, event.events)
        return 0

    cdef int run_source(self, Source source, uint32_t events) except -1:
        self.current = source
        self.steps += 1
        try:
            if events == EXPIRED:
                source.expired()
            else:
                source.ready(events)
        finally:
            if self.leading():
                self.current = None
        return 0

    # ---- threads

    cdef int take_turn(self) except -1:
        return self.run_leader()

    cdef int delegate(self, Source source) except -1:
        return self.enqueue(source)

    def work(self):
        """Lead whenever it is this thread's turn, until the reactor stops or has threads to spare."""
        cdef int outcome
        own_number()
        self.workers += 1
        try:
            while not self.stopping and self.idle < IDLE_THREADS:
                if self.process != process_number():
                    self.refuse_fork()
                self.idle += 1
                with nogil:
                    outcome = park_wait(&self.turn, IDLE_TIME)
                self.idle -= 1
                if outcome == PARK_SIGNAL:
                    PyErr_CheckSignals()
                elif outcome == PARK_TIMEOUT:
                    if self.idle:
                        return
                elif self.stopping:
                    return
                else:
                    self.take_turn()
        finally:
            self.workers -= 1

    def lead_alone(self, double interval=-1, tick=None):
        """Lead on this thread, and only on it, until the reactor stops.

        tick(), if given, is called about every interval seconds.
        """
        own_number()
        self.tick = tick
        self.interval = max(1, <int> (interval * 1000)) if tick is not None else SIGNALS
        try:
            self.run_leader()
        finally:
            word_set(&self.lead, 0)

    def offer(self):
        """Offer the lead to a thread in work(): at the start, and after one has died of an exception."""
        if word_get(&self.lead) == 0 or self.leading():
            word_set(&self.lead, 0)
            park_post(&self.turn)

    @property
    def stopped(self):
        """True after stop()."""
        return self.stopping

    @property
    def attending(self):
        """True while a thread waits for one source."""
        return self.attended is not None

    def stop(self):
        """Make work(), lead_alone() and watch() return as soon as what they run allows it."""
        self.stopping = True
        self.wake()
        park_post(&self.alarm)
        for _ in range(self.idle + 1):
            park_post(&self.turn)
