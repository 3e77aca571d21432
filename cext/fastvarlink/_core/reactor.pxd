# cython: language_level=3str
"""epoll, and who waits in it. Knows descriptors and threads, nothing of Varlink."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from fastvarlink._core.countdown cimport Countdown, Timed

cdef extern from "<sys/epoll.h>" nogil:
    cdef enum:
        EPOLLIN
        EPOLLOUT
        EPOLLERR
        EPOLLHUP
        EPOLLRDHUP
    union epoll_data:
        uint64_t u64
    struct epoll_event:
        uint32_t events
        epoll_data data


cdef enum:
    HARVEST = 64  # events taken at once
    # Milliseconds after which a thread that may be the main one looks for signals: one that arrives in
    # the instant before it waits does not interrupt the wait.
    SIGNALS = 500
    LONGEST = 60_000  # milliseconds a wait lasts at most where something is to expire
    BUSY = 1  # the lowest bit of the word that says who leads

# Of a C function: -1 is OSError, which says what failed.
cdef int check(int result, str what) except -1
# Of the calling thread, among all that ever led a reactor.
cdef uint64_t own_number() noexcept


# Something with a descriptor to be watched, and a time that may run out.
cdef class Source(Timed):
    cdef int fd
    cdef Reactor reactor  # None while it is not watched

    # The descriptor is ready (edge-triggered), or the source asked to go on (events is 0).
    cdef int ready(self, uint32_t events) except -1
    # The thread that is inside ready() has been held up there and no longer leads.
    cdef int overtaken(self) except -1
    # What it has awaited is over.
    cdef int resumed(self) except -1
    # A thread that may block is there to go on.
    cdef int carry_on(self) except -1


cdef class Reactor:
    cdef readonly int epoll
    cdef int wakeup  # an eventfd that gets the leader out of epoll_wait
    cdef unsigned long process  # that made it
    cdef list sources  # by descriptor; None where there is none
    cdef list generations  # by descriptor; tells a late event of a closed one from its successor's
    cdef epoll_event *events  # harvested and not yet handled; outlives the leader that harvested them
    cdef int first
    cdef int count
    cdef list countdowns  # whatever runs out, does so in one of them
    cdef object queue  # deque of sources that have more to do
    cdef Source current  # what the leader is inside of
    # Who leads: its number, shifted left, and in the lowest bit whether it is busy. 0 while nobody
    # does. A leader may only be replaced while busy, so epoll_wait is never entered by two.
    cdef uint64_t lead
    cdef int32_t leader_number  # of the leader's thread, as the system counts them
    cdef int32_t leader_clock  # runs while the leader does
    cdef uint64_t steps  # counts what leaders begin to do
    cdef uint32_t turn  # a token here is the leadership, waiting for a thread
    cdef uint32_t alarm  # a token here wakes the watchdog
    cdef uint64_t parked  # the watchdog sleeps until it is woken
    cdef int32_t idle  # threads waiting for their turn
    cdef bint stopping
    cdef object tick  # callable: called by lead_alone() about every interval milliseconds; or None
    cdef int interval
    cdef int64_t busy_poll  # microseconds for which the leader asks before it sleeps; 0 for none
    cdef int64_t spin_until  # when they are over; 0 while something happens
    cdef double next_tick  # on the monotonic clock, in seconds
    cdef int32_t workers  # threads in work()
    cdef object spawn  # callable: starts a thread that calls work(), or returns False
    cdef uint64_t usual  # the data of the last event, if it came alone
    cdef uint64_t streak  # how often in a row that has been so
    cdef Source attended  # a thread that does not lead waits for this one; mostly None
    cdef bint disturbed  # and there was something else to do meanwhile

    cdef int attach(self, Source source, uint32_t events) except -1
    cdef int modify(self, Source source, uint32_t events) except -1
    cdef int detach(self, Source source) except -1
    # Has source.ready(0) called when others have had their turn.
    cdef int enqueue(self, Source source) except -1
    # Looks at what expires in this countdown, if there is one.
    cdef int observe(self, Countdown countdown) except -1
    # Has source.expired() called when the countdown's span is over, instead of any that runs for it.
    cdef int start_countdown(self, Source source, Countdown countdown) except -1
    # A countdown of which nothing was running has begun.
    cdef int expiry_set(self) except -1
    # When the next one expires, -1 if none runs.
    cdef int64_t soonest(self) noexcept
    # Milliseconds until then, likewise.
    cdef int next_expiry(self) noexcept
    cdef int expire(self) except -1
    # Has the source go on on a thread that may block.
    cdef int delegate(self, Source source) except -1
    # What a thread in work() does when it is its turn.
    cdef int take_turn(self) except -1
    # Watches a descriptor that belongs to no source.
    cdef int add(self, int fd) except -1
    # Gets whoever waits in epoll_wait out of it.
    cdef void wake(self) noexcept
    cdef int refuse_fork(self) except -1
    # True if the calling thread leads.
    cdef bint leading(self) noexcept
    # Tells the watchdog that the leader has begun something new.
    cdef void begin_step(self) noexcept
    # Lets another thread lead, as what comes next will take long.
    cdef int hand_over(self) except -1
    # Lets another thread lead where nothing but this source has had anything to do for some time, so that
    # the calling thread may wait for it. False if that is not so.
    cdef bint attend(self, Source source) except -1
    # True while it may go on to.
    cdef bint may_attend(self, Source source) noexcept
    # The source, which may have gone, is watched for these events again.
    cdef int leave(self, Source source, uint32_t events) except -1
    cdef void close_descriptors(self) noexcept
    cdef int run_leader(self) except -1
    # As epoll_wait(), but it sleeps only once nothing has happened for the time of the busy poll. It returns
    # early, with nothing, so that the leader can look after other things.
    cdef int spin(self, int timeout) noexcept nogil
    cdef int run_event(self, epoll_event event) except -1
    cdef int run_source(self, Source source, uint32_t events) except -1
