/* Waiting that does not sleep: asking again and again, on a core of one's own if possible. */
#ifndef FASTVARLINK_SPIN_H
#define FASTVARLINK_SPIN_H

#include <sched.h>
#include <stdint.h>

enum {
    /* Microseconds after which the core is offered to others each time: one of them may be who is waited for,
     * and would otherwise get it when the system takes it away, after milliseconds. A small call takes less. */
    SPIN_ALONE = 20,
    /* Microseconds after which the caller must look for signals, which interrupt nothing that does not sleep. */
    SPIN_LOOK = 10000
};

struct spin {
    int64_t alone; /* until when others are not let in, on a clock in microseconds */
    int64_t end;
};

/* Begins at a time, to end at another, or when it is time to look. */
static inline struct spin spin_from(int64_t time, int64_t end)
{
    struct spin spin = {time + SPIN_ALONE, end < time + SPIN_LOOK ? end : time + SPIN_LOOK};
    return spin;
}

/* Whether to ask once more. */
static inline int spin_on(const struct spin *spin, int64_t time)
{
    if (time >= spin->end)
        return 0;
    if (time >= spin->alone)
        sched_yield();
    return 1;
}

#endif
