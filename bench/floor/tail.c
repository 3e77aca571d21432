/* Calls a service on eight connections in turn, and prints the 99th percentile of what a call takes, in
 * nanoseconds. Beside them so many connections call a method that blocks for 50 milliseconds, all the time.
 * Usage: tail SOCKET SECONDS BLOCKING */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "unix.h"

#define QUICK 8
#define MOST_BLOCKING 64
#define LEAST_CALLS 1000 /* for a 99th percentile of them to mean something */
#define MOST_CALLS 4000000
#define BLOCKED 50e6

static const char ping[] = "{\"method\":\"org.example.ping.Ping\",\"parameters\":{\"ping\":\"hello\"}}";
static const char block[] = "{\"method\":\"org.example.ping.Sleep\",\"parameters\":{\"milliseconds\":50}}";

static void transmit(int fd, const char *out, size_t size)
{
    if (!send_whole(fd, out, size))
        fail("send");
}

/* Reads one reply, which has to be one. */
static void reply(int fd)
{
    char in[1024];
    size_t have = 0;
    do {
        ssize_t got = recv(fd, in + have, sizeof in - have, 0);
        if (got <= 0)
            fail("recv");
        have += (size_t)got;
    } while (in[have - 1] != 0 && have < sizeof in);
    if (in[have - 1] != 0 || strstr(in, "\"error\"")) {
        fprintf(stderr, "A call was answered with %.*s\n", (int)have, in);
        exit(1);
    }
}

/* A process of its own: what it does must not be part of what the quick calls take. */
static void keep_blocking(const char *path, nfds_t count)
{
    struct pollfd all[MOST_BLOCKING];
    double sent[MOST_BLOCKING];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (nfds_t i = 0; i < count; i++) {
        all[i] = (struct pollfd){.fd = unix_connect(path), .events = POLLIN};
        sent[i] = now();
        transmit(all[i].fd, block, sizeof block);
        /* Spread over the time that they take. */
        usleep((useconds_t)(BLOCKED / 1000 / (double)count));
    }
    for (;;) {
        if (poll(all, count, -1) < 0)
            fail("poll");
        for (nfds_t i = 0; i < count; i++) {
            if (!all[i].revents)
                continue;
            reply(all[i].fd);
            if (now() - sent[i] < BLOCKED) {
                fprintf(stderr, "A call that should have blocked has not.\n");
                exit(1);
            }
            sent[i] = now();
            transmit(all[i].fd, block, sizeof block);
        }
    }
}

static int by_size(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv)
{
    long blocking = argc == 4 ? atol(argv[3]) : -1;
    if (blocking < 0 || blocking > MOST_BLOCKING) {
        fprintf(stderr, "usage: tail SOCKET SECONDS BLOCKING (at most %d)\n", MOST_BLOCKING);
        return 2;
    }
    double seconds = atof(argv[2]);
    double *taken = malloc(MOST_CALLS * sizeof *taken);
    int fds[QUICK];
    pid_t child = 0;
    if (taken == NULL)
        fail("malloc");
    for (int i = 0; i < QUICK; i++)
        fds[i] = unix_connect(argv[1]);
    if (blocking > 0) {
        child = fork();
        if (child < 0)
            fail("fork");
        if (child == 0)
            keep_blocking(argv[1], (nfds_t)blocking);
    }
    /* Until all of them block, and the server has got to know them. */
    double begin = now(), measured = begin + (seconds < 0.1 ? 0.2e9 : 0.4e9);
    size_t calls = 0;
    for (double at = begin; (at < measured + seconds * 1e9 || calls < LEAST_CALLS) && calls < MOST_CALLS;) {
        int fd = fds[calls % QUICK];
        transmit(fd, ping, sizeof ping);
        reply(fd);
        double done = now();
        taken[calls++] = done - at;
        if (at < measured && done >= measured)
            calls = 0;
        at = done;
    }
    if (child > 0 && waitpid(child, NULL, WNOHANG) != 0) {
        fprintf(stderr, "What was to block has ended.\n");
        return 1;
    }
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    qsort(taken, calls, sizeof *taken, by_size);
    printf("%.1f\n", taken[calls - 1 - calls / 100]);
    return 0;
}
