/* Calls a service on a unix socket for some time and prints the nanoseconds per call.
 * Usage: client SOCKET unary SECONDS           one call at a time
 *        client SOCKET window SECONDS          64 calls in one send, then their 64 replies
 *        client SOCKET echo SECONDS BYTES      a call with a text of BYTES, expected back as it is */
#include "unix.h"

#define WINDOW 64

static const char call[] =
    "{\"method\":\"org.example.ping.Ping\",\"parameters\":{\"ping\":\"hello\"}}";

static size_t receive(int fd, char *in, size_t room)
{
    ssize_t got = recv(fd, in, room, 0);
    if (got == 0) {
        fprintf(stderr, "The server closed the connection.\n");
        exit(1);
    }
    if (got < 0)
        fail("recv");
    return (size_t)got;
}

static void transmit(int fd, const char *out, size_t size)
{
    if (!send_whole(fd, out, size))
        fail("send");
}

/* A first call outside the clock: a server that answers with an error must not look fast. */
static void check_answer(int fd)
{
    static char in[4096];
    size_t have = 0;
    transmit(fd, call, sizeof call);
    do
        have += receive(fd, in + have, sizeof in - have);
    while (in[have - 1] != 0);
    if (strstr(in, "\"pong\"") == NULL || strstr(in, "hello") == NULL || strstr(in, "\"error\"")) {
        fprintf(stderr, "The call was answered with %s\n", in);
        exit(1);
    }
}

static void calls(int fd, const char *out, size_t window)
{
    static char in[65536];
    size_t answered = 0;
    transmit(fd, out, window * sizeof call);
    while (answered < window) {
        size_t got = receive(fd, in, sizeof in);
        answered += count_nuls(in, got);
    }
}

static void echo(int fd, const char *out, char *in, size_t size)
{
    transmit(fd, out, size);
    for (size_t have = 0; have < size;)
        have += receive(fd, in + have, size - have);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";
    int is_echo = strcmp(mode, "echo") == 0;
    size_t window = strcmp(mode, "window") == 0 ? WINDOW : 1;
    if (argc != (is_echo ? 5 : 4) || (!is_echo && window == 1 && strcmp(mode, "unary") != 0)) {
        fprintf(stderr, "usage: client SOCKET unary|window|echo SECONDS [BYTES]\n");
        return 2;
    }
    double seconds = atof(argv[3]);
    size_t size = is_echo ? strtoull(argv[4], NULL, 10) : 0;

    static const char head[] = "{\"method\":\"org.example.ping.Echo\",\"parameters\":{\"text\":\"";
    size_t room = is_echo ? sizeof head + size + 4 : WINDOW * sizeof call;
    char *out = malloc(room), *in = malloc(room);
    if (out == NULL || in == NULL)
        fail("malloc");
    size_t whole = 0;
    if (is_echo) {
        memcpy(out, head, sizeof head - 1);
        for (size_t at = 0; at < size; at++)
            out[sizeof head - 1 + at] = (char)('a' + at % 26);
        memcpy(out + sizeof head - 1 + size, "\"}}", 4);
        whole = sizeof head - 1 + size + 4;
    } else {
        for (size_t at = 0; at < WINDOW; at++)
            memcpy(out + at * sizeof call, call, sizeof call);
    }

    int fd = unix_connect(argv[1]);
    if (!is_echo)
        check_answer(fd);
    /* The clock is read once in many exchanges, so that it does not weigh on the short ones. */
    int batch = is_echo ? 1 : window == 1 ? 64 : 4;
    double done = 0, begin = 0, at = now(), warm = at + seconds * 1e9 / 5;
    for (;;) {
        for (int left = batch; left > 0; left--) {
            if (is_echo)
                echo(fd, out, in, whole);
            else
                calls(fd, out, window);
        }
        at = now();
        if (begin == 0) {
            if (at >= warm)
                begin = at;
            continue;
        }
        done += batch * (double)window;
        if (at - begin >= seconds * 1e9)
            break;
    }
    if (is_echo && memcmp(in, out, whole) != 0) {
        fprintf(stderr, "The echo differs from what was sent.\n");
        return 1;
    }
    printf("%.1f\n", (at - begin) / done);
    return 0;
}
