/* The floor under many connections: one epoll, and for each NUL that arrives on any of them one fixed reply.
 * Usage: crowd SOCKET */
#include <sys/epoll.h>

#include "unix.h"

#define EVENTS 256

static const char reply[] = "{\"parameters\":{\"pong\":\"hello\"}}"; /* its NUL is the frame's */

static void watch(int poll, int fd)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted) < 0)
        fail("epoll_ctl");
}

static void serve(int fd)
{
    char in[4096];
    ssize_t got = recv(fd, in, sizeof in, 0);
    size_t calls = got > 0 ? count_nuls(in, (size_t)got) : 0;
    while (calls > 0 && send_whole(fd, reply, sizeof reply))
        calls--;
    if (got <= 0 || calls > 0)
        close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: crowd SOCKET\n");
        return 2;
    }
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0)
        fail("epoll_create1");
    int listener = unix_listen(argv[1]);
    watch(poll, listener);
    for (;;) {
        struct epoll_event ready[EVENTS];
        int count = epoll_wait(poll, ready, EVENTS, -1);
        if (count < 0)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd != listener) {
                serve(ready[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd < 0)
                fail("accept");
            watch(poll, fd);
        }
    }
}
