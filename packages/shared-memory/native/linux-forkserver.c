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

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Of the descriptors that come with a request: where to answer, the session, then the child's own. */
enum { REPLY = 0, SESSION = 1, FIRST_OWN = 2 };

enum kind { ASK_COPY, ASK_STOCK };

/* Bytes that stay free at the heap's end: about what a copy allocates. */
static const size_t KEPT_FREE = 256 * 1024;
/* What glibc keeps apart by size, in bytes. */
static const size_t LARGEST_FREE = 1032, SMALLEST_FREE = 24, STEP_FREE = 16;

/* What a request starts with: what is asked for, and where in the session's file its pid is to be written. */
struct request {
  uint32_t kind;
  uint32_t reserved;
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

/*
 * Has the allocator take what copies ask for from one place, the end of its heap. Else they would each take what lies free
 * here and there, and so write to pages that they share. This process asks for nothing any more.
 */
static void use_up_free(void) {
  for (size_t size = LARGEST_FREE; size >= SMALLEST_FREE; size -= STEP_FREE) {
    const char *last = NULL;
    for (int in_a_row = 0; in_a_row < 3;) {
      const char *next = malloc(size);
      if (next == NULL) return;
      /* What comes from the end lies side by side. */
      in_a_row = last != NULL && next - last == (ptrdiff_t)(size + sizeof size) ? in_a_row + 1 : 0;
      last = next;
    }
  }
}

const char *mp_forkserver_prepare(int control) {
  /* Copies have it from the start; it is stopped with all others. */
  if (mp_watch_start() < 0) return "it can have no thread more";
  /* Copies would each put together what has been freed, and so write to pages that they share. */
  use_up_free();
  (void)malloc_trim(KEPT_FREE);
  const char *why = mp_freeze();
  if (why != NULL) return why;
  why = mp_rings_take();
  if (why == NULL) why = mp_renew_prepare(control);
  if (why == NULL) mp_touched_begin();
  if (why == NULL && mp_each_mapping(make_inheritable) < 0) why = "/proc cannot be read";
  if (why != NULL) mp_thaw();
  return why;
}

static void close_all(const struct received *received) {
  for (uint32_t i = 0; i < received->fd_count; i++) (void)close(received->fds[i]);
}

/* A word of the session's file, and the page that is mapped for it. */
struct word {
  void *page;
  int *at;
};

static int map_word(const struct received *received, struct word *out) {
  const uint64_t offset = received->request.pid_offset, page = (uint64_t)sysconf(_SC_PAGESIZE);
  const uint64_t start = offset - offset % page;
  out->page =
    mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, received->fds[SESSION], (off_t)start);
  if (out->page == MAP_FAILED) return -errno;
  /* SAFETY: the requester gives the offset of a 32-bit word. */
  out->at = (int *)(void *)((char *)out->page + (offset - start));
  return 0;
}

static void unmap_word(const struct word *word) {
  (void)munmap(word->page, (size_t)sysconf(_SC_PAGESIZE));
}

/* Waits for a request; false when nobody is left who could send one. */
static bool receive(int socket, struct received *out) {
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
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
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
                          (size_t)length >= offsetof(struct request, text) && out->fd_count >= FIRST_OWN;
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
  struct word pid_word;
  int error = map_word(received, &pid_word);
  if (error < 0) return error;
  void *robust_list = NULL;
  size_t robust_length = 0;
  (void)syscall(SYS_get_robust_list, 0, &robust_list, &robust_length);
  const unsigned long flags =
    CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
  long pid = syscall(SYS_clone, flags, NULL, pid_word.at, tid_address, 0UL);
  error = pid < 0 ? -errno : 0;
  unmap_word(&pid_word);
  if (pid == 0) (void)syscall(SYS_set_robust_list, robust_list, robust_length);
  return error < 0 ? error : (int)pid;
}

/* In the copy: its descriptors get their places, and nothing of the server's is left open. */
static int settle(const struct received *received) {
  /* The standard streams, then, beyond the session's place, the user's own. */
  for (uint32_t i = FIRST_OWN; i < received->fd_count; i++) {
    int place = (int)(i - FIRST_OWN);
    if (place >= MP_START_SESSION_FD) place++;
    if (dup3(received->fds[i], place, O_CLOEXEC) < 0) return -errno;
  }
  if (dup3(received->fds[SESSION], MP_START_SESSION_FD, O_CLOEXEC) < 0) return -errno;
  const uint32_t used = received->fd_count - FIRST_OWN + 1;
  const int unused = (int)used > MP_START_SESSION_FD ? (int)used : MP_START_SESSION_FD + 1;
  /* These held the places. */
  if (syscall(SYS_close_range, unused, MP_START_FDS - 1, 0) < 0) {
    for (int fd = unused; fd < MP_START_FDS; fd++) (void)close(fd);
  }
  for (uint32_t i = 0; i < received->fd_count; i++) {
    if (i != REPLY) (void)close(received->fds[i]);
  }
  return 0;
}

/* In a copy, with what went wrong so far: becomes what was asked for, and says so. */
static int become(const struct received *received, const sigset_t *signals, int error) {
  if (error == 0) error = settle(received);
  if (error == 0) mp_quick_exit_note();
  /* Last: from here on somebody else runs in this process. */
  if (error == 0) error = mp_freeze_revive();
  if (error < 0) {
    answer(received, error);
    _exit(1);
  }
  /* That says enough. By a message, the kernel would have the requester wait for this processor. */
  (void)close(received->fds[REPLY]);
  (void)sigprocmask(SIG_SETMASK, signals, NULL);
  return 0;
}

/* ---- a copy in stock ---- */

/* What the terminal sends to all of its group is for those who can do something about it. */
static const int GROUP_SIGNALS[] = {SIGINT, SIGQUIT, SIGHUP};
enum { GROUP_SIGNAL_COUNT = sizeof GROUP_SIGNALS / sizeof *GROUP_SIGNALS };

/* What the terminal sent before it was anybody's is not for this copy. */
static void forget_signals(void) {
  for (int i = 0; i < GROUP_SIGNAL_COUNT; i++) {
    struct sigaction before, ignore = {.sa_handler = SIG_IGN};
    /* To ignore a signal is to throw away the one that is pending. */
    if (sigaction(GROUP_SIGNALS[i], &ignore, &before) == 0) (void)sigaction(GROUP_SIGNALS[i], &before, NULL);
  }
}

/*
 * In a copy in stock: waits for a request, and makes it its own. Ends the process when there is nobody to wait for.
 *
 * CRASH: the requester watches it. Killed before its pid is where the request says, it is as a server that was killed
 * before it made a copy; after that, it is a child that dies.
 */
static void await_request(int stock, int parent, struct received *received) {
  close_all(received);
  /* As any child: killed with its parent, which may be gone by now. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) _exit(1);
  if (mp_renew() < 0) _exit(1);
  mp_touched_fetch();
  if (!receive(stock, received)) _exit(1);
  forget_signals();
  struct word pid_word;
  int error = map_word(received, &pid_word);
  if (error < 0) {
    answer(received, error);
    _exit(1);
  }
  __atomic_store_n(pid_word.at, (int)getpid(), __ATOMIC_SEQ_CST);
  unmap_word(&pid_word);
}

int mp_forkserver_serve(int control, int stock, const char *ready, size_t ready_length,
                        char text[MP_START_BYTES]) {
  static struct received received;
  const int parent = (int)getppid();
  sigset_t group, signals;
  (void)sigemptyset(&group);
  for (int i = 0; i < GROUP_SIGNAL_COUNT; i++) (void)sigaddset(&group, GROUP_SIGNALS[i]);
  if (sigprocmask(SIG_BLOCK, &group, &signals) < 0) return -errno;
  if (send(control, ready, ready_length, MSG_NOSIGNAL) < 0) _exit(0);
  while (receive(control, &received)) {
    const bool is_asked_for = received.request.kind == ASK_COPY;
    int pid = copy(&received), error = 0;
    if (pid == 0) {
      (void)close(control);
      if (is_asked_for) error = mp_renew();
      else await_request(stock, parent, &received);
      (void)close(stock);
      memcpy(text, received.request.text, MP_START_BYTES);
      return become(&received, &signals, error);
    }
    /* Where none can be had in stock, the next that is asked for is refused, or not. */
    if (pid < 0 && is_asked_for) answer(&received, pid);
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

static int ask(int socket, enum kind kind, uint64_t pid_offset, const char *text, const int *fds,
               uint32_t fd_count) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * MP_START_FDS)];
  } ancillary = {.bytes = {0}};
  const size_t length = strlen(text);
  if (fd_count > MP_START_FDS || length >= MP_START_BYTES) return -EMSGSIZE;
  struct request request = {.kind = kind, .pid_offset = pid_offset};
  struct iovec parts[] = {{.iov_base = &request, .iov_len = offsetof(struct request, text)},
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
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int mp_forkserver_ask(int socket, uint64_t pid_offset, const char *text, const int *fds,
                      uint32_t fd_count) {
  return ask(socket, ASK_COPY, pid_offset, text, fds, fd_count);
}

int mp_forkserver_stock(int control, uint64_t pid_offset, int session) {
  /* The first is of no use to anybody. */
  const int fds[] = {session, session};
  return ask(control, ASK_STOCK, pid_offset, "", fds, 2);
}

int mp_reap(int pid) {
  siginfo_t info;
  int result;
  do {
    result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}
