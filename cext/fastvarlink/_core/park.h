/* Waiting and waking without the GIL: a counting semaphore on a futex, and the word that says who leads.
 *
 * sem_timedwait() measures on the wall clock and sem_clockwait() is too new for older C libraries; a futex
 * measures on the monotonic clock. */
#ifndef FASTVARLINK_PARK_H
#define FASTVARLINK_PARK_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PARK_TAKEN = 0, PARK_TIMEOUT = 1, PARK_SIGNAL = 2 };

/* Adds one token and wakes one thread that waits for it. */
static inline void park_post(uint32_t *tokens)
{
    __atomic_add_fetch(tokens, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, tokens, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Takes a token if there is one. */
static inline int park_try(uint32_t *tokens)
{
    uint32_t seen = __atomic_load_n(tokens, __ATOMIC_SEQ_CST);
    while (seen > 0)
        if (__atomic_compare_exchange_n(tokens, &seen, seen - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return 1;
    return 0;
}

/* Takes a token, waiting for it up to so many microseconds; for ever if negative. A signal handler that
 * ran ends the wait early, so that Python can act on it. */
static inline int park_wait(uint32_t *tokens, int64_t microseconds)
{
    struct timespec limit = {microseconds / 1000000, (microseconds % 1000000) * 1000};
    for (;;) {
        if (park_try(tokens))
            return PARK_TAKEN;
        if (syscall(SYS_futex, tokens, FUTEX_WAIT_PRIVATE, 0, microseconds < 0 ? NULL : &limit, NULL, 0) < 0) {
            if (errno == ETIMEDOUT)
                return PARK_TIMEOUT;
            if (errno == EINTR)
                return PARK_SIGNAL;
            /* EAGAIN: a token came between the look and the wait. */
        }
    }
}

/* The clock that runs while the calling thread does. */
static inline int32_t thread_clock(void)
{
    clockid_t clock;
    return pthread_getcpuclockid(pthread_self(), &clock) ? -1 : (int32_t)clock;
}

static inline int32_t thread_number(void)
{
    return (int32_t)syscall(SYS_gettid);
}

/* Microseconds a thread has run for, 0 if that cannot be told. */
static inline int64_t thread_has_run(int32_t clock)
{
    struct timespec run;
    if (clock_gettime((clockid_t)clock, &run))
        return 0;
    return (int64_t)run.tv_sec * 1000000 + run.tv_nsec / 1000;
}

/* Whether a thread of this process runs or waits for a core to run on, rather than for anything else. */
static inline int thread_runnable(int32_t number)
{
    char path[48], text[128], *name_end;
    int fd;
    ssize_t size;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0)
        return 0;
    text[size] = 0;
    /* "12 (name) R ...": the name may have anything in it. */
    name_end = strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'R';
}

static inline int word_swap(uint64_t *word, uint64_t expected, uint64_t wanted)
{
    return __atomic_compare_exchange_n(word, &expected, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline uint64_t word_get(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void word_set(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

#endif
