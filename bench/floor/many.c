/* Opens many connections to a service, with one call under way on each all the time, and prints the nanoseconds
 * per call.
 * Usage: many SOCKET SECONDS CONNECTIONS */
#include <sys/epoll.h>

#include "unix.h"

#define EVENTS 256

static const char call[] = "{\"method\":\"org.example.ping.Ping\",\"parameters\":{\"ping\":\"hello\"}}";

static void transmit(int fd)
{
    if (!send_whole(fd, call, sizeof call))
        fail("send");
}

int main(int argc, char **argv)
{
    long connections = argc == 4 ? atol(argv[3]) : 0;
    if (connections < 1) {
        fprintf(stderr, "usage: many SOCKET SECONDS CONNECTIONS\n");
        return 2;
    }
    double seconds = atof(argv[2]);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0)
        fail("epoll_create1");
    for (long i = 0; i < connections; i++) {
        int fd = unix_connect(argv[1]);
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted) < 0)
            fail("epoll_ctl");
        transmit(fd);
    }
    /* The clock runs once each connection has been answered, on average, and a fifth of the time is over. */
    double done = 0, begin = 0, at = now(), warm = at + seconds * 1e9 / 5;
    while (begin == 0 || at < begin + seconds * 1e9) {
        struct epoll_event ready[EVENTS];
        int count = epoll_wait(poll, ready, EVENTS, 10000);
        if (count <= 0)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            char in[1024];
            ssize_t got = recv(ready[i].data.fd, in, sizeof in - 1, 0);
            if (got <= 0)
                fail("recv");
            in[got] = 0;
            if (got < 8 || in[got - 1] != 0 || strstr(in, "\"pong\"") == NULL) {
                fprintf(stderr, "A call was answered with %s\n", in);
                return 1;
            }
            transmit(ready[i].data.fd);
        }
        done += count;
        at = now();
        if (begin == 0 && at >= warm && done >= (double)connections) {
            begin = at;
            done = 0;
        }
    }
    printf("%.1f\n", (at - begin) / done);
    return 0;
}
