# cython: language_level=3str
"""The watchdog of a reactor: sees that its leader is held up, and makes another thread the leader.

It looks every few milliseconds while the leader is busy. When the same step has lasted for a whole look,
and the leader is blocked or computes (rather than waiting for a core), another thread gets its turn. While
nothing happens the watchdog sleeps, and the first leader to get busy wakes it.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from fastvarlink._core.reactor cimport BUSY, SIGNALS, Reactor

cdef extern from "park.h" nogil:
    int PARK_SIGNAL
    void park_post(uint32_t *tokens)
    int park_wait(uint32_t *tokens, int64_t microseconds)
    int64_t thread_has_run(int32_t clock)
    int thread_runnable(int32_t number)
    int word_swap(uint64_t *word, uint64_t expected, uint64_t wanted)
    uint64_t word_get(const uint64_t *word)
    void word_set(uint64_t *word, uint64_t value)

cdef enum:
    # Microseconds between two looks. Each disturbs a call on a machine with one core: at a look a millisecond
    # that is one call in ninety, which doubles the 99th percentile. So there are fewer where, for a number of
    # looks, no step has lasted.
    LOOK = 2000
    CALM_LOOK = 5000
    CALM_LOOKS = 50
    QUIET_LOOKS = 10  # looks without anything new after which it sleeps


def watch(Reactor reactor not None, double timeout):
    """Be the watchdog for so many seconds, for ever if negative. True while it is not stopped.

    Signals are handled here, so that an exception of a signal handler leaves through this call.
    """
    cdef uint64_t seen = 0
    cdef uint64_t steps = 0
    cdef uint64_t lead
    cdef int64_t run_before = -1
    cdef int quiet = 0
    cdef int calm = 0
    cdef int64_t waited
    cdef int64_t left = <int64_t> (timeout * 1e6) if timeout >= 0 else -1
    cdef int64_t nap
    while not reactor.stopping:
        waited = 0
        with nogil:
            while waited < SIGNALS * 1000 and left != 0 and not reactor.stopping:
                nap = LOOK if calm < CALM_LOOKS else CALM_LOOK
                if quiet >= QUIET_LOOKS:
                    word_set(&reactor.parked, 1)
                    # Whoever gets busy from here on sees the mark; who already was is seen.
                    if not word_get(&reactor.lead) & BUSY:
                        nap = SIGNALS * 1000
                if left >= 0:
                    nap = min(nap, left)
                    left -= nap
                waited += nap
                if park_wait(&reactor.alarm, nap) == PARK_SIGNAL:
                    waited = SIGNALS * 1000
                word_set(&reactor.parked, 0)
                lead = word_get(&reactor.lead)
                if not lead & BUSY or lead != seen or reactor.steps != steps:
                    run_before = -1
                elif run_before < 0:
                    # The same step as at the last look.
                    run_before = thread_has_run(reactor.leader_clock)
                if run_before >= 0:
                    calm = 0
                elif reactor.steps != steps and calm < CALM_LOOKS:
                    calm += 1
                if run_before >= 0 and (
                    not thread_runnable(reactor.leader_number)
                    or thread_has_run(reactor.leader_clock) - run_before > LOOK // 2
                ):
                    # It is blocked, or computes. One that only waits for a core would not get on
                    # sooner for having company.
                    if word_swap(&reactor.lead, lead, 0):
                        run_before = -1
                        quiet = 0
                        park_post(&reactor.turn)
                        break
                if reactor.steps != steps or lead & BUSY:
                    quiet = 0
                elif quiet < QUIET_LOOKS:
                    quiet += 1
                seen = lead
                steps = reactor.steps
        PyErr_CheckSignals()
        # Also when a thread could not be started at the last look: the lead still waits for one.
        if word_get(&reactor.lead) == 0 and reactor.idle == 0 and not reactor.stopping:
            reactor.spawn()
        elif timeout >= 0 and left <= 0:
            return not reactor.stopping
    return False
