/* Unix stream sockets for the floor programs: listen, connect, send whole, and the clock. */
#ifndef FLOOR_UNIX_H
#define FLOOR_UNIX_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "The socket path \"%s\" is too long.\n", path);
        exit(1);
    }
    strcpy(address.sun_path, path);
    return address;
}

static inline int unix_connect(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return fd;
}

/* Prints "ready" once connections are accepted: the harness waits for that line. */
static inline int unix_listen(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
        fail("listen");
    puts("ready");
    fflush(stdout);
    return fd;
}

/* Returns 0 when the peer has gone. */
static inline int send_whole(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 1;
}

static inline size_t count_nuls(const char *bytes, size_t size)
{
    const char *end = bytes + size;
    size_t found = 0;
    while (bytes < end && (bytes = memchr(bytes, 0, (size_t)(end - bytes))) != NULL) {
        found++;
        bytes++;
    }
    return found;
}

static inline double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

#endif
