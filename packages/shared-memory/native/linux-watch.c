/*
 * Linux: one thread per process that hears of deaths, an epoll over pidfds. The one thing to know:
 * it is started on first use and never ends; at process exit it simply dies with the rest, so it
 * touches nothing but this file's state, the callback's words and its own process.
 */
#include "linux-internal.h"
#include "platform.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A place in the table. */
struct watch {
  int pid;
  int pidfd;   /* -1 once it has fired */
  uint64_t id; /* 0: free; sequence << INDEX_BITS | index: an event of an earlier watch cannot be ours */
  mp_on_death on_death;
};

enum { INDEX_BITS = 16 };
static const uint32_t MAX_WATCHES = 1 << INDEX_BITS;

/* How long to wait before a callback that wants it is called again: at first, at most. */
enum { FIRST_RETRY_MS = 1, LAST_RETRY_MS = 64 };

static const uint64_t PARENT_DIED = UINT64_MAX;
static const uint64_t LOOK_AT_PARENT = UINT64_MAX - 1;
static const long PARENT_POLL_NS = 50 * 1000000L;

static struct {
  pthread_mutex_t mutex;
  int epoll; /* -1 until the thread runs */
  struct watch *watches;
  uint32_t count;
  uint32_t sequence; /* wraps after four billion watches: an id is that unlike any that is known still */
  int parent; /* the pid that we die with, or 0 */
  int timer;  /* where pidfds are impossible: when to look at it; else -1 */
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .epoll = -1, .timer = -1};

static _Noreturn void die(void) {
  (void)kill(getpid(), SIGKILL);
  _exit(128 + SIGKILL); /* reached by the init of a pid namespace only: it cannot kill itself */
}

/* Lets go of the process. Caller holds the mutex. */
static void let_go(struct watch *watch) {
  /* Closing alone would not do while a child between fork and exec shares the description. */
  (void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
  (void)close(watch->pidfd);
  watch->pidfd = -1;
}

/* The watch of that number, or NULL when it has ended. Caller holds the mutex. */
static struct watch *find(uint64_t id) {
  uint32_t index = (uint32_t)(id & (MAX_WATCHES - 1));
  if (index >= state.count) return NULL;
  struct watch *watch = &state.watches[index];
  return id != 0 && watch->id == id ? watch : NULL;
}

/* Calls the watch's callback, unless it was unwatched in the meantime; false when it wants another. */
static bool fire(uint64_t id) {
  (void)pthread_mutex_lock(&state.mutex);
  struct watch *watch = find(id);
  int pid = watch == NULL ? 0 : watch->pid;
  mp_on_death on_death = watch == NULL ? NULL : watch->on_death;
  if (watch != NULL && watch->pidfd >= 0) let_go(watch);
  (void)pthread_mutex_unlock(&state.mutex);
  if (on_death == NULL) return true;
  if (!on_death(pid)) return false;
  (void)mp_watch_remove(id);
  return true;
}

/* Calls the callbacks of all that have fired; false when some of them want another call. */
static bool fire_again(void) {
  bool is_over = true;
  for (uint32_t i = 0;; i++) {
    (void)pthread_mutex_lock(&state.mutex);
    bool is_end = i >= state.count;
    uint64_t id = is_end || state.watches[i].pidfd >= 0 ? 0 : state.watches[i].id;
    (void)pthread_mutex_unlock(&state.mutex);
    if (is_end) return is_over;
    if (!fire(id)) is_over = false;
  }
}

static void look_at_parent(void) {
  uint64_t ticks;
  /* Reading re-arms the timer. It may find nothing to read only if someone else closed the file. */
  (void)!read(state.timer, &ticks, sizeof ticks);
  if (getppid() != state.parent) die();
}

static void *run(void *argument) {
  int epoll = *(const int *)argument;
  int retry_ms = -1; /* nobody wants another call */
  for (;;) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, retry_ms);
    /* SAFETY: signals are blocked and the descriptor is ours alone; EINTR is for debuggers. */
    if (count < 0 && errno != EINTR) abort();
    if (count < 0) continue;
    if (count == 0) {
      if (fire_again()) retry_ms = -1;
      else if (retry_ms < LAST_RETRY_MS) retry_ms *= 2;
      continue;
    }
    if (event.data.u64 == PARENT_DIED) die();
    if (event.data.u64 == LOOK_AT_PARENT) {
      look_at_parent();
      continue;
    }
    if (!fire(event.data.u64)) retry_ms = FIRST_RETRY_MS;
  }
  return NULL;
}

/* Starts the thread on first use. Caller holds the mutex. */
static int ensure_thread(void) {
  if (state.epoll >= 0) return 0;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return -errno;
  state.epoll = epoll;
  pthread_t thread;
  int error = mp_thread_start(&thread, run, &state.epoll);
  if (error < 0) {
    (void)close(epoll);
    state.epoll = -1;
    return error;
  }
  (void)pthread_detach(thread); /* SAFETY: just created, joinable, never joined */
  return 0;
}

int mp_watch_start(void) {
  (void)pthread_mutex_lock(&state.mutex);
  int error = ensure_thread();
  (void)pthread_mutex_unlock(&state.mutex);
  return error;
}

static int epoll_add(int fd, uint32_t events, uint64_t id) {
  struct epoll_event event = {.events = events, .data.u64 = id};
  return epoll_ctl(state.epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Finds a free place, or makes one. Caller holds the mutex. */
static int take_place(uint32_t *out) {
  for (uint32_t i = 0; i < state.count; i++) {
    if (state.watches[i].id != 0) continue;
    *out = i;
    return 0;
  }
  if (state.count == MAX_WATCHES) return -EMFILE;
  uint32_t count = state.count == 0 ? 8 : 2 * state.count;
  struct watch *grown = realloc(state.watches, count * sizeof *grown);
  if (grown == NULL) return -ENOMEM;
  for (uint32_t i = state.count; i < count; i++) grown[i].id = 0;
  *out = state.count;
  state.watches = grown;
  state.count = count;
  return 0;
}

int mp_watch_add(int pid, mp_on_death on_death, uint64_t *out) {
  int pidfd = mp_pidfd_open(pid);
  if (pidfd < 0) return mp_pidfd_impossible(pidfd) ? 0 : pidfd;

  (void)pthread_mutex_lock(&state.mutex);
  uint32_t index = 0;
  int error = ensure_thread();
  if (error == 0) error = take_place(&index);
  if (error < 0) goto cleanup;

  struct watch *watch = &state.watches[index];
  const uint64_t id = (uint64_t)++state.sequence << INDEX_BITS | index;
  *watch = (struct watch){.pid = pid, .pidfd = pidfd, .id = id, .on_death = on_death};
  error = epoll_add(pidfd, EPOLLIN, id);
  if (error < 0) watch->id = 0;
  *out = id;
cleanup:
  (void)pthread_mutex_unlock(&state.mutex);
  if (error < 0) (void)close(pidfd);
  return error < 0 ? error : 1;
}

int mp_watch_remove(uint64_t id) {
  (void)pthread_mutex_lock(&state.mutex);
  struct watch *watch = find(id);
  if (watch != NULL && watch->pidfd >= 0) let_go(watch);
  if (watch != NULL) watch->id = 0;
  (void)pthread_mutex_unlock(&state.mutex);
  return 0;
}

/* Where pidfds are impossible: looks every 50 ms. Caller holds the mutex. */
static int poll_parent(void) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0) return -errno;
  const struct timespec every = {.tv_nsec = PARENT_POLL_NS};
  const struct itimerspec schedule = {.it_interval = every, .it_value = every};
  int error = timerfd_settime(timer, 0, &schedule, NULL) < 0 ? -errno : 0;
  /* SYNC: epoll hands the thread no event of this timer before it has been added here. */
  state.timer = timer;
  if (error == 0) error = epoll_add(timer, EPOLLIN, LOOK_AT_PARENT);
  if (error < 0) {
    state.timer = -1;
    (void)close(timer);
  }
  return error;
}

int mp_die_with_parent(int pid, bool use_signal) {
  if (use_signal && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return -errno;

  int error = 0;
  int pidfd = -1;
  (void)pthread_mutex_lock(&state.mutex);
  if (state.parent == pid) goto cleanup;
  error = ensure_thread();
  if (error < 0) goto cleanup;

  pidfd = mp_pidfd_open(pid);
  /* If `pid` is our parent still, then it always was, and the pidfd is not a later namesake's. */
  if (pidfd == -ESRCH || getppid() != pid) die();
  state.parent = pid;
  error = pidfd < 0 ? poll_parent() : epoll_add(pidfd, EPOLLIN, PARENT_DIED);
  if (error < 0) state.parent = 0;
cleanup:
  (void)pthread_mutex_unlock(&state.mutex);
  if (error < 0 && pidfd >= 0) (void)close(pidfd);
  return error;
}
