/* Has valgrind begin to count, and write down under a name what it has counted since the last mark.
 * Outside valgrind it does nothing. Loaded by counted.py. */
#include <valgrind/callgrind.h>

void mark(const char *name)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(name);
}
