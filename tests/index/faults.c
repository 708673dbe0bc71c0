/* Makes the n-th write in a folder fail, as a full disk or a broken one does. Preloaded, so that what is tested is what
   runs: Python's own calls, numpy's and SQLite's. A full disk still deletes files and cuts them short; all else fails
   on it. On a disk that is gone, everything fails. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long at, count;
static int code, lasting;

void arm(const char *where, long n, int error, int all_after) {
    strncpy(folder, where, sizeof folder - 1);
    at = n, code = error, lasting = all_after, count = 0;
}

long counted(void) { return count; }

static int fails(int inside) {
    if (!inside) return 0;
    count++;
    if (!at || (lasting ? count < at : count != at)) return 0;
    errno = code;
    return 1;
}

/* What needs no room. */
static int fails_without_room(int inside) { return fails(inside) && !(lasting && code == ENOSPC); }

static int named(const char *path) { return folder[0] && strstr(path, folder) != NULL; }

static int opened(int fd) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length < 0) return 0;
    path[length] = 0;
    return named(path);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define ON_FILE(name, type, parameters, ...) \
    type name parameters { \
        REAL(name); \
        return fails(opened(fd)) ? -1 : real(__VA_ARGS__); \
    }

ON_FILE(write, ssize_t, (int fd, const void *bytes, size_t n), fd, bytes, n)
ON_FILE(pwrite, ssize_t, (int fd, const void *bytes, size_t n, off_t where), fd, bytes, n, where)
ON_FILE(pwrite64, ssize_t, (int fd, const void *bytes, size_t n, off64_t where), fd, bytes, n, where)
ON_FILE(fsync, int, (int fd), fd)
ON_FILE(fdatasync, int, (int fd), fd)

#define CUTS(name, type) \
    int name(int fd, type size) { \
        REAL(name); \
        struct stat status; \
        int inside = opened(fd), shrinks = inside && !fstat(fd, &status) && size <= status.st_size; \
        return (shrinks ? fails_without_room(inside) : fails(inside)) ? -1 : real(fd, size); \
    }

CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)

#define ON_PATH(name, type, parameters, ...) \
    type name parameters { \
        REAL(name); \
        return fails(named(path)) ? -1 : real(__VA_ARGS__); \
    }

ON_PATH(rename, int, (const char *path, const char *to), path, to)

int unlink(const char *path) {
    REAL(unlink);
    return fails_without_room(named(path)) ? -1 : real(path);
}

ON_PATH(mkdir, int, (const char *path, mode_t mode), path, mode)

/* The same, of a name in a folder that is open. */
#define IN_FOLDER(name, parameters, ...) \
    int name parameters { \
        REAL(name); \
        return fails(opened(fd)) ? -1 : real(__VA_ARGS__); \
    }

IN_FOLDER(renameat, (int fd, const char *path, int to_fd, const char *to), fd, path, to_fd, to)

int unlinkat(int fd, const char *path, int flags) {
    REAL(unlinkat);
    return fails_without_room(opened(fd)) ? -1 : real(fd, path, flags);
}

IN_FOLDER(mkdirat, (int fd, const char *path, mode_t mode), fd, path, mode)

#define MAKES_FILE_IN_FOLDER(name) \
    int name(int fd, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails(flags & O_CREAT && opened(fd)) ? -1 : real(fd, path, flags, mode); \
    }

MAKES_FILE_IN_FOLDER(openat)
MAKES_FILE_IN_FOLDER(openat64)

#define MAKES_FILE(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails(flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) && named(path)) ? -1 : real(path, flags, mode); \
    }

MAKES_FILE(open)
MAKES_FILE(open64)

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *stream) {
    REAL(fwrite);
    return fails(opened(fileno(stream))) ? 0 : real(bytes, size, n, stream);
}
