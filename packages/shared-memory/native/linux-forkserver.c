/*
 * Linux: a process that does nothing any more but make copies of itself. A copy is a child of this
 * process's own parent (CLONE_PARENT): its exit status, its death with its parent and its ppid are
 * those of any child. The one thing to know: nothing of JavaScript runs here between two copies.
 */
#include "linux-fork.h"
#include "linux-internal.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the descriptors that come with a request: where to answer, the session, then the child's own. */
enum { REPLY = 0, SESSION = 1, FIRST_OWN = 2 };

/* Bytes that stay free at the heap's end: about what a copy allocates. */
static const size_t KEPT_FREE = 256 * 1024;

/* What a request starts with: where in the session's file the kernel is to write the child's pid. */
struct request {
  uint64_t pid_offset;
  char text[MP_START_BYTES];
};

struct received {
  struct request request;
  int fds[MP_START_FDS];
  uint32_t fd_count;
};

void mp_forkserver_begin(int parent) {
  /* SAFETY: fails only for an invalid signal. */
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  mp_renew_begin();
  mp_quick_exit_begin();
}

/* V8 keeps what it maps from being copied; undoes that. Refused for the kernel's own pages, which are always there. */
static void make_inheritable(const struct mp_mapping *mapping) {
  (void)madvise((void *)mapping->from, mapping->to - mapping->from, MADV_DOFORK);
}

const char *mp_forkserver_prepare(int control) {
  /* Copies have it from the start; it is stopped with all others. */
  if (mp_watch_start() < 0) return "it can have no thread more";
  /* Copies would each put together what has been freed, and so write to pages that they share. */
  (void)malloc_trim(KEPT_FREE);
  const char *why = mp_freeze();
  if (why != NULL) return why;
  why = mp_rings_take();
  if (why == NULL) why = mp_renew_prepare(control);
  if (why == NULL && mp_each_mapping(make_inheritable) < 0) why = "/proc cannot be read";
  if (why != NULL) mp_thaw();
  return why;
}

static void close_all(const struct received *received) {
  for (uint32_t i = 0; i < received->fd_count; i++) (void)close(received->fds[i]);
}

/* Waits for a request; false when nobody is left who could send one. */
static bool receive(int control, struct received *out) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * MP_START_FDS)];
  } ancillary;
  for (;;) {
    struct iovec part = {.iov_base = &out->request, .iov_len = sizeof out->request - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof ancillary.bytes};
    ssize_t length = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return false;
    out->fd_count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      out->fd_count = (uint32_t)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      memcpy(out->fds, CMSG_DATA(header), out->fd_count * sizeof(int));
    }
    const bool is_whole = (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0 &&
                          (size_t)length >= offsetof(struct request, text) && out->fd_count > FIRST_OWN;
    if (is_whole) {
      ((char *)&out->request)[length] = '\0';
      return true;
    }
    /* Descriptors beyond our limit were dropped: whoever waits for the answer sees the end of it. */
    close_all(out);
  }
}

static void answer(const struct received *received, int result) {
  int32_t word = result;
  /* MSG_NOSIGNAL: whoever asked may be gone, and then nobody wants to know. */
  (void)!send(received->fds[REPLY], &word, sizeof word, MSG_NOSIGNAL);
}

/*
 * Makes a copy. Returns its pid, 0 in it, or -errno.
 *
 * CRASH: the kernel writes the pid into the session before the copy runs, so its parent knows it
 * whatever is killed when; as a child of that parent it keeps the pid until the parent has waited.
 */
static int copy(const struct received *received) {
  int *tid_address = mp_freeze_tid_address();
  const long page = sysconf(_SC_PAGESIZE);
  const uint64_t offset = received->request.pid_offset;
  const uint64_t start = offset - offset % (uint64_t)page;
  char *map = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, received->fds[SESSION],
                   (off_t)start);
  if (map == MAP_FAILED) return -errno;
  /* SAFETY: the requester gives the offset of a 32-bit word. */
  int *pid_word = (int *)(void *)(map + (offset - start));
  void *robust_list = NULL;
  size_t robust_length = 0;
  (void)syscall(SYS_get_robust_list, 0, &robust_list, &robust_length);
  const unsigned long flags =
    CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
  long pid = syscall(SYS_clone, flags, NULL, pid_word, tid_address, 0UL);
  int error = pid < 0 ? -errno : 0;
  (void)munmap(map, (size_t)page);
  if (pid == 0) (void)syscall(SYS_set_robust_list, robust_list, robust_length);
  return error < 0 ? error : (int)pid;
}

/* In the copy: its descriptors get their places, and nothing of the server's is left open. */
static int settle(int control, const struct received *received) {
  /* The standard streams, then, beyond the session's place, the user's own. */
  for (uint32_t i = FIRST_OWN; i < received->fd_count; i++) {
    int place = (int)(i - FIRST_OWN);
    if (place >= MP_START_SESSION_FD) place++;
    if (dup3(received->fds[i], place, O_CLOEXEC) < 0) return -errno;
  }
  if (dup3(received->fds[SESSION], MP_START_SESSION_FD, O_CLOEXEC) < 0) return -errno;
  const uint32_t used = received->fd_count - FIRST_OWN + 1;
  const int unused = (int)used > MP_START_SESSION_FD ? (int)used : MP_START_SESSION_FD + 1;
  /* These held the places; `control` is the one behind them. */
  for (int fd = unused; fd < MP_START_FDS; fd++) (void)close(fd);
  (void)close(control);
  for (uint32_t i = 0; i < received->fd_count; i++) {
    if (i != REPLY) (void)close(received->fds[i]);
  }
  return 0;
}

static int become(int control, const struct received *received, const sigset_t *signals) {
  int error = mp_renew();
  if (error == 0) error = settle(control, received);
  if (error == 0) mp_quick_exit_note();
  /* Last: from here on somebody else runs in this process. */
  if (error == 0) error = mp_freeze_revive();
  answer(received, error);
  (void)close(received->fds[REPLY]);
  if (error < 0) _exit(1);
  (void)sigprocmask(SIG_SETMASK, signals, NULL);
  return 0;
}

int mp_forkserver_serve(int control, const char *ready, size_t ready_length,
                        char text[MP_START_BYTES]) {
  static struct received received;
  /* What the terminal sends to all of its group is for those who can do something about it. */
  sigset_t group, signals;
  (void)sigemptyset(&group);
  (void)sigaddset(&group, SIGINT);
  (void)sigaddset(&group, SIGQUIT);
  (void)sigaddset(&group, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &group, &signals) < 0) return -errno;
  if (send(control, ready, ready_length, MSG_NOSIGNAL) < 0) _exit(0);
  while (receive(control, &received)) {
    int pid = copy(&received);
    if (pid == 0) {
      memcpy(text, received.request.text, MP_START_BYTES);
      return become(control, &received, &signals);
    }
    if (pid < 0) answer(&received, pid);
    close_all(&received);
  }
  _exit(0);
}

int mp_forkserver_pair(bool is_stream, int out[2]) {
  int type = is_stream ? SOCK_STREAM : SOCK_SEQPACKET;
  return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, out) < 0 ? -errno : 0;
}

int mp_forkserver_close(int fd) {
  return close(fd) < 0 ? -errno : 0;
}

int mp_forkserver_ask(int control, uint64_t pid_offset, const char *text, const int *fds,
                      uint32_t fd_count) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * MP_START_FDS)];
  } ancillary = {.bytes = {0}};
  const size_t length = strlen(text);
  if (fd_count > MP_START_FDS || length >= MP_START_BYTES) return -EMSGSIZE;
  struct iovec parts[] = {{.iov_base = &pid_offset, .iov_len = sizeof pid_offset},
                          {.iov_base = (void *)(uintptr_t)text, .iov_len = length}};
  struct msghdr message = {.msg_iov = parts,
                           .msg_iovlen = 2,
                           .msg_control = ancillary.bytes,
                           .msg_controllen = CMSG_SPACE(sizeof(int) * fd_count)};
  ancillary.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(sizeof(int) * fd_count)};
  memcpy(CMSG_DATA(&ancillary.header), fds, sizeof(int) * fd_count);
  ssize_t sent;
  do {
    sent = sendmsg(control, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int mp_reap(int pid) {
  siginfo_t info;
  int result;
  do {
    result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}
