/* The floor under a small call: for each NUL that arrives, one fixed reply goes back.
 * Two system calls an exchange, a blocking recv and a send; nothing is parsed.
 * Usage: pong SOCKET */
#include "unix.h"

static const char reply[] = "{\"parameters\":{\"pong\":\"hello\"}}"; /* its NUL is the frame's */

int main(int argc, char **argv)
{
    static char in[65536], out[(sizeof in / 2) * sizeof reply];
    if (argc != 2) {
        fprintf(stderr, "usage: pong SOCKET\n");
        return 2;
    }
    /* Filled once: a burst of n replies is the first n of these. */
    for (size_t at = 0; at < sizeof in / 2; at++)
        memcpy(out + at * sizeof reply, reply, sizeof reply);
    int listener = unix_listen(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            fail("accept");
        ssize_t got;
        while ((got = recv(fd, in, sizeof in, 0)) > 0) {
            size_t calls = count_nuls(in, (size_t)got);
            if (calls > 0 && !send_whole(fd, out, calls * sizeof reply))
                break;
        }
        close(fd);
    }
}
