/* The floor under a large call: a frame is read whole and sent back as it came.
 * It is kept whole before it goes back because a client sends all of it before it reads.
 * Usage: echo SOCKET */
#include "unix.h"

#define ROOM (32u << 20)

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: echo SOCKET\n");
        return 2;
    }
    char *frame = malloc(ROOM);
    if (frame == NULL)
        fail("malloc");
    int listener = unix_listen(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            fail("accept");
        size_t have = 0;
        ssize_t got;
        while (have < ROOM && (got = recv(fd, frame + have, ROOM - have, 0)) > 0) {
            have += (size_t)got;
            if (frame[have - 1] != 0)
                continue;
            if (!send_whole(fd, frame, have))
                break;
            have = 0;
        }
        close(fd);
    }
}
