/* Makes the n-th write in a folder fail, or the n-th read, as a full disk or a broken one does. Preloaded, so that what
   is tested is what runs: Python's own calls, numpy's and SQLite's. A full disk still reads, deletes files and cuts them
   short; all else fails on it. On a disk that is gone, everything fails. */

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

enum call { GROWS, SHRINKS, READS };

static char folder[PATH_MAX];
static long at, count;
static int code, lasting, of_reads;

void arm(const char *where, long n, int error, int all_after, int reads) {
    strncpy(folder, where, sizeof folder - 1);
    at = n, code = error, lasting = all_after, of_reads = reads, count = 0;
}

long counted(void) { return count; }

static int fails(int inside, enum call call) {
    if (!inside) return 0;
    int counts = (call == READS) == of_reads;
    count += counts;
    if (!at || (lasting ? count < at : count != at || !counts)) return 0;
    if (lasting && code == ENOSPC && call != GROWS) return 0;
    errno = code;
    return 1;
}

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

#define ON_FILE(name, call, type, parameters, ...) \
    type name parameters { \
        REAL(name); \
        return fails(opened(fd), call) ? -1 : real(__VA_ARGS__); \
    }

static enum call resizes(int fd, off_t size) {
    struct stat status;
    return fstat(fd, &status) || size > status.st_size ? GROWS : SHRINKS;
}

ON_FILE(write, GROWS, ssize_t, (int fd, const void *bytes, size_t n), fd, bytes, n)
ON_FILE(pwrite, GROWS, ssize_t, (int fd, const void *bytes, size_t n, off_t where), fd, bytes, n, where)
ON_FILE(pwrite64, GROWS, ssize_t, (int fd, const void *bytes, size_t n, off64_t where), fd, bytes, n, where)
ON_FILE(fsync, GROWS, int, (int fd), fd)
ON_FILE(fdatasync, GROWS, int, (int fd), fd)
ON_FILE(ftruncate, resizes(fd, size), int, (int fd, off_t size), fd, size)
ON_FILE(ftruncate64, resizes(fd, size), int, (int fd, off64_t size), fd, size)
ON_FILE(read, READS, ssize_t, (int fd, void *bytes, size_t n), fd, bytes, n)
ON_FILE(pread, READS, ssize_t, (int fd, void *bytes, size_t n, off_t where), fd, bytes, n, where)
ON_FILE(pread64, READS, ssize_t, (int fd, void *bytes, size_t n, off64_t where), fd, bytes, n, where)

#define ON_PATH(name, call, type, parameters, ...) \
    type name parameters { \
        REAL(name); \
        return fails(named(path), call) ? -1 : real(__VA_ARGS__); \
    }

ON_PATH(rename, GROWS, int, (const char *path, const char *to), path, to)
ON_PATH(unlink, SHRINKS, int, (const char *path), path)
ON_PATH(mkdir, GROWS, int, (const char *path, mode_t mode), path, mode)

/* The same, of a name in a folder that is open. */
#define IN_FOLDER(name, call, parameters, ...) \
    int name parameters { \
        REAL(name); \
        return fails(opened(fd), call) ? -1 : real(__VA_ARGS__); \
    }

IN_FOLDER(renameat, GROWS, (int fd, const char *path, int to_fd, const char *to), fd, path, to_fd, to)
IN_FOLDER(unlinkat, SHRINKS, (int fd, const char *path, int flags), fd, path, flags)
IN_FOLDER(mkdirat, GROWS, (int fd, const char *path, mode_t mode), fd, path, mode)

#define OPENS(name, inside, folder, ...) \
    int name(folder const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        int makes = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)); \
        mode_t mode = makes ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails(inside, makes ? GROWS : READS) ? -1 : real(__VA_ARGS__, flags, mode); \
    }

#define ALONE
#define IN int fd,

OPENS(open, named(path), ALONE, path)
OPENS(open64, named(path), ALONE, path)
OPENS(openat, opened(fd), IN, fd, path)
OPENS(openat64, opened(fd), IN, fd, path)

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *stream) {
    REAL(fwrite);
    return fails(opened(fileno(stream)), GROWS) ? 0 : real(bytes, size, n, stream);
}
