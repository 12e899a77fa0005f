/*
 * Linux: parking is a futex on the shared page (never PRIVATE: it is keyed by file and offset, so
 * it meets across processes). The one thing to know: two kinds of sleeper share one bell word, told
 * apart by bitset, so a ring need not wake the one that has nothing to do. See futex(2).
 */
#include "linux-internal.h"
#include "platform.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int mp_park(uint32_t *word, uint32_t expected, uint32_t mask, double timeout_ms) {
  /* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so a spurious return costs no time. */
  struct timespec at;
  struct timespec *deadline = NULL;
  if (timeout_ms >= 0) {
    at = mp_deadline(timeout_ms);
    deadline = &at;
  }
  /* SYNC: the kernel compares under the lock that FUTEX_WAKE takes: a bell rung before is seen. */
  if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline, NULL, mask) == 0) {
    return MP_PARK_WOKEN;
  }
  switch (errno) {
    case EAGAIN:
      return MP_PARK_CHANGED;
    case ETIMEDOUT:
      return MP_PARK_TIMED_OUT;
    case EINTR: /* only timed waits: an endless one is restarted after a SA_RESTART handler */
      return MP_PARK_INTERRUPTED;
    default:
      return -errno;
  }
}

/* Tells the processor that this is a loop that waits: the other thread of its core gets the time. */
static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ __volatile__("yield" ::: "memory");
#endif
}

int mp_spin(const uint32_t *word, uint32_t expected, double timeout_ms) {
  const double end = mp_now() + timeout_ms;
  do {
    for (int i = 0; i < 16; i++) {
      /* SYNC: pairs with the ring's add. What the ringer did before is visible when this returns 1. */
      if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) return 1;
      relax();
    }
  } while (mp_now() < end);
  return 0;
}

int mp_wake(uint32_t *word, uint32_t mask) {
  long woken = syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, mask);
  return woken < 0 ? -errno : (int)woken;
}
