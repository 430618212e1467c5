/* What a process writes to, the sockets it opens and the threads it makes, seen from inside it.
 *
 * cc -shared -fPIC -O1 -o watch.so watch.c -ldl
 * LD_PRELOAD=./watch.so WATCH_LOG=FILE [WATCH_THREADS=N] program
 *
 * WATCH_LOG gets a line for each file that is opened to be written, made, renamed or removed (`write PATH`), for each socket
 * (`socket FAMILY`) and for each host that is asked for (`resolve NAME`). With WATCH_THREADS no more than N threads live beside
 * the first one: further ones fail as they do where the system has no more.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void say(const char *kind, const char *what) {
    const char *log = getenv("WATCH_LOG");
    if (!log) return;
    char line[9000], folder[4096] = "";
    int relative = strcmp(kind, "write") == 0 && what[0] != '/' && getcwd(folder, sizeof folder);
    int length = snprintf(line, sizeof line, "%s %s%s%s\n", kind, folder, relative ? "/" : "", what);
    int kept = errno;
    long fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) {
        if (write(fd, line, length) != length) abort();
        close(fd);
    }
    errno = kept;
}

static void opened(const char *path, int flags) {
    if (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) say("write", path);
}

#define OPEN(name)                                                  \
    int name(const char *path, int flags, ...) {                    \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        opened(path, flags);                                        \
        return NEXT(name)(path, flags, mode);                       \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                \
    int name(int at, const char *path, int flags, ...) {            \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        opened(path, flags);                                        \
        return NEXT(name)(at, path, flags, mode);                   \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                 \
    FILE *name(const char *path, const char *mode) {                \
        if (strpbrk(mode, "wa+")) say("write", path);               \
        return NEXT(name)(path, mode);                              \
    }
FOPEN(fopen)
FOPEN(fopen64)

int creat(const char *path, mode_t mode) {
    say("write", path);
    return NEXT(creat)(path, mode);
}

int mkdir(const char *path, mode_t mode) {
    say("write", path);
    return NEXT(mkdir)(path, mode);
}

int unlink(const char *path) {
    say("write", path);
    return NEXT(unlink)(path);
}

int rename(const char *from, const char *to) {
    say("write", from);
    say("write", to);
    return NEXT(rename)(from, to);
}

int symlink(const char *to, const char *path) {
    say("write", path);
    return NEXT(symlink)(to, path);
}

int socket(int family, int type, int protocol) {
    char number[16];
    snprintf(number, sizeof number, "%d", family);
    say("socket", number);
    return NEXT(socket)(family, type, protocol);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    say("resolve", host ? host : "");
    return NEXT(getaddrinfo)(host, service, hints, found);
}

static atomic_int living;

struct start {
    void *(*run)(void *);
    void *with;
};

static void *counted(void *given) {
    struct start start = *(struct start *)given;
    free(given);
    void *result = start.run(start.with);
    atomic_fetch_sub(&living, 1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    const char *most = getenv("WATCH_THREADS");
    if (!most) return NEXT(pthread_create)(thread, how, run, with);
    if (atomic_fetch_add(&living, 1) >= atoi(most)) {
        atomic_fetch_sub(&living, 1);
        return EAGAIN;
    }
    struct start *start = malloc(sizeof *start);
    *start = (struct start){run, with};
    int failed = NEXT(pthread_create)(thread, how, counted, start);
    if (failed) {
        atomic_fetch_sub(&living, 1);
        free(start);
    }
    return failed;
}
