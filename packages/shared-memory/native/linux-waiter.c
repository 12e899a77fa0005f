/*
 * Linux: the waiter thread of one agent. The one thing to know: it reads and writes nothing but the
 * bell, the parked word and its own struct, so it may run while JavaScript is being torn down, and
 * stopping it is only: flag, bump, wake, join.
 */
#include "linux-internal.h"
#include "platform.h"

#include <errno.h>
#include <stdlib.h>

struct mp_waiter {
  uint32_t *bell;
  uint32_t *parked;
  uint32_t seen;
  uint32_t stop;
  mp_on_ring on_ring;
  void *context;
  pthread_t thread;
};

/* Takes the request to be woken; false when there was none. */
static bool disarm(uint32_t *parked) {
  if ((__atomic_load_n(parked, __ATOMIC_SEQ_CST) & MP_MASK_WAITER) == 0) return false;
  uint32_t old = __atomic_fetch_and(parked, ~(uint32_t)MP_MASK_WAITER, __ATOMIC_SEQ_CST);
  return (old & MP_MASK_WAITER) != 0;
}

static void *run(void *argument) {
  struct mp_waiter *waiter = argument;
  uint32_t seen = waiter->seen;
  while (__atomic_load_n(&waiter->stop, __ATOMIC_SEQ_CST) == 0) {
    uint32_t value = __atomic_load_n(waiter->bell, __ATOMIC_SEQ_CST);
    if (value == seen) {
      /* SAFETY: a negative answer would mean that the word is unmapped or misaligned: a broken
       * invariant, and looping on it would burn a core for ever. */
      if (mp_park(waiter->bell, seen, MP_MASK_WAITER, -1) < 0) abort();
      continue;
    }
    /* SYNC: the bell is read before the bit. JavaScript arms before it reads the bell again, so
     * when we miss its bit it does not miss this value. */
    seen = value;
    if (disarm(waiter->parked) && !waiter->on_ring(waiter->context)) break;
  }
  return NULL;
}

int mp_waiter_start(uint32_t *bell, uint32_t *parked, uint32_t seen, mp_on_ring on_ring,
                    void *context, struct mp_waiter **out) {
  struct mp_waiter *waiter = malloc(sizeof *waiter);
  if (waiter == NULL) return -ENOMEM;
  *waiter = (struct mp_waiter){
    .bell = bell, .parked = parked, .seen = seen, .on_ring = on_ring, .context = context};
  int error = mp_thread_start(&waiter->thread, run, waiter);
  if (error < 0) {
    free(waiter);
    return error;
  }
  *out = waiter;
  return 0;
}

void mp_waiter_stop(struct mp_waiter *waiter) {
  __atomic_store_n(&waiter->stop, 1, __ATOMIC_SEQ_CST);
  /* SYNC: the bump comes after the flag: the thread either finds the bell changed and then sees
   * the flag, or sleeps already and is woken. */
  __atomic_add_fetch(waiter->bell, 1, __ATOMIC_SEQ_CST);
  (void)mp_wake(waiter->bell, MP_MASK_WAITER); /* fails only on an unmapped word; see run() */
  /* SAFETY: joined once, by its creator, and never from itself: it cannot fail. */
  (void)pthread_join(waiter->thread, NULL);
  free(waiter);
}
