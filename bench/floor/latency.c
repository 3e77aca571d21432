/* Calls a service one call at a time, with the clock read around each, and prints the nanoseconds that the
 * given shares of the calls stayed within.
 * Usage: latency SOCKET SECONDS SHARE... */
#include "unix.h"

#define LEAST_CALLS 2000 /* for one in a thousand of them to mean something */
#define MOST_CALLS 4000000

static const char call[] = "{\"method\":\"org.example.ping.Ping\",\"parameters\":{\"ping\":\"hello\"}}";

static void exchange(int fd)
{
    char in[1024];
    size_t have = 0;
    if (!send_whole(fd, call, sizeof call))
        fail("send");
    do {
        ssize_t got = recv(fd, in + have, sizeof in - have, 0);
        if (got <= 0)
            fail("recv");
        have += (size_t)got;
    } while (in[have - 1] != 0 && have < sizeof in);
    if (in[have - 1] != 0 || strstr(in, "\"pong\"") == NULL) {
        fprintf(stderr, "A call was answered with %.*s\n", (int)have, in);
        exit(1);
    }
}

static int by_size(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: latency SOCKET SECONDS SHARE...\n");
        return 2;
    }
    double seconds = atof(argv[2]);
    double *taken = malloc(MOST_CALLS * sizeof *taken);
    if (taken == NULL)
        fail("malloc");
    int fd = unix_connect(argv[1]);
    for (double warm = now() + seconds * 1e9 / 5; now() < warm;)
        exchange(fd);
    size_t calls = 0;
    double begin = now();
    for (double at = begin; (at < begin + seconds * 1e9 || calls < LEAST_CALLS) && calls < MOST_CALLS;) {
        exchange(fd);
        double done = now();
        taken[calls++] = done - at;
        at = done;
    }
    qsort(taken, calls, sizeof *taken, by_size);
    for (int i = 3; i < argc; i++) {
        size_t place = (size_t)((double)calls * atof(argv[i]));
        printf("%.1f\n", taken[place < calls ? place : calls - 1]);
    }
    return 0;
}
