/* A library to be preloaded: it makes chosen system calls and allocations of a process fail.
 *
 * What fails is written into a file that the process has mapped and a test changes while it runs, see
 * injection.py, which has the same layout. Each kind of call counts its calls; one whose number lies between first
 * and last fails, or a random share of all.
 *
 * With edge-triggered epoll an event that was taken and not used up never comes again, so the kernel reports
 * EAGAIN and short transfers only where an edge follows. Where they are faked on a descriptor that is watched, the
 * watch is set anew, for which epoll looks at the descriptor and makes that edge. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind {
    ACCEPT, RECV, RECVMSG, SEND, SENDMSG, EPOLL_WAIT, EPOLL_CTL, POLL, EVENTFD_READ, THREAD, RAW, OBJECT, KINDS
};

enum { SHORT = -1, WATCHED = 4096 };

struct fault {
    int64_t calls;   /* made since it was set */
    int64_t first;   /* the numbers, from 1, of those that fail */
    int64_t last;
    int64_t share;   /* of 65536 that fail as well */
    int64_t failure; /* an errno, or SHORT: one byte, or one event */
    int64_t struck;  /* how many have failed */
};

static struct control {
    int64_t seed;
    struct fault faults[KINDS];
} nothing, *control = &nothing;

static struct watch {
    int epoll;
    struct epoll_event event;
} watches[WATCHED];

static int (*real_epoll_ctl)(int, int, int, struct epoll_event *);

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("FASTVARLINK_FAULTS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *at;
    if (fd < 0)
        return;
    at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        control = at;
}

static uint64_t mixed(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* What this call is to fail with; 0 if it is to be made as it is. */
static int strike(enum kind kind)
{
    struct fault *fault = &control->faults[kind];
    int64_t number = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_SEQ_CST);
    uint64_t chance = mixed((uint64_t)control->seed * KINDS + kind + ((uint64_t)number << 32)) & 0xffff;
    if (fault->failure == 0)
        return 0;
    if ((number < fault->first || number > fault->last) && (int64_t)chance >= fault->share)
        return 0;
    __atomic_add_fetch(&fault->struck, 1, __ATOMIC_SEQ_CST);
    return (int)fault->failure;
}

static void watch_anew(int fd)
{
    if (fd >= 0 && fd < WATCHED && watches[fd].epoll > 0)
        real_epoll_ctl(watches[fd].epoll, EPOLL_CTL_MOD, fd, &watches[fd].event);
}

/* Whether a call fails without being made. EAGAIN is left to those that do not wait. */
static int fails(int failure, int fd, int waits)
{
    if (failure <= 0 || (failure == EAGAIN && waits))
        return 0;
    if (failure == EAGAIN)
        watch_anew(fd);
    errno = failure;
    return 1;
}

static int may_wait(int fd, int flags)
{
    return !(flags & MSG_DONTWAIT) && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    REAL(accept4);
    return fails(strike(ACCEPT), fd, may_wait(fd, 0)) ? -1 : real(fd, address, length, flags);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
    REAL(recv);
    int failure = strike(RECV);
    ssize_t got;
    if (fails(failure, fd, may_wait(fd, flags)))
        return -1;
    if (failure != SHORT || size <= 1)
        return real(fd, to, size, flags);
    got = real(fd, to, 1, flags);
    watch_anew(fd);
    return got;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    REAL(recvmsg);
    int failure = strike(RECVMSG);
    ssize_t got;
    size_t size;
    if (fails(failure, fd, may_wait(fd, flags)))
        return -1;
    if (failure != SHORT || message->msg_iovlen == 0 || message->msg_iov->iov_len <= 1)
        return real(fd, message, flags);
    size = message->msg_iov->iov_len;
    message->msg_iov->iov_len = 1;
    got = real(fd, message, flags);
    message->msg_iov->iov_len = size;
    watch_anew(fd);
    return got;
}

ssize_t send(int fd, const void *what, size_t size, int flags)
{
    REAL(send);
    int failure = strike(SEND);
    if (fails(failure, fd, may_wait(fd, flags)))
        return -1;
    return real(fd, what, failure == SHORT && size > 1 ? 1 : size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    int failure = strike(SENDMSG);
    struct msghdr less = *message;
    struct iovec byte;
    if (fails(failure, fd, may_wait(fd, flags)))
        return -1;
    if (failure != SHORT || message->msg_iovlen == 0 || message->msg_iov->iov_len <= 1)
        return real(fd, message, flags);
    byte.iov_base = message->msg_iov->iov_base;
    byte.iov_len = 1;
    less.msg_iov = &byte;
    less.msg_iovlen = 1;
    return real(fd, &less, flags);
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    REAL(epoll_wait);
    int failure = strike(EPOLL_WAIT);
    return fails(failure, -1, 0) ? -1 : real(epoll, events, failure == SHORT ? 1 : most, timeout);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    REAL(epoll_ctl);
    int result;
    real_epoll_ctl = real;
    /* Taking out never fails for want of anything, and its failures are not looked at. */
    if (operation != EPOLL_CTL_DEL && fails(strike(EPOLL_CTL), -1, 0))
        return -1;
    result = real(epoll, operation, fd, event);
    if (result == 0 && fd >= 0 && fd < WATCHED) {
        watches[fd].epoll = operation == EPOLL_CTL_DEL ? 0 : epoll;
        if (operation != EPOLL_CTL_DEL)
            watches[fd].event = *event;
    }
    return result;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    REAL(poll);
    return fails(strike(POLL), -1, 0) ? -1 : real(fds, count, timeout);
}

int eventfd_read(int fd, eventfd_t *value)
{
    REAL(eventfd_read);
    return fails(strike(EVENTFD_READ), -1, 0) ? -1 : real(fd, value);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *with)
{
    REAL(pthread_create);
    int failure = strike(THREAD);
    return failure > 0 ? failure : real(thread, attributes, run, with);
}

/* ---- Python's memory. Of the raw domain those blocks that the core asks for, and nobody else; of the domain of
 * objects all but those that orjson asks for, which does not look whether it got them and crashes, and those for
 * the object of a function, without which Python 3.13.0 crashes. */

/* Whether one of the functions that led here, the nearest of so many, is in that library, or has that name. */
__attribute__((noinline)) static int comes_from(const char *where, int depth)
{
    void *frames[32];
    int count = backtrace(frames, depth), i;
    Dl_info info;
    for (i = 1; i < count; i++)
        if (dladdr(frames[i], &info) && info.dli_fname
            && (strstr(info.dli_fname, where) || (info.dli_sname && strcmp(info.dli_sname, where) == 0)))
            return 1;
    return 0;
}

enum { DOMAIN_RAW = 0, DOMAIN_OBJECT = 2 };

struct allocator {
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
};

extern void PyMem_GetAllocator(int, struct allocator *) __attribute__((weak));
extern void PyMem_SetAllocator(int, struct allocator *) __attribute__((weak));

static struct allocator raw, object;
static int objects_may_fail = 1;

/* A part of its callers, so that it is no frame of its own. */
__attribute__((always_inline)) static inline int memory_fails(void *context)
{
    if (context == &raw)
        /* Ours, the allocator's, and the core's; fewer where calls were made jumps. */
        return comes_from("fastvarlink/_core/", 4) && strike(RAW);
    return objects_may_fail && strike(OBJECT) && !comes_from("/orjson", 32)
        && !comes_from("PyFunction_NewWithQualName", 8);
}

static void *hook_malloc(void *context, size_t size)
{
    struct allocator *real = context;
    return memory_fails(context) ? NULL : real->malloc(real->context, size);
}

static void *hook_calloc(void *context, size_t count, size_t size)
{
    struct allocator *real = context;
    return memory_fails(context) ? NULL : real->calloc(real->context, count, size);
}

static void *hook_realloc(void *context, void *at, size_t size)
{
    struct allocator *real = context;
    return memory_fails(context) ? NULL : real->realloc(real->context, at, size);
}

static void hook_free(void *context, void *at)
{
    struct allocator *real = context;
    real->free(real->context, at);
}

static void hook(int domain, struct allocator *real)
{
    struct allocator ours = {real, hook_malloc, hook_calloc, hook_realloc, hook_free};
    PyMem_GetAllocator(domain, real);
    PyMem_SetAllocator(domain, &ours);
}

/* To be called by the program, with the GIL held. */
__attribute__((visibility("default"))) void watch_python_memory(void)
{
    hook(DOMAIN_RAW, &raw);
    hook(DOMAIN_OBJECT, &object);
}

/* For a program that has to find memory outside of what is looked at. */
__attribute__((visibility("default"))) void let_objects_fail(int whether)
{
    objects_may_fail = whether;
}
