/*
 * Linux: descriptors that a copy of this process would share with it: a wake of the one's event loop
 * would be eaten by the other's. Pipes to itself, eventfds and epolls are replaced by new ones with
 * the same numbers and contents. The one thing to know: whatever leads to somebody else (a socket, a
 * pipe) cannot be copied, and says that the process cannot.
 */
#include "linux-fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_INHERITED = 4096, MAX_FILES = 256, MAX_INTERESTS = 512, TEXT_BYTES = 32768 };

enum kind { FILE_PLAIN, FILE_EPOLL, FILE_EVENTFD, FILE_PIPE };

struct file {
  int fd;
  enum kind kind;
  int access;   /* O_RDONLY… */
  int nonblock; /* O_NONBLOCK or 0 */
  int cloexec;  /* O_CLOEXEC or 0 */
  bool is_semaphore;
  unsigned count; /* of an eventfd */
  ino_t inode;
};

struct interest {
  int epoll;
  int fd;
  struct epoll_event event;
};

static struct {
  struct file files[MAX_FILES];
  uint32_t file_count;
  struct interest interests[MAX_INTERESTS];
  uint32_t interest_count;
  uint8_t inherited[MAX_INHERITED / 8]; /* descriptors that were there from the start, as bits */
  int control;
  char why[192];
} state;

static int note_inherited(int fd, void *context) {
  (void)context;
  if (fd < MAX_INHERITED) state.inherited[fd / 8] |= (uint8_t)(1 << fd % 8);
  return 1;
}

static bool is_inherited(int fd) {
  return fd < MAX_INHERITED && (state.inherited[fd / 8] & 1 << fd % 8) != 0;
}

void mp_renew_begin(void) {
  /* Where /proc cannot be read, the rest says so. */
  (void)mp_list_numbers("/proc/self/fd", note_inherited, NULL);
}

static int refuse(int fd, const char *what) {
  (void)snprintf(state.why, sizeof state.why,
                 "a module that was loaded in advance has descriptor %d open: %.100s", fd, what);
  return 0;
}

/* The number behind a label, in the given base; -1 when there is none. */
static long long number_after(const char *text, const char *label, int base) {
  const char *at = strstr(text, label);
  return at == NULL ? -1 : (long long)strtoull(at + strlen(label), NULL, base);
}

/* Reads what an epoll waits for: lines of `tfd: 5 events: 19 data: 5`. */
static bool read_interests(int epoll, const char *text) {
  for (const char *line = strstr(text, "tfd:"); line != NULL; line = strstr(line + 4, "tfd:")) {
    if (state.interest_count == MAX_INTERESTS) return false;
    struct interest *interest = &state.interests[state.interest_count++];
    *interest = (struct interest){.epoll = epoll, .fd = (int)number_after(line, "tfd:", 10)};
    interest->event.events = (uint32_t)number_after(line, "events:", 16);
    interest->event.data.u64 = (uint64_t)number_after(line, "data:", 16);
  }
  return true;
}

static bool read_details(struct file *file) {
  static char text[TEXT_BYTES];
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file->fd);
  ssize_t length = mp_read_text(path, text, sizeof text);
  if (length < 0 || length == TEXT_BYTES - 1) return false;
  if (file->kind == FILE_EPOLL) return read_interests(file->fd, text);
  long long count = number_after(text, "eventfd-count:", 16);
  if (count < 0) return false;
  file->count = (unsigned)count;
  file->is_semaphore = number_after(text, "eventfd-semaphore:", 10) == 1;
  return true;
}

/* Looks at one descriptor; 0 ends the listing. */
static int look(int fd, void *context) {
  (void)context;
  if (fd <= STDERR_FILENO || fd == state.control) return 1;
  char path[64], link[128];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, link, sizeof link - 1);
  struct stat status;
  int flags = fcntl(fd, F_GETFL);
  int descriptor_flags = fcntl(fd, F_GETFD);
  if (length < 0 || fstat(fd, &status) < 0 || flags < 0 || descriptor_flags < 0) {
    return refuse(fd, strerror(errno));
  }
  link[length] = '\0';
  if (state.file_count == MAX_FILES) return refuse(fd, "too many are");
  struct file *file = &state.files[state.file_count];
  *file = (struct file){.fd = fd,
                        .access = flags & O_ACCMODE,
                        .nonblock = flags & O_NONBLOCK,
                        .cloexec = (descriptor_flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0,
                        .inode = status.st_ino};
  if (strcmp(link, "anon_inode:[eventpoll]") == 0) file->kind = FILE_EPOLL;
  else if (strcmp(link, "anon_inode:[eventfd]") == 0) file->kind = FILE_EVENTFD;
  else if (S_ISFIFO(status.st_mode)) file->kind = FILE_PIPE;
  else if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISCHR(status.st_mode)) return 1;
  /* libuv has one for its epoll, from the start, unless it is told not to: its memory would be shared. */
  else if (strcmp(link, "anon_inode:[io_uring]") == 0) return refuse(fd, link);
  else return is_inherited(fd) ? 1 : refuse(fd, link);
  state.file_count++;
  const bool has_details = file->kind == FILE_EPOLL || file->kind == FILE_EVENTFD;
  if (has_details && !read_details(file)) return refuse(fd, "/proc/self/fdinfo does not tell of it");
  return 1;
}

/* The end of the same pipe for writing; NULL when this process has none. */
static struct file *other_end(const struct file *reader) {
  for (uint32_t i = 0; i < state.file_count; i++) {
    struct file *file = &state.files[i];
    if (file->kind == FILE_PIPE && file->inode == reader->inode && file->access == O_WRONLY) return file;
  }
  return NULL;
}

static bool has_reader(const struct file *writer) {
  for (uint32_t i = 0; i < state.file_count; i++) {
    const struct file *file = &state.files[i];
    if (file->kind == FILE_PIPE && file->inode == writer->inode && file->access == O_RDONLY) return true;
  }
  return false;
}

const char *mp_renew_prepare(int control) {
  state.control = control;
  if (mp_list_numbers("/proc/self/fd", look, NULL) < 0) return "/proc cannot be read";
  if (state.why[0] != '\0') return state.why;
  for (uint32_t i = 0; i < state.file_count; i++) {
    const struct file *file = &state.files[i];
    if (file->kind != FILE_PIPE) continue;
    bool is_own = file->access == O_RDONLY ? other_end(file) != NULL : has_reader(file);
    if (!is_own && is_inherited(file->fd)) {
      state.files[i].kind = FILE_PLAIN;
    } else if (!is_own) {
      (void)refuse(file->fd, "a pipe to somebody else");
      return state.why;
    }
  }
  return NULL;
}

/* Puts `fresh` in the place of a descriptor. */
static int replace(int fresh, const struct file *file) {
  if (fresh < 0) return -errno;
  int error = dup3(fresh, file->fd, file->cloexec) < 0 ? -errno : 0;
  (void)close(fresh);
  return error;
}

static int renew_pipe(const struct file *reader) {
  const struct file *writer = other_end(reader);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  /* The flags are those of each end. */
  int error = fcntl(ends[0], F_SETFL, reader->nonblock) < 0 || fcntl(ends[1], F_SETFL, writer->nonblock) < 0 ? -errno : 0;
  int length = 0;
  if (error == 0 && ioctl(reader->fd, FIONREAD, &length) < 0) error = -errno;
  if (error == 0 && length > 0 && tee(reader->fd, ends[1], (size_t)length, SPLICE_F_NONBLOCK) != length) {
    error = -EIO;
  }
  if (error < 0) {
    (void)close(ends[0]);
    (void)close(ends[1]);
    return error;
  }
  error = replace(ends[0], reader);
  int other = replace(ends[1], writer);
  return error < 0 ? error : other;
}

static int renew_file(const struct file *file) {
  switch (file->kind) {
    case FILE_EPOLL:
      return replace(epoll_create1(EPOLL_CLOEXEC), file);
    case FILE_EVENTFD:
      return replace(eventfd(file->count, EFD_CLOEXEC | (file->nonblock != 0 ? EFD_NONBLOCK : 0) |
                                            (file->is_semaphore ? EFD_SEMAPHORE : 0)),
                     file);
    case FILE_PIPE:
      return file->access == O_RDONLY ? renew_pipe(file) : 0;
    case FILE_PLAIN:
      break;
  }
  return 0;
}

int mp_renew(void) {
  for (uint32_t i = 0; i < state.file_count; i++) {
    int error = renew_file(&state.files[i]);
    if (error < 0) return error;
  }
  for (uint32_t i = 0; i < state.interest_count; i++) {
    struct interest *interest = &state.interests[i];
    if (epoll_ctl(interest->epoll, EPOLL_CTL_ADD, interest->fd, &interest->event) < 0) return -errno;
  }
  return 0;
}
