/* Records what a process does to the files of a folder, in its order: new files, writes, truncations, syncs, renamings,
   deletions. Preloaded, so that what is recorded is what runs: Python's own calls, numpy's and SQLite's. A test replays
   the record, and holds the result against the folder, so that a call that is missing here cannot go unseen. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int record_fd = -1;
static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void record(const char *where, const char *into) {
    strncpy(folder, where, sizeof folder - 1);
    record_fd = syscall(SYS_openat, AT_FDCWD, into, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static int inside(const char *path) {
    size_t n = strlen(folder), length = strlen(path);
    if (record_fd < 0 || strncmp(path, folder, n) || (path[n] && path[n] != '/')) return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");  /* SQLite makes it again */
}

struct entry { int64_t op, inode, offset, length, first, second; };

static void put(char op, int64_t inode, int64_t offset, const char *one, const char *two, const void *bytes, size_t n) {
    int kept = errno;
    struct entry entry = {op, inode, offset, n, one ? strlen(one) : 0, two ? strlen(two) : 0};
    struct iovec parts[] = {
        {&entry, sizeof entry}, {(void *)one, entry.first}, {(void *)two, entry.second}, {(void *)bytes, n}};
    syscall(SYS_writev, record_fd, parts, 4);
    errno = kept;
}

static int linked(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length >= 0;
}

/* The inode of an open file of the folder, or 0. */
static int64_t inode_of(int fd) {
    char path[PATH_MAX];
    struct stat status;
    int kept = errno;
    int64_t inode = record_fd >= 0 && linked(fd, path) && inside(path) && !fstat(fd, &status) ? status.st_ino : 0;
    errno = kept;
    return inode;
}

/* The path as the folder has it: no links and no dots before the last name. */
static int resolved(int at, const char *path, char *full) {
    char near[2 * PATH_MAX], name[NAME_MAX + 1];
    int kept = errno, ok = 0;
    if (record_fd < 0) return 0;
    if (*path == '/') strncpy(near, path, sizeof near - 1);
    else {
        char start[PATH_MAX];
        if (at == AT_FDCWD ? !getcwd(start, sizeof start) : !linked(at, start)) return 0;
        snprintf(near, sizeof near, "%s/%s", start, path);
    }
    char *slash = strrchr(near, '/');
    while (slash > near && !slash[1]) *slash = 0, slash = strrchr(near, '/');
    strncpy(name, slash + 1, sizeof name - 1);
    name[sizeof name - 1] = 0;
    *slash = 0;
    if (realpath(*near ? near : "/", full)) {
        strcat(strcat(full, "/"), name);
        ok = inside(full);
    }
    errno = kept;
    return ok;
}

static int64_t inode_at(const char *path) {
    struct stat status;
    int kept = errno;
    int64_t inode = lstat(path, &status) ? 0 : status.st_ino;
    errno = kept;
    return inode;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define IN_TURN(type, call, then) \
    pthread_mutex_lock(&turn); \
    type result = call; \
    then; \
    pthread_mutex_unlock(&turn); \
    return result

static void written(int fd, int64_t offset, const void *bytes, ssize_t n) {
    int64_t inode = n > 0 ? inode_of(fd) : 0;
    if (inode) put('w', inode, offset < 0 ? lseek(fd, 0, SEEK_CUR) - n : offset, 0, 0, bytes, n);
}

ssize_t write(int fd, const void *bytes, size_t n) {
    REAL(write);
    IN_TURN(ssize_t, real(fd, bytes, n), written(fd, -1, bytes, result));
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t where) {
    REAL(pwrite);
    IN_TURN(ssize_t, real(fd, bytes, n, where), written(fd, where, bytes, result));
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t where) {
    REAL(pwrite64);
    IN_TURN(ssize_t, real(fd, bytes, n, where), written(fd, where, bytes, result));
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    ssize_t total = 0;
    for (int part = 0; part < n; part++) {
        ssize_t done = write(fd, parts[part].iov_base, parts[part].iov_len);
        if (done < 0) return total ? total : -1;
        total += done;
        if ((size_t)done < parts[part].iov_len) break;
    }
    return total;
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *stream) {  /* numpy writes arrays by it */
    REAL(fwrite);
    if (!inode_of(fileno(stream))) return real(bytes, size, n, stream);
    fflush(stream);
    IN_TURN(size_t, real(bytes, size, n, stream),
            (fflush(stream), written(fileno(stream), -1, bytes, (ssize_t)(result * size))));
}

#define ON_FILE(name, type, parameters, letter, offset, ...) \
    type name parameters { \
        REAL(name); \
        IN_TURN(type, real(__VA_ARGS__), { \
            int64_t inode = result ? 0 : inode_of(fd); \
            if (inode) put(letter, inode, offset, 0, 0, 0, 0); \
        }); \
    }

ON_FILE(fsync, int, (int fd), 's', 0, fd)
ON_FILE(fdatasync, int, (int fd), 's', 0, fd)
ON_FILE(ftruncate, int, (int fd, off_t size), 't', size, fd, size)
ON_FILE(ftruncate64, int, (int fd, off64_t size), 't', size, fd, size)

#define ON_PATH(name, parameters, at, letter, ...) \
    int name parameters { \
        char full[2 * PATH_MAX]; \
        REAL(name); \
        int known = resolved(at, path, full); \
        IN_TURN(int, real(__VA_ARGS__), if (known && !result) put(letter, inode_at(full), 0, full, 0, 0, 0)); \
    }

ON_PATH(unlink, (const char *path), AT_FDCWD, 'u', path)
ON_PATH(unlinkat, (int at, const char *path, int flags), at, 'u', at, path, flags)
ON_PATH(rmdir, (const char *path), AT_FDCWD, 'u', path)
ON_PATH(mkdir, (const char *path, mode_t mode), AT_FDCWD, 'm', path, mode)
ON_PATH(mkdirat, (int at, const char *path, mode_t mode), at, 'm', at, path, mode)

#define ON_PATHS(name, parameters, at, at_to, letter, ...) \
    int name parameters { \
        char full[2 * PATH_MAX], full_to[2 * PATH_MAX]; \
        REAL(name); \
        int known = resolved(at, path, full), known_to = resolved(at_to, to, full_to); \
        IN_TURN(int, real(__VA_ARGS__), if ((known || known_to) && !result) put(letter, 0, 0, full, full_to, 0, 0)); \
    }

ON_PATHS(rename, (const char *path, const char *to), AT_FDCWD, AT_FDCWD, 'r', path, to)
ON_PATHS(renameat, (int at, const char *path, int at_to, const char *to), at, at_to, 'r', at, path, at_to, to)
ON_PATHS(link, (const char *path, const char *to), AT_FDCWD, AT_FDCWD, 'l', path, to)
ON_PATHS(linkat, (int at, const char *path, int at_to, const char *to, int flags), at, at_to, 'l', at, path, at_to, to,
         flags)

static void opened(const char *full, int flags, int64_t before, int fd) {
    int64_t inode = inode_at(full);
    if (fd < 0 || (flags & O_TMPFILE) == O_TMPFILE) return;
    if ((flags & O_CREAT) && !before) put('c', inode, 0, full, 0, 0, 0);
    else if (flags & O_TRUNC) put('t', inode, 0, 0, 0, 0, 0);
}

#define OPENS(name, parameters, at, ...) \
    int name parameters { \
        char full[2 * PATH_MAX]; \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        if (!(flags & (O_CREAT | O_TRUNC)) || !resolved(at, path, full)) return real(__VA_ARGS__); \
        int64_t before = inode_at(full); \
        IN_TURN(int, real(__VA_ARGS__), opened(full, flags, before, result)); \
    }

OPENS(open, (const char *path, int flags, ...), AT_FDCWD, path, flags, mode)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD, path, flags, mode)
OPENS(openat, (int at, const char *path, int flags, ...), at, at, path, flags, mode)
OPENS(openat64, (int at, const char *path, int flags, ...), at, at, path, flags, mode)
