/*
 * Linux: the session's memory is one sealed memfd. The one thing to know: each process holds two
 * descriptions of it, the inherited one to pass on and a private one for liveness locks, because
 * an open-file-description lock lives as long as *any* process still has that description.
 */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Kernel 6.3; needed where sysctl vm.memfd_noexec=2. Older kernels say EINVAL. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static void close_if_open(int fd) {
  /* SAFETY: on Linux the descriptor is gone whatever close() answers; these hold no dirty data. */
  if (fd >= 0) (void)close(fd);
}

/* Opens the file behind `path` anew: a new description, with its own locks. */
static int reopen(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

/* Fills `out` from a sealed file. Owns nothing on failure. */
static int map_segment(int fd, uint64_t byte_length, struct mp_segment *out, const char **step) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  *step = "open /proc/self/fd (is /proc mounted?)";
  int lock_fd = reopen(path);
  if (lock_fd < 0) return lock_fd;

  *step = "mmap";
  void *base = mmap(NULL, byte_length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) {
    int error = -errno;
    close_if_open(lock_fd);
    return error;
  }
  *out = (struct mp_segment){
    .base = base, .byte_length = byte_length, .fd = fd, .lock_fd = lock_fd};
  return 0;
}

/* Checks that `fd` is a session file, which only seals can prove, and maps it. */
static int map_checked(int fd, struct mp_segment *out, const char **step) {
  *step = "fcntl F_GET_SEALS (not a session file)";
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return -errno; /* EINVAL: a file that cannot have seals; EBADF: no file */
  if ((seals & SEALS) != SEALS || (seals & F_SEAL_WRITE) != 0) return -EINVAL;

  struct stat status;
  *step = "fstat";
  if (fstat(fd, &status) < 0) return -errno;
  if (status.st_size <= 0) return -EINVAL;
  return map_segment(fd, (uint64_t)status.st_size, out, step);
}

int mp_segment_create(uint64_t byte_length, struct mp_segment *out, const char **step) {
  /* Beyond RLIMIT_FSIZE ftruncate raises SIGXFSZ, which kills: look first. */
  struct rlimit limit;
  *step = "RLIMIT_FSIZE";
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && byte_length > limit.rlim_cur) return -EFBIG;

  *step = "memfd_create";
  int fd = memfd_create("mp-session", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("mp-session", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;

  int error = 0;
  *step = "ftruncate";
  if (ftruncate(fd, (off_t)byte_length) < 0) {
    error = -errno;
    goto cleanup;
  }
  *step = "fcntl F_ADD_SEALS";
  if (fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
    error = -errno;
    goto cleanup;
  }
  error = map_segment(fd, byte_length, out, step);
cleanup:
  if (error < 0) close_if_open(fd);
  return error;
}

int mp_segment_attach(int fd, struct mp_segment *out, const char **step) {
  /* A stdio slot arrives without the flag; without it every grandchild would inherit the file. */
  *step = "fcntl F_SETFD";
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
  return map_checked(fd, out, step);
}

int mp_segment_attach_sibling(int pid, int fd, struct mp_segment *out, const char **step) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  *step = "open /proc/PID/fd/N";
  int own = reopen(path);
  if (own < 0) return own;
  int error = map_checked(own, out, step);
  if (error < 0) close_if_open(own);
  return error;
}

int mp_segment_punch(const struct mp_segment *segment, uint64_t offset, uint64_t byte_length) {
  int result;
  do {
    result = fallocate(segment->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                       (off_t)byte_length);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int mp_segment_renew(const struct mp_segment *segment) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", segment->fd);
  int fresh = reopen(path);
  if (fresh < 0) return fresh;
  int error = dup3(fresh, segment->lock_fd, O_CLOEXEC) < 0 ? -errno : 0;
  close_if_open(fresh);
  return error;
}
