/* Calls a service on a unix socket for some time and prints the nanoseconds per call.
 * Usage: client SOCKET unary SECONDS           one call at a time
 *        client SOCKET window SECONDS          64 calls in one send, then their 64 replies
 *        client SOCKET connect SECONDS         a connection, one call and the end of it, again and again
 *        client SOCKET info SECONDS            one call at a time, for what the service says of itself
 *        client SOCKET echo SECONDS BYTES      a call with a text of BYTES, which has to come back */
#define _GNU_SOURCE /* memmem */
#include "unix.h"

#define WINDOW 64

static const char ping[] =
    "{\"method\":\"org.example.ping.Ping\",\"parameters\":{\"ping\":\"hello\"}}";
static const char info[] = "{\"method\":\"org.varlink.service.GetInfo\"}";

static const char *call = ping, *expected = "\"pong\"";
static size_t call_size = sizeof ping;

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
    transmit(fd, call, call_size);
    do
        have += receive(fd, in + have, sizeof in - have);
    while (in[have - 1] != 0);
    if (strstr(in, expected) == NULL || (call == ping && strstr(in, "hello") == NULL) || strstr(in, "\"error\"")) {
        fprintf(stderr, "The call was answered with %s\n", in);
        exit(1);
    }
}

static void calls(int fd, const char *out, size_t window)
{
    static char in[65536];
    size_t answered = 0;
    transmit(fd, out, window * call_size);
    while (answered < window) {
        size_t got = receive(fd, in, sizeof in);
        answered += count_nuls(in, got);
    }
}

/* Returns the size of the answer, which may be framed by other words than the call. */
static size_t echo(int fd, const char *out, size_t size, char *in, size_t room)
{
    size_t have = 0;
    transmit(fd, out, size);
    do
        have += receive(fd, in + have, room - have);
    while (in[have - 1] != 0);
    return have;
}

static void connect_and_call(const char *path)
{
    int fd = unix_connect(path);
    check_answer(fd);
    close(fd);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";
    int is_echo = strcmp(mode, "echo") == 0;
    int is_connect = strcmp(mode, "connect") == 0, is_info = strcmp(mode, "info") == 0;
    size_t window = strcmp(mode, "window") == 0 ? WINDOW : 1;
    int known = is_echo || is_connect || is_info || window > 1 || strcmp(mode, "unary") == 0;
    if (argc != (is_echo ? 5 : 4) || !known) {
        fprintf(stderr, "usage: client SOCKET unary|window|connect|info|echo SECONDS [BYTES]\n");
        return 2;
    }
    if (is_info) {
        call = info;
        call_size = sizeof info;
        expected = "\"interfaces\"";
    }
    double seconds = atof(argv[3]);
    size_t size = is_echo ? strtoull(argv[4], NULL, 10) : 0;

    static const char head[] = "{\"method\":\"org.example.ping.Echo\",\"parameters\":{\"text\":\"";
    size_t room = is_echo ? sizeof head + size + 4 : WINDOW * call_size;
    char *out = malloc(room), *in = malloc(room);
    if (out == NULL || in == NULL)
        fail("malloc");
    size_t whole = 0, answered = 0;
    if (is_echo) {
        memcpy(out, head, sizeof head - 1);
        for (size_t at = 0; at < size; at++)
            out[sizeof head - 1 + at] = (char)('a' + at % 26);
        memcpy(out + sizeof head - 1 + size, "\"}}", 4);
        whole = sizeof head - 1 + size + 4;
    } else {
        for (size_t at = 0; at < WINDOW; at++)
            memcpy(out + at * call_size, call, call_size);
    }

    /* A floor that serves one connection at a time must not be kept by ours. */
    int fd = is_connect ? -1 : unix_connect(argv[1]);
    if (!is_echo && !is_connect)
        check_answer(fd);
    /* The clock is read once in many exchanges, so that it does not weigh on the short ones. */
    int batch = is_echo ? 1 : window > 1 ? 4 : is_connect ? 16 : 64;
    double done = 0, begin = 0, at = now(), warm = at + seconds * 1e9 / 5;
    for (;;) {
        for (int left = batch; left > 0; left--) {
            if (is_echo)
                answered = echo(fd, out, whole, in, room);
            else if (is_connect)
                connect_and_call(argv[1]);
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
    if (is_echo && memmem(in, answered, out + sizeof head - 1, size) == NULL) {
        fprintf(stderr, "The echo has not the text that was sent.\n");
        return 1;
    }
    printf("%.1f\n", (at - begin) / done);
    return 0;
}
