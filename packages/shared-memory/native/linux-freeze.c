/*
 * Linux: stops the other threads of this process, and revives them in a copy of it. fork(2) copies
 * one thread only; here the kernel's signal frame on the stack of each other one keeps all that
 * makes it up, and a new thread of the copy returns from that frame. So whatever lock a thread
 * holds, its copy releases. After how CRIU restores threads (criu.org, "Restorer").
 *
 * The one thing to know: in the original they stay stopped for ever. A thread that is stopped while it holds a
 * lock (the allocator's, the engine's) keeps it for ever there; so the thread that has stopped the others
 * must not return to anybody who may want one.
 */
#include "linux-fork.h"
#include "platform.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc's SIGSETXID: the one signal besides its SIGCANCEL that its functions never block. */
enum { SIG_FREEZE = 33 };
enum { MAX_THREADS = 512, MAX_NAME = 16 };
/* One that is stuck in the kernel for longer (a dead network disk) is not worth waiting for. */
static const time_t DEADLINE_S = 5;
/* How long to wait until all others wait for something: a collection ends, a module may compute for ever. */
static const double QUIET_MS = 500;
/* How long a copy may do without its threads: most have ended by then. */
static const long PATIENCE_NS = 4000000;
/* How often, and how far apart, to ask a system that refuses threads. */
enum { ATTEMPTS = 200 };
static const long PAUSE_NS = 10000000;
/* Below the frame, out of the way of what the handler had there. */
static const uintptr_t STACK_GAP = 4096;

#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif
enum { RSEQ_BYTES = 32, RSEQ_SIGNATURE = 0x53053053 };

/* glibc 2.35 and newer: where the thread's restartable sequences are registered, from its TLS on. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));

struct frozen {
  int tid;
  uint32_t is_frozen; /* a futex */
  void *context;
  uintptr_t tls;
  int *tid_address;
  void *robust_list;
  size_t robust_length;
  char name[MAX_NAME];
};

/* The kernel's own struct sigaction. */
struct action {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static struct {
  struct frozen threads[MAX_THREADS];
  uint32_t count;
  uint32_t round;  /* counts from 1: which freeze this is */
  uint32_t thawed; /* a futex: the last freeze that is over */
  struct action previous;
  uint32_t wanted; /* a futex; in a copy: the threads are wanted at once */
} state;

static void futex_wake_all(uint32_t *word) {
  (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static long futex_wait(uint32_t *word, uint32_t expected, const struct timespec *timeout) {
  return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout, NULL, 0);
}

int *mp_freeze_tid_address(void) {
  int *address = NULL;
  if (prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0) < 0 || address == NULL) return NULL;
  /* glibc keeps the thread's id there; musl has a lock in its place. */
  return *address == (int)syscall(SYS_gettid) ? address : NULL;
}

/* On the thread that is to stop. Every signal is blocked. */
static void stop(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  const int saved_errno = errno;
  const int tid = (int)syscall(SYS_gettid);
  const uint32_t round = __atomic_load_n(&state.round, __ATOMIC_SEQ_CST);
  const uint32_t count = __atomic_load_n(&state.count, __ATOMIC_SEQ_CST);
  for (uint32_t i = 0; i < count; i++) {
    struct frozen *thread = &state.threads[i];
    if (thread->tid != tid) continue;
    thread->context = context;
    thread->tls = mp_clone_tls();
    thread->tid_address = mp_freeze_tid_address();
    (void)syscall(SYS_get_robust_list, 0, &thread->robust_list, &thread->robust_length);
    (void)prctl(PR_GET_NAME, thread->name);
    /* SYNC: pairs with stop_thread(): all above is there for whoever reads this. */
    __atomic_store_n(&thread->is_frozen, 1, __ATOMIC_SEQ_CST);
    futex_wake_all(&thread->is_frozen);
    while (__atomic_load_n(&state.thawed, __ATOMIC_SEQ_CST) != round) {
      (void)futex_wait(&state.thawed, round - 1, NULL);
    }
    /* The table may be that of the next freeze already, whose signal comes when this returns. */
    break;
  }
  errno = saved_errno;
}

static bool is_known(int tid) {
  for (uint32_t i = 0; i < state.count; i++) {
    if (state.threads[i].tid == tid) return true;
  }
  return false;
}

/* What a listing of the threads has brought. */
struct pass {
  int self;
  bool has_new;
  const char *error;
};

/* Stops one thread, unless it has ended meanwhile; returns 0 to end the listing. */
static int stop_thread(int tid, void *context) {
  struct pass *pass = context;
  if (tid == pass->self || is_known(tid)) return 1;
  if (state.count == MAX_THREADS) {
    pass->error = "it has more than 512 threads";
    return 0;
  }
  pass->has_new = true;
  struct frozen *thread = &state.threads[state.count];
  *thread = (struct frozen){.tid = tid};
  __atomic_store_n(&state.count, state.count + 1, __ATOMIC_SEQ_CST);
  if (syscall(SYS_tgkill, getpid(), tid, SIG_FREEZE) < 0) {
    __atomic_store_n(&state.count, state.count - 1, __ATOMIC_SEQ_CST);
    return 1;
  }
  const struct timespec deadline = {.tv_sec = DEADLINE_S};
  while (__atomic_load_n(&thread->is_frozen, __ATOMIC_SEQ_CST) == 0) {
    if (futex_wait(&thread->is_frozen, 0, &deadline) < 0 && errno == ETIMEDOUT) {
      /* It may have ended before it got the signal. */
      if (syscall(SYS_tgkill, getpid(), tid, 0) < 0) break;
      pass->error = "one of its threads does not heed signals";
      return 0;
    }
  }
  if (thread->is_frozen == 0) {
    __atomic_store_n(&state.count, state.count - 1, __ATOMIC_SEQ_CST);
  } else if (thread->tid_address == NULL) {
    pass->error = "its C library or its kernel does not tell where the id of a thread is kept";
    return 0;
  }
  return 1;
}

void mp_thaw(void) {
  __atomic_store_n(&state.thawed, state.round, __ATOMIC_SEQ_CST);
  futex_wake_all(&state.thawed);
}

/* Stops all others. Returns NULL, or why that did not work; then they go on. */
static const char *stop_all(void) {
  struct pass pass = {.self = (int)syscall(SYS_gettid), .has_new = true};
  __atomic_store_n(&state.count, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&state.round, state.round + 1, __ATOMIC_SEQ_CST);
  /* Until nobody is left who could start another. */
  while (pass.has_new) {
    pass.has_new = false;
    if (mp_list_numbers("/proc/self/task", stop_thread, &pass) < 0) {
      pass.error = "/proc cannot be read";
    }
    if (pass.error == NULL) continue;
    mp_thaw();
    return pass.error;
  }
  return NULL;
}

/* Whether each of them waits for something in the kernel: nobody was at work. */
static bool is_quiet(void) {
  for (uint32_t i = 0; i < state.count; i++) {
    if (!mp_clone_is_waiting(state.threads[i].context)) return false;
  }
  return true;
}

/*
 * SYNC: where all wait at once, none waits for a lock: its holder would not wait, or wait for another lock, and so
 * on without end. So none holds one either, and their copies need not release any. A copy of a thread has another id
 * than the thread, and the C library knows by the id who holds a recursive mutex or writes under an rwlock.
 */
const char *mp_freeze(void) {
  if (mp_freeze_tid_address() == NULL) {
    return "its C library or its kernel does not tell where the id of a thread is kept";
  }
  const struct action action = {.handler = stop,
                                .flags = SA_SIGINFO | SA_RESTART | SA_RESTORER,
                                .restorer = mp_clone_restorer,
                                .mask = ~0UL};
  if (syscall(SYS_rt_sigaction, SIG_FREEZE, &action, &state.previous, sizeof action.mask) < 0) {
    return "rt_sigaction is refused";
  }
  for (const double until = mp_now() + QUIET_MS;;) {
    const char *why = stop_all();
    if (why != NULL || is_quiet() || mp_now() > until) return why;
    mp_thaw();
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)nanosleep(&pause, NULL);
  }
}

/* The first thing that a revived thread does: what of it the kernel knows, and no frame. */
static void revive(void *argument) {
  const struct frozen *thread = argument;
  (void)syscall(SYS_set_robust_list, thread->robust_list, thread->robust_length);
  if (&__rseq_offset != NULL) {
    char *area = (char *)thread->tls + __rseq_offset;
    /* Refused where it was not registered in the original either. */
    (void)syscall(SYS_rseq, area, RSEQ_BYTES, 0, RSEQ_SIGNATURE);
  }
  (void)prctl(PR_SET_NAME, thread->name);
  mp_clone_resume(thread->context);
}

static long start_thread(struct frozen *thread, void (*run)(void *)) {
  static const unsigned long FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                     CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  uintptr_t stack = ((uintptr_t)thread->context - STACK_GAP) & ~(uintptr_t)15;
  /* SAFETY: the stack below the frame had the handler on it and nothing that is needed still. */
  return mp_clone_thread(FLAGS, (void *)stack, thread->tid_address, thread->tls, run, thread);
}

/* As Node where it cannot have its threads. */
static _Noreturn void give_up(void) {
  static const char TEXT[] = "The system refuses this process its threads\n";
  (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
  _exit(1);
}

/*
 * What the first of them does: it starts the others, when they are wanted or after a while, and then goes on itself.
 * Whoever waits for one of them waits as for a thread that does not get a processor.
 */
static void revive_all(void *argument) {
  const struct timespec patience = {.tv_nsec = PATIENCE_NS}, pause = {.tv_nsec = PAUSE_NS};
  if (__atomic_load_n(&state.wanted, __ATOMIC_SEQ_CST) == 0) (void)futex_wait(&state.wanted, 0, &patience);
  int attempt = 0;
  for (uint32_t i = 1; i < state.count;) {
    if (start_thread(&state.threads[i], revive) >= 0) {
      i++;
      continue;
    }
    /* Others end, and leave room for ours. */
    if (++attempt == ATTEMPTS) give_up();
    (void)nanosleep(&pause, NULL);
  }
  revive(argument);
}

void mp_forkserver_revive(void) {
  if (__atomic_exchange_n(&state.wanted, 1, __ATOMIC_SEQ_CST) == 0) futex_wake_all(&state.wanted);
}

int mp_freeze_revive(void) {
  if (syscall(SYS_rt_sigaction, SIG_FREEZE, &state.previous, NULL, sizeof state.previous.mask) < 0) {
    return -errno;
  }
  if (state.count == 0) return 0;
  const long tid = start_thread(&state.threads[0], revive_all);
  return tid < 0 ? (int)tid : 0;
}
