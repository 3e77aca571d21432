/* Checks of the core's own promises, in debug builds only (FASTVARLINK_BUILD=debug). */
#ifndef FASTVARLINK_CHECK_H
#define FASTVARLINK_CHECK_H

#ifdef FASTVARLINK_DEBUG
#include <stdio.h>
#include <stdlib.h>
static inline void fastvarlink_check(int holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "fastvarlink: broken promise at %s:%d: %s\n", file, line, what);
        abort();
    }
}
#define CHECK(what) fastvarlink_check((what) != 0, #what, __FILE__, __LINE__)
#else
#define CHECK(what) ((void)0)
#endif

#endif
