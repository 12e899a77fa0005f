/*
 * Linux: named blocks are files, usually on tmpfs. The one thing to know is who may remove a name:
 * either whoever has the file's USE byte exclusively, so that there is no user, or a user, who then
 * has the UNLINK byte. So nobody can remove a name that by then means another block. After
 * Boost.Interprocess's robust emulation: lock, then look whether it is still the file of that name.
 */
#include "named.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the file that are locked; what lies there does not matter. */
enum { USE = 0, UNLINK = 1 };

struct mp_named {
  struct mp_named *next; /* in `uses` */
  void *base;
  uint64_t byte_length;
  dev_t device;
  ino_t inode;
  int fd;    /* -1 once released; a kept one has a description without a mapping */
  bool keep; /* what happens to `fd` at the release */
  char path[];
};

/* All that this process has not freed or keeps, so that an orderly end can take names away. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mp_named *uses;
static bool hooked;

/* F_RDLCK, F_WRLCK or F_UNLCK on one byte, for this description; never waits. */
static int lock_byte(int fd, short type, off_t byte) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static bool is_taken(int error) {
  return error == -EAGAIN || error == -EACCES;
}

/* Whether `path` names the file that is open as `fd`. */
static bool is_named(int fd, const char *path) {
  struct stat mine, found;
  return fstat(fd, &mine) == 0 && mine.st_nlink > 0 &&
         fstatat(AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         mine.st_dev == found.st_dev && mine.st_ino == found.st_ino;
}

/* Removes a name, and the folder with the last one. */
static int drop_name(const char *path) {
  if (unlink(path) < 0) return -errno;
  char *folder = strdup(path);
  if (folder == NULL) return 0; /* it stays, empty, for the next one */
  char *slash = strrchr(folder, '/');
  if (slash != NULL && slash != folder) {
    *slash = '\0';
    (void)rmdir(folder); /* fails when it is not empty, as it should */
  }
  free(folder);
  return 0;
}

/* Ends a use. The last one to end takes the name away. */
static void end_use(int fd, const char *path) {
  const char *step;
  /* First unlocked, then swept: of two that did it in the other order, each would have seen the
   * other. close() would not unlock while the file is mapped: a mapping is a use of its own. */
  (void)lock_byte(fd, F_UNLCK, USE);
  (void)close(fd);
  (void)mp_named_sweep(path, &step); /* fails when it is in use, or gone */
}

/* Opens a path and becomes a user of what is there; -ENOENT when it is dead or gone. */
static int open_user(const char *path) {
  for (;;) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return -errno;
    int error = lock_byte(fd, F_RDLCK, USE);
    /* Taken: the last user, or a sweeper, is about to remove it. */
    if (error == 0 && is_named(fd, path)) return fd;
    (void)close(fd);
    if (error < 0) return is_taken(error) ? -ENOENT : error;
    /* The name went, or came to mean another block, before we had the lock: look again. */
  }
}

static struct mp_named *allocate(const char *path) {
  size_t length = strlen(path) + 1;
  struct mp_named *named = calloc(1, sizeof *named + length);
  if (named == NULL) return NULL;
  memcpy(named->path, path, length);
  named->fd = -1;
  named->keep = false;
  return named;
}

/* Removes the names of the blocks that this process was the last to use. */
static void at_exit(void) {
  (void)pthread_mutex_lock(&mutex);
  for (struct mp_named *use = uses; use != NULL; use = use->next) {
    if (use->fd < 0) continue;
    end_use(use->fd, use->path);
    use->fd = -1;
  }
  (void)pthread_mutex_unlock(&mutex);
}

/* Frees what is kept of blocks whose names are gone: nobody can come for them. The mutex is held. */
static void drop_nameless(void) {
  struct mp_named **at = &uses;
  while (*at != NULL) {
    struct mp_named *use = *at;
    struct stat status;
    bool kept = use->base == NULL && use->fd >= 0;
    if (kept && (fstat(use->fd, &status) < 0 || status.st_nlink == 0)) {
      *at = use->next;
      (void)close(use->fd);
      free(use);
    } else {
      at = &use->next;
    }
  }
}

static void enlist(struct mp_named *named) {
  (void)pthread_mutex_lock(&mutex);
  if (!hooked) hooked = atexit(at_exit) == 0;
  drop_nameless();
  named->next = uses;
  uses = named;
  (void)pthread_mutex_unlock(&mutex);
}

/* Maps the file and takes `fd` over; owns nothing on failure. */
static int finish(int fd, struct mp_named *named, const char **step) {
  struct stat status;
  *step = "fstat";
  if (fstat(fd, &status) < 0) return -errno;
  if (!S_ISREG(status.st_mode) || status.st_size <= 0) return -EINVAL;
  named->byte_length = (uint64_t)status.st_size;
  named->device = status.st_dev;
  named->inode = status.st_ino;
  *step = "mmap";
  void *base = mmap(NULL, named->byte_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return -errno;
  named->base = base;
  named->fd = fd;
  enlist(named);
  return 0;
}

/* Gives a new, nameless file its memory. ftruncate alone would let a full tmpfs raise SIGBUS later. */
static int fill(int fd, uint64_t byte_length, const char **step) {
  struct rlimit limit;
  *step = "RLIMIT_FSIZE"; /* beyond it the kernel sends SIGXFSZ, which kills: look first */
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && byte_length > limit.rlim_cur) return -EFBIG;
  *step = "posix_fallocate";
  int error;
  do error = posix_fallocate(fd, 0, (off_t)byte_length);
  while (error == EINTR);
  return -error;
}

int mp_named_create(const char *folder, const char *path, uint64_t byte_length,
                    struct mp_named **out, const char **step) {
  struct mp_named *named = allocate(path);
  *step = "calloc";
  if (named == NULL) return -ENOMEM;
  char self[64];
  *step = "open O_TMPFILE";
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  int error = fd < 0 ? -errno : fill(fd, byte_length, step);
  if (error < 0) goto failed;
  *step = "fcntl F_OFD_SETLK";
  error = lock_byte(fd, F_RDLCK, USE);
  if (error < 0) goto failed;
  /* Mapped before it is named: from here on only the name can fail. */
  (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  error = finish(fd, named, step);
  if (error < 0) goto failed;
  *step = "linkat";
  if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) {
    error = -errno;
    mp_named_free(named, true);
    return error;
  }
  named->keep = true;
  *out = named;
  return 0;
failed:
  if (fd >= 0) (void)close(fd);
  free(named);
  return error;
}

int mp_named_open(const char *path, struct mp_named **out, const char **step) {
  struct mp_named *named = allocate(path);
  *step = "calloc";
  if (named == NULL) return -ENOMEM;
  *step = "open";
  int fd = open_user(path);
  int error = fd < 0 ? fd : finish(fd, named, step);
  if (error < 0) {
    if (fd >= 0) (void)close(fd);
    free(named);
    return error;
  }
  *out = named;
  return 0;
}

void *mp_named_base(const struct mp_named *named) {
  return named->base;
}

uint64_t mp_named_byte_length(const struct mp_named *named) {
  return named->byte_length;
}

uint64_t mp_named_identity(const struct mp_named *named) {
  /* Inodes of tmpfs are numbered on; 53 bits are what a JavaScript number holds. */
  return ((uint64_t)named->inode ^ ((uint64_t)named->device << 32)) & ((UINT64_C(1) << 53) - 1);
}

/* Goes on holding the lock in the place of a use that ends. */
static void keep_use(int fd, const char *path) {
  struct mp_named *kept = allocate(path);
  if (kept == NULL) { /* then it ends with its users, as any other does */
    end_use(fd, path);
    return;
  }
  kept->fd = fd;
  enlist(kept);
}

void mp_named_keep(struct mp_named *named) {
  named->keep = true;
}

void mp_named_release(struct mp_named *named) {
  (void)pthread_mutex_lock(&mutex);
  int fd = named->fd;
  named->fd = -1;
  (void)pthread_mutex_unlock(&mutex);
  if (fd < 0) return;
  /* SAFETY: replacing a mapping of ours, whole, at its own address. On failure the block's memory
   * stays where it is until the use is freed: more memory than need be, and no danger. */
  (void)mmap(named->base, named->byte_length, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (named->keep && is_named(fd, named->path)) {
    keep_use(fd, named->path);
  } else {
    end_use(fd, named->path);
  }
}

void mp_named_free(struct mp_named *named, bool unmap) {
  mp_named_release(named);
  (void)pthread_mutex_lock(&mutex);
  for (struct mp_named **at = &uses; *at != NULL; at = &(*at)->next) {
    if (*at != named) continue;
    *at = named->next;
    break;
  }
  (void)pthread_mutex_unlock(&mutex);
  /* SAFETY: cannot fail for a whole mapping of ours. */
  if (unmap) (void)munmap(named->base, named->byte_length);
  free(named);
}

int mp_named_unlink(const struct mp_named *named, const char **step) {
  *step = "open";
  /* Anew: the use may have been released, and then the name may mean another block. */
  int fd = open_user(named->path);
  if (fd < 0) return fd;
  struct stat status;
  int error = 0;
  *step = "fcntl F_OFD_SETLK";
  if (fstat(fd, &status) < 0 || status.st_dev != named->device || status.st_ino != named->inode) {
    error = -ENOENT;
  } else {
    /* Whoever has this byte removes the name: for anybody else it is gone. */
    error = lock_byte(fd, F_WRLCK, UNLINK);
    if (is_taken(error)) error = -ENOENT;
  }
  *step = "unlink";
  if (error == 0) error = is_named(fd, named->path) ? drop_name(named->path) : -ENOENT;
  (void)close(fd);
  (void)pthread_mutex_lock(&mutex);
  drop_nameless();
  (void)pthread_mutex_unlock(&mutex);
  return error;
}

int mp_named_sweep(const char *path, const char **step) {
  *step = "open";
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return -errno;
  int removed = 0;
  *step = "unlink";
  if (lock_byte(fd, F_WRLCK, USE) == 0 && is_named(fd, path)) {
    /* Nobody can become a user now: that takes the byte. */
    removed = drop_name(path);
    if (removed == 0) removed = 1;
  }
  (void)close(fd);
  return removed;
}
