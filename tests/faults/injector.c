// Makes one chosen call of the C library fail in the program that this library is preloaded into.
//
// Calls on files below a folder, and calls on sockets, have a kind ("open", "read", "write", ...). At the chosen call of a kind on
// a file, counted on that file alone because threads open theirs in any order, the fault happens; the program sees what a failing disk, a full table of descriptors or a dying
// machine would show it. Directed by the environment:
//
//   FAULT_BELOW  folder; calls on files elsewhere are neither counted nor touched
//   FAULT_KIND   kind of the call
//   FAULT_ON     path of its file without digits, as those of processes and counters are others each time; "(socket)"
//   FAULT_AT     number of the call among those of its kind on its file, from 1; without it nothing fails
//   FAULT_ERRNO  error number that the call sets
//   FAULT_WAY    once        this call fails
//                sticky      it and all later ones of its kind fail, on whatever file
//                short       it reads or writes half of what was asked, which is no error
//                full        it writes half, all later ones fail
//                before      the process is killed before the call
//                after       the process is killed after the call
//   FAULT_HASTE  set: pauses of the program take no time
//   FAULT_LOG    file: a line `number kind path what` for every fault, and with FAULT_AT unset for every call
#define _GNU_SOURCE
// The 64-bit names are defined below in their own right.
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NO_FAULT, FAIL, HALF, KILL_AFTER };
enum { DESCRIPTORS = 65536 };

static char below[PATH_MAX];
static const char *chosen, *on, *way;
static long at;
static int error, haste, log_to = -1;
static atomic_long counted;
static atomic_int happened;
// What a descriptor was opened as: a path below the folder, or "(socket)". Never freed: another thread may be reading it.
static _Atomic(char *) opened[DESCRIPTORS];
static const char SOCKET[] = "(socket)";

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("FAULT_BELOW"), *number = getenv("FAULT_AT"), *code = getenv("FAULT_ERRNO");
    const char *file = getenv("FAULT_LOG");
    snprintf(below, sizeof below, "%s", folder ? folder : "");
    chosen = getenv("FAULT_KIND");
    on = getenv("FAULT_ON");
    way = getenv("FAULT_WAY");
    at = number ? atol(number) : 0;
    error = code ? atoi(code) : EIO;
    haste = getenv("FAULT_HASTE") != NULL;
    // Programs that this one starts are left alone.
    unsetenv("LD_PRELOAD");
    // By its number, as all that the injector itself does: its own calls are no calls of the program.
    if (file) log_to = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

// Whether a path is the chosen one, but for digits.
static int is_chosen(const char *path) {
    const char *wanted = on ? on : "";
    for (; *path; path++) {
        if (*path >= '0' && *path <= '9') continue;
        if (*path != *wanted++) return 0;
    }
    return *wanted == 0;
}

static int is_below(const char *path) {
    size_t length = strlen(below);
    return length > 0 && strncmp(path, below, length) == 0 && (path[length] == 0 || path[length] == '/');
}

// The path as it would be from the root, or null where it is not below the folder.
static const char *absolute(int folder, const char *path, char *into) {
    if (!path) return NULL;
    if (path[0] == '/') return is_below(path) ? path : NULL;
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, into, PATH_MAX) < 0) return NULL;
    } else {
        const char *name = folder >= 0 && folder < DESCRIPTORS ? atomic_load(&opened[folder]) : NULL;
        if (!name) return NULL;
        snprintf(into, PATH_MAX, "%s", name);
    }
    size_t length = strlen(into);
    if (path[0]) snprintf(into + length, PATH_MAX - length, "/%s", path);
    return is_below(into) ? into : NULL;
}

static void note(long number, const char *kind, const char *path, const char *what) {
    if (log_to < 0) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s %s\n", number, kind, path, what);
    syscall(SYS_write, log_to, line, (size_t)length);
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

// Counts a call and says what is to happen to it. A call that fails has its error set.
static int fault(const char *kind, const char *path) {
    if (!path) return NO_FAULT;
    if (at == 0) { note(atomic_fetch_add(&counted, 1) + 1, kind, path, "-"); return NO_FAULT; }
    if (!way || strcmp(kind, chosen ? chosen : "")) return NO_FAULT;
    int later = atomic_load(&happened), here = 0;
    if (is_chosen(path) && atomic_fetch_add(&counted, 1) + 1 == at) here = 1, atomic_store(&happened, 1);
    if ((here && !strcmp(way, "once")) || ((here || later) && !strcmp(way, "sticky")) || (later && !strcmp(way, "full"))) {
        note(at, kind, path, "failed");
        errno = error;
        return FAIL;
    }
    if (!here) return NO_FAULT;
    if (!strcmp(way, "short") || !strcmp(way, "full")) { note(at, kind, path, "half"); return HALF; }
    if (!strcmp(way, "before")) { note(at, kind, path, "killed-before"); die(); }
    if (!strcmp(way, "after")) { note(at, kind, path, "killed-after"); return KILL_AFTER; }
    return NO_FAULT;
}

static const char *name_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? atomic_load(&opened[fd]) : NULL; }
static const char *file_of(int fd) { const char *n = name_of(fd); return n && n != SOCKET ? n : NULL; }
static void remember(int fd, const char *path) {
    if (fd >= 0 && fd < DESCRIPTORS) atomic_store(&opened[fd], path == SOCKET ? (char *)SOCKET : path ? strdup(path) : NULL);
}

// A call of the library behind this one.
#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
// The body of a wrapped call: fault or not, the real call, and perhaps the end of the process.
#define CALL(type, failed, kind, path, call) do { \
    int what = fault(kind, path); \
    if (what == FAIL) return failed; \
    type result = call; \
    if (what == KILL_AFTER) die(); \
    return result; } while (0)
#define HALF_OF(n) ((n) > 1 ? (n) / 2 : (n))

// Opening.
static int open_at(int folder, const char *path, int flags, mode_t mode) {
    REAL(int, openat64, int, const char *, int, ...);
    char buffer[PATH_MAX];
    const char *here = absolute(folder, path, buffer);
    int what = fault(flags & O_CREAT ? "create" : "open", here);
    if (what == FAIL) return -1;
    int fd = real(folder, path, flags, mode);
    remember(fd, here);
    if (what == KILL_AFTER) die();
    return fd;
}
#define MODE mode_t mode = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return open_at(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
// What is read and written through a stream is not seen: the C library calls itself then.
static FILE *open_stream(FILE *(*real)(const char *, const char *), const char *path, const char *mode) {
    char buffer[PATH_MAX];
    const char *here = absolute(AT_FDCWD, path, buffer);
    CALL(FILE *, NULL, mode[0] == 'r' ? "open" : "create", here, real(path, mode));
}
FILE *fopen(const char *path, const char *mode) { REAL(FILE *, fopen, const char *, const char *); return open_stream(real, path, mode); }
FILE *fopen64(const char *path, const char *mode) { REAL(FILE *, fopen64, const char *, const char *); return open_stream(real, path, mode); }
int close(int fd) { REAL(int, close, int); remember(fd, NULL); return real(fd); }
int dup2(int from, int to) { REAL(int, dup2, int, int); int fd = real(from, to); if (fd >= 0) remember(fd, name_of(from)); return fd; }
static int duplicate(int from, int fd) { if (fd >= 0) { const char *n = name_of(from); remember(fd, n); } return fd; }
int dup(int fd) { REAL(int, dup, int); return duplicate(fd, real(fd)); }
int fcntl64(int fd, int command, ...) {
    REAL(int, fcntl64, int, int, ...);
    va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
    if (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW)
        CALL(int, -1, "lock", file_of(fd), real(fd, command, argument));
    int result = real(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? duplicate(fd, result) : result;
}
int fcntl(int fd, int command, ...) {
    va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
    return fcntl64(fd, command, argument);
}

// Folders.
DIR *opendir(const char *path) {
    REAL(DIR *, opendir, const char *);
    char buffer[PATH_MAX];
    const char *here = absolute(AT_FDCWD, path, buffer);
    int what = fault("open", here);
    if (what == FAIL) return NULL;
    DIR *folder = real(path);
    if (folder) remember(dirfd(folder), here);
    return folder;
}
int closedir(DIR *folder) { REAL(int, closedir, DIR *); remember(dirfd(folder), NULL); return real(folder); }
struct dirent64 *readdir64(DIR *folder) {
    REAL(struct dirent64 *, readdir64, DIR *);
    if (fault("list", file_of(dirfd(folder))) == FAIL) return NULL;
    return real(folder);
}
struct dirent *readdir(DIR *folder) {
    REAL(struct dirent *, readdir, DIR *);
    if (fault("list", file_of(dirfd(folder))) == FAIL) return NULL;
    return real(folder);
}

// Reading and receiving.
static const char *reading(int fd) { return name_of(fd) == SOCKET ? "receive" : "read"; }
static const char *writing(int fd) { return name_of(fd) == SOCKET ? "send" : "write"; }
#define SIZED(type, kind, fd, size, call) do { \
    int what = fault(kind, name_of(fd)); \
    if (what == FAIL) return -1; \
    if (what == HALF) size = HALF_OF(size); \
    type result = call; \
    if (what == KILL_AFTER) die(); \
    return result; } while (0)
// Half of a vector: its first buffer alone, or half of the only one.
#define VECTOR(kind, fd, call) do { \
    struct iovec one; \
    int what = fault(kind, name_of(fd)); \
    if (what == FAIL) return -1; \
    if (what == HALF && count > 0) { one = vector[0]; if (count == 1) one.iov_len = HALF_OF(one.iov_len); vector = &one; count = 1; } \
    ssize_t result = call; \
    if (what == KILL_AFTER) die(); \
    return result; } while (0)
ssize_t read(int fd, void *to, size_t size) { REAL(ssize_t, read, int, void *, size_t); SIZED(ssize_t, reading(fd), fd, size, real(fd, to, size)); }
ssize_t __read_chk(int fd, void *to, size_t size, size_t room) { (void)room; return read(fd, to, size); }
ssize_t pread64(int fd, void *to, size_t size, off64_t from) { REAL(ssize_t, pread64, int, void *, size_t, off64_t); SIZED(ssize_t, "read", fd, size, real(fd, to, size, from)); }
ssize_t pread(int fd, void *to, size_t size, off_t from) { return pread64(fd, to, size, from); }
ssize_t readv(int fd, const struct iovec *vector, int count) { REAL(ssize_t, readv, int, const struct iovec *, int); VECTOR(reading(fd), fd, real(fd, vector, count)); }
ssize_t preadv64(int fd, const struct iovec *vector, int count, off64_t from) { REAL(ssize_t, preadv64, int, const struct iovec *, int, off64_t); VECTOR("read", fd, real(fd, vector, count, from)); }
ssize_t preadv(int fd, const struct iovec *vector, int count, off_t from) { return preadv64(fd, vector, count, from); }

// Writing and sending.
ssize_t write(int fd, const void *from, size_t size) { REAL(ssize_t, write, int, const void *, size_t); SIZED(ssize_t, writing(fd), fd, size, real(fd, from, size)); }
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t to) { REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t); SIZED(ssize_t, "write", fd, size, real(fd, from, size, to)); }
ssize_t pwrite(int fd, const void *from, size_t size, off_t to) { return pwrite64(fd, from, size, to); }
ssize_t writev(int fd, const struct iovec *vector, int count) { REAL(ssize_t, writev, int, const struct iovec *, int); VECTOR(writing(fd), fd, real(fd, vector, count)); }
ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t to) { REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t); VECTOR("write", fd, real(fd, vector, count, to)); }
ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t to) { return pwritev64(fd, vector, count, to); }

// Copying inside the kernel: one call that reads and writes.
static int copy_fault(int to, int from) {
    int what = fault("read", file_of(from));
    return what == NO_FAULT ? fault("write", file_of(to)) : what;
}
#define COPY(call) do { \
    int what = copy_fault(to, from); \
    if (what == FAIL) return -1; \
    if (what == HALF) size = size > (1 << 16) ? 1 << 15 : HALF_OF(size); \
    ssize_t result = call; \
    if (what == KILL_AFTER) die(); \
    return result; } while (0)
ssize_t copy_file_range(int from, off64_t *at_from, int to, off64_t *at_to, size_t size, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    COPY(real(from, at_from, to, at_to, size, flags));
}
ssize_t sendfile64(int to, int from, off64_t *at_from, size_t size) { REAL(ssize_t, sendfile64, int, int, off64_t *, size_t); COPY(real(to, from, at_from, size)); }
ssize_t sendfile(int to, int from, off_t *at_from, size_t size) { REAL(ssize_t, sendfile, int, int, off_t *, size_t); COPY(real(to, from, at_from, size)); }
ssize_t splice(int from, off64_t *at_from, int to, off64_t *at_to, size_t size, unsigned flags) {
    REAL(ssize_t, splice, int, off64_t *, int, off64_t *, size_t, unsigned);
    COPY(real(from, at_from, to, at_to, size, flags));
}

// Looking.
#define AT_PATH(type, failed, kind, folder, path, call) do { \
    char buffer[PATH_MAX]; \
    CALL(type, failed, kind, absolute(folder, path, buffer), call); } while (0)
int stat(const char *path, struct stat *to) { REAL(int, stat, const char *, struct stat *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(path, to)); }
int stat64(const char *path, struct stat64 *to) { REAL(int, stat64, const char *, struct stat64 *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(path, to)); }
int lstat(const char *path, struct stat *to) { REAL(int, lstat, const char *, struct stat *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(path, to)); }
int lstat64(const char *path, struct stat64 *to) { REAL(int, lstat64, const char *, struct stat64 *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(path, to)); }
int fstat(int fd, struct stat *to) { REAL(int, fstat, int, struct stat *); CALL(int, -1, "stat", file_of(fd), real(fd, to)); }
int fstat64(int fd, struct stat64 *to) { REAL(int, fstat64, int, struct stat64 *); CALL(int, -1, "stat", file_of(fd), real(fd, to)); }
int fstatat(int folder, const char *path, struct stat *to, int flags) { REAL(int, fstatat, int, const char *, struct stat *, int); AT_PATH(int, -1, "stat", folder, path, real(folder, path, to, flags)); }
int fstatat64(int folder, const char *path, struct stat64 *to, int flags) { REAL(int, fstatat64, int, const char *, struct stat64 *, int); AT_PATH(int, -1, "stat", folder, path, real(folder, path, to, flags)); }
int __xstat(int v, const char *path, struct stat *to) { REAL(int, __xstat, int, const char *, struct stat *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(v, path, to)); }
int __xstat64(int v, const char *path, struct stat64 *to) { REAL(int, __xstat64, int, const char *, struct stat64 *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(v, path, to)); }
int __lxstat(int v, const char *path, struct stat *to) { REAL(int, __lxstat, int, const char *, struct stat *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(v, path, to)); }
int __lxstat64(int v, const char *path, struct stat64 *to) { REAL(int, __lxstat64, int, const char *, struct stat64 *); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(v, path, to)); }
int __fxstat(int v, int fd, struct stat *to) { REAL(int, __fxstat, int, int, struct stat *); CALL(int, -1, "stat", file_of(fd), real(v, fd, to)); }
int __fxstat64(int v, int fd, struct stat64 *to) { REAL(int, __fxstat64, int, int, struct stat64 *); CALL(int, -1, "stat", file_of(fd), real(v, fd, to)); }
// The standard library asks once with null pointers whether the call exists.
int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict to) {
    REAL(int, statx, int, const char *, int, unsigned, struct statx *);
    const char *volatile given = path;
    if (!given) return real(folder, path, flags, mask, to);
    AT_PATH(int, -1, "stat", folder, path, real(folder, path, flags, mask, to));
}
int access(const char *path, int mode) { REAL(int, access, const char *, int); AT_PATH(int, -1, "stat", AT_FDCWD, path, real(path, mode)); }
int faccessat(int folder, const char *path, int mode, int flags) { REAL(int, faccessat, int, const char *, int, int); AT_PATH(int, -1, "stat", folder, path, real(folder, path, mode, flags)); }
ssize_t readlink(const char *path, char *to, size_t size) { REAL(ssize_t, readlink, const char *, char *, size_t); AT_PATH(ssize_t, -1, "stat", AT_FDCWD, path, real(path, to, size)); }
char *realpath(const char *path, char *to) { REAL(char *, realpath, const char *, char *); AT_PATH(char *, NULL, "stat", AT_FDCWD, path, real(path, to)); }

// Mapping. Memory that belongs to no file is not counted.
void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t from) { REAL(void *, mmap, void *, size_t, int, int, int, off_t); CALL(void *, MAP_FAILED, "mmap", fd < 0 ? NULL : file_of(fd), real(where, size, protection, flags, fd, from)); }
void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t from) { REAL(void *, mmap64, void *, size_t, int, int, int, off64_t); CALL(void *, MAP_FAILED, "mmap", fd < 0 ? NULL : file_of(fd), real(where, size, protection, flags, fd, from)); }

// Making it last.
int fsync(int fd) { REAL(int, fsync, int); CALL(int, -1, "sync", file_of(fd), real(fd)); }
int fdatasync(int fd) { REAL(int, fdatasync, int); CALL(int, -1, "sync", file_of(fd), real(fd)); }
int syncfs(int fd) { REAL(int, syncfs, int); CALL(int, -1, "sync", file_of(fd), real(fd)); }
int flock(int fd, int operation) { REAL(int, flock, int, int); CALL(int, -1, "lock", file_of(fd), real(fd, operation)); }

// Names.
int rename(const char *from, const char *to) { REAL(int, rename, const char *, const char *); AT_PATH(int, -1, "rename", AT_FDCWD, to, real(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { REAL(int, renameat, int, const char *, int, const char *); AT_PATH(int, -1, "rename", b, to, real(a, from, b, to)); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { REAL(int, renameat2, int, const char *, int, const char *, unsigned); AT_PATH(int, -1, "rename", b, to, real(a, from, b, to, flags)); }
int link(const char *from, const char *to) { REAL(int, link, const char *, const char *); AT_PATH(int, -1, "link", AT_FDCWD, to, real(from, to)); }
int linkat(int a, const char *from, int b, const char *to, int flags) { REAL(int, linkat, int, const char *, int, const char *, int); AT_PATH(int, -1, "link", b, to, real(a, from, b, to, flags)); }
int symlink(const char *from, const char *to) { REAL(int, symlink, const char *, const char *); AT_PATH(int, -1, "link", AT_FDCWD, to, real(from, to)); }
int symlinkat(const char *from, int folder, const char *to) { REAL(int, symlinkat, const char *, int, const char *); AT_PATH(int, -1, "link", folder, to, real(from, folder, to)); }
int unlink(const char *path) { REAL(int, unlink, const char *); AT_PATH(int, -1, "unlink", AT_FDCWD, path, real(path)); }
int unlinkat(int folder, const char *path, int flags) { REAL(int, unlinkat, int, const char *, int); AT_PATH(int, -1, "unlink", folder, path, real(folder, path, flags)); }
int rmdir(const char *path) { REAL(int, rmdir, const char *); AT_PATH(int, -1, "unlink", AT_FDCWD, path, real(path)); }
int remove(const char *path) { REAL(int, remove, const char *); AT_PATH(int, -1, "unlink", AT_FDCWD, path, real(path)); }
int mkdir(const char *path, mode_t mode) { REAL(int, mkdir, const char *, mode_t); AT_PATH(int, -1, "mkdir", AT_FDCWD, path, real(path, mode)); }
int mkdirat(int folder, const char *path, mode_t mode) { REAL(int, mkdirat, int, const char *, mode_t); AT_PATH(int, -1, "mkdir", folder, path, real(folder, path, mode)); }

// Sizes and attributes.
int ftruncate(int fd, off_t size) { REAL(int, ftruncate, int, off_t); CALL(int, -1, "truncate", file_of(fd), real(fd, size)); }
int ftruncate64(int fd, off64_t size) { REAL(int, ftruncate64, int, off64_t); CALL(int, -1, "truncate", file_of(fd), real(fd, size)); }
int truncate64(const char *path, off64_t size) { REAL(int, truncate64, const char *, off64_t); AT_PATH(int, -1, "truncate", AT_FDCWD, path, real(path, size)); }
// Gives its error back and sets none.
int posix_fallocate64(int fd, off64_t from, off64_t size) { REAL(int, posix_fallocate64, int, off64_t, off64_t); CALL(int, error, "truncate", file_of(fd), real(fd, from, size)); }
int chmod(const char *path, mode_t mode) { REAL(int, chmod, const char *, mode_t); AT_PATH(int, -1, "chmod", AT_FDCWD, path, real(path, mode)); }
int fchmod(int fd, mode_t mode) { REAL(int, fchmod, int, mode_t); CALL(int, -1, "chmod", file_of(fd), real(fd, mode)); }

// The network. Sockets of the machine's own services (names, users) count as well: they are calls of the program.
int socket(int domain, int type, int protocol) {
    REAL(int, socket, int, int, int);
    int what = fault("socket", SOCKET);
    if (what == FAIL) return -1;
    int fd = real(domain, type, protocol);
    remember(fd, fd >= 0 ? SOCKET : NULL);
    return fd;
}
#define ON_SOCKET(type, kind, fd, call) CALL(type, -1, kind, name_of(fd) == SOCKET ? SOCKET : NULL, call)
int connect(int fd, const struct sockaddr *address, socklen_t size) { REAL(int, connect, int, const struct sockaddr *, socklen_t); ON_SOCKET(int, "connect", fd, real(fd, address, size)); }
ssize_t send(int fd, const void *from, size_t size, int flags) { REAL(ssize_t, send, int, const void *, size_t, int); SIZED(ssize_t, "send", fd, size, real(fd, from, size, flags)); }
ssize_t sendto(int fd, const void *from, size_t size, int flags, const struct sockaddr *to, socklen_t length) { REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t); SIZED(ssize_t, "send", fd, size, real(fd, from, size, flags, to, length)); }
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { REAL(ssize_t, sendmsg, int, const struct msghdr *, int); ON_SOCKET(ssize_t, "send", fd, real(fd, message, flags)); }
// An answer comes whole, however the network cuts it: the hub of the tests ends each with the connection. So the same call has
// the same number each time.
ssize_t recv(int fd, void *to, size_t size, int flags) {
    REAL(ssize_t, recv, int, void *, size_t, int);
    if (name_of(fd) == SOCKET && !(flags & (MSG_PEEK | MSG_DONTWAIT))) flags |= MSG_WAITALL;
    SIZED(ssize_t, "receive", fd, size, real(fd, to, size, flags));
}
ssize_t recvfrom(int fd, void *to, size_t size, int flags, struct sockaddr *from, socklen_t *length) { REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *); SIZED(ssize_t, "receive", fd, size, real(fd, to, size, flags, from, length)); }
ssize_t recvmsg(int fd, struct msghdr *message, int flags) { REAL(ssize_t, recvmsg, int, struct msghdr *, int); ON_SOCKET(ssize_t, "receive", fd, real(fd, message, flags)); }

// Pauses between tries.
int nanosleep(const struct timespec *wish, struct timespec *left) {
    REAL(int, nanosleep, const struct timespec *, struct timespec *);
    return haste ? 0 : real(wish, left);
}
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wish, struct timespec *left) {
    REAL(int, clock_nanosleep, clockid_t, int, const struct timespec *, struct timespec *);
    return haste ? 0 : real(clock, flags, wish, left);
}
