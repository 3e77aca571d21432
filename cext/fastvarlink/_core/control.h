/* Control messages: file descriptors that travel with the bytes of a unix socket. */
#ifndef FASTVARLINK_CONTROL_H
#define FASTVARLINK_CONTROL_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What Linux passes at most with one send (SCM_MAX_FD). */
#define RIGHTS_MOST 253

union control_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(RIGHTS_MOST * sizeof(int))];
};

/* Looks at what has arrived and leaves it there; rights says whether descriptors come with any of it, or with
   what follows: Linux looks on for them beyond the bytes that it gives. */
static inline ssize_t control_peek(int fd, void *to, size_t size, int *rights)
{
    struct iovec part = {to, size};
    struct msghdr message = {0};
    struct cmsghdr header;
    ssize_t got;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    /* Room for the header and for no descriptor: they are cut off, which is told, and none is made for the
       look. */
    message.msg_control = &header;
    message.msg_controllen = sizeof(header);
    got = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT);
    *rights = got >= 0 && (message.msg_flags & MSG_CTRUNC) != 0;
    return got;
}

/* Reads, with the descriptors that come along: count of them in fds, which has room for RIGHTS_MOST.
   cut says that there were more, which the system could not give us. All are close-on-exec. */
static inline ssize_t control_receive(int fd, void *to, size_t size, int *fds, int *count, int *cut)
{
    union control_room room;
    struct iovec part = {to, size};
    struct msghdr message = {0};
    struct cmsghdr *header;
    size_t bytes;
    ssize_t got;
    *count = 0;
    *cut = 0;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = sizeof(room.bytes);
    got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0)
        return got;
    for (header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        bytes = header->cmsg_len - CMSG_LEN(0);
        if (bytes / sizeof(int) > (size_t) (RIGHTS_MOST - *count)) {
            *cut = 1;
            continue;
        }
        memcpy(fds + *count, CMSG_DATA(header), bytes);
        *count += (int) (bytes / sizeof(int));
    }
    if (message.msg_flags & MSG_CTRUNC)
        *cut = 1;
    return got;
}

/* Writes, with descriptors on the first byte. */
static inline ssize_t control_send(int fd, const void *what, size_t size, const int *fds, int count)
{
    union control_room room;
    struct iovec part = {(void *) what, size};
    struct msghdr message = {0};
    struct cmsghdr *header;
    memset(&room, 0, sizeof(room));
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    message.msg_controllen = CMSG_SPACE((size_t) count * sizeof(int));
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t) count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, (size_t) count * sizeof(int));
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

#endif
