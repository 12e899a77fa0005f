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

/* One per slot; `pidfd` is -1 when there is none. */
struct watch {
  int pid;
  int pidfd;
  uint64_t id; /* sequence << 32 | slot: an event of an earlier watch cannot be taken for ours */
  mp_on_death on_death;
};

static const uint64_t PARENT_DIED = UINT64_MAX;
static const uint64_t LOOK_AT_PARENT = UINT64_MAX - 1;
static const long PARENT_POLL_NS = 50 * 1000000L;

static struct {
  pthread_mutex_t mutex;
  int epoll; /* -1 until the thread runs */
  struct watch *watches;
  uint32_t count;
  uint32_t sequence;
  int parent; /* the pid that we die with, or 0 */
  int timer;  /* where pidfds are impossible: when to look at it; else -1 */
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .epoll = -1, .timer = -1};

static _Noreturn void die(void) {
  (void)kill(getpid(), SIGKILL);
  _exit(128 + SIGKILL); /* reached by the init of a pid namespace only: it cannot kill itself */
}

/* Ends a watch. Caller holds the mutex. */
static void drop(struct watch *watch) {
  /* Closing alone would not do while a child between fork and exec shares the description. */
  (void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
  (void)close(watch->pidfd);
  watch->pidfd = -1;
}

/* Finds out whose event this is; it is nobody's when unwatched in the meantime. */
static mp_on_death take_fired(uint64_t id) {
  mp_on_death on_death = NULL;
  (void)pthread_mutex_lock(&state.mutex);
  uint32_t slot = (uint32_t)id;
  if (slot < state.count) {
    struct watch *watch = &state.watches[slot];
    if (watch->pidfd >= 0 && watch->id == id) {
      on_death = watch->on_death;
      drop(watch);
    }
  }
  (void)pthread_mutex_unlock(&state.mutex);
  return on_death;
}

static void look_at_parent(void) {
  uint64_t ticks;
  /* Reading re-arms the timer. It may find nothing to read only if someone else closed the file. */
  (void)!read(state.timer, &ticks, sizeof ticks);
  if (getppid() != state.parent) die();
}

static void *run(void *argument) {
  int epoll = *(const int *)argument;
  for (;;) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, -1);
    /* SAFETY: signals are blocked and the descriptor is ours alone; EINTR is for debuggers. */
    if (count < 0 && errno != EINTR) abort();
    if (count <= 0) continue;
    if (event.data.u64 == PARENT_DIED) die();
    if (event.data.u64 == LOOK_AT_PARENT) {
      look_at_parent();
      continue;
    }
    mp_on_death on_death = take_fired(event.data.u64);
    if (on_death != NULL) on_death();
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

static int epoll_add(int fd, uint32_t events, uint64_t id) {
  struct epoll_event event = {.events = events, .data.u64 = id};
  return epoll_ctl(state.epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Makes room for the slot. Caller holds the mutex. */
static int ensure_slot(uint32_t slot) {
  if (slot < state.count) return 0;
  uint32_t count = slot + 1 > 2 * state.count ? slot + 1 : 2 * state.count;
  struct watch *grown = realloc(state.watches, count * sizeof *grown);
  if (grown == NULL) return -ENOMEM;
  for (uint32_t i = state.count; i < count; i++) grown[i].pidfd = -1;
  state.watches = grown;
  state.count = count;
  return 0;
}

int mp_watch_add(int pid, uint32_t slot, mp_on_death on_death) {
  int pidfd = mp_pidfd_open(pid);
  if (pidfd < 0) return mp_pidfd_impossible(pidfd) ? 0 : pidfd;

  (void)pthread_mutex_lock(&state.mutex);
  int error = ensure_thread();
  if (error == 0) error = ensure_slot(slot);
  if (error < 0) goto cleanup;

  struct watch *watch = &state.watches[slot];
  if (watch->pidfd >= 0) drop(watch); /* the slot has a new process, or the same one again */
  *watch = (struct watch){
    .pid = pid, .pidfd = pidfd, .id = (uint64_t)++state.sequence << 32 | slot, .on_death = on_death};
  error = epoll_add(pidfd, EPOLLIN, watch->id);
  if (error < 0) watch->pidfd = -1;
cleanup:
  (void)pthread_mutex_unlock(&state.mutex);
  if (error < 0) (void)close(pidfd);
  return error < 0 ? error : 1;
}

int mp_watch_remove(uint32_t slot, int pid) {
  (void)pthread_mutex_lock(&state.mutex);
  if (slot < state.count) {
    struct watch *watch = &state.watches[slot];
    if (watch->pidfd >= 0 && (pid == 0 || watch->pid == pid)) drop(watch);
  }
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
