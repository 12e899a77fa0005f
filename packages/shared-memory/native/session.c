/*
 * The one session of this process: see session.h. The one thing to know: open-file-description
 * locks do not conflict inside a process, so the tables here, under the mutex, keep two agents of
 * one process from owning or reaping the same slot.
 */
#include "session.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Who of this process holds a slot's byte; both NULL when nobody does. */
struct holder {
  const void *owner;
  const void *reaper;
};

static struct {
  pthread_mutex_t mutex; /* guards all below; `ready` and `described` are read without it */
  bool ready;
  bool described;
  struct mp_segment segment; /* never changes once `ready` */
  struct mp_layout layout;   /* never changes once `described` */
  struct holder *holders;    /* one per slot */
} session = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void lock(void) {
  /* SAFETY: a plain mutex, initialised statically, never taken twice by a thread: cannot fail. */
  (void)pthread_mutex_lock(&session.mutex);
}

static void unlock(void) {
  (void)pthread_mutex_unlock(&session.mutex);
}

const struct mp_segment *mp_session(void) {
  /* SYNC: pairs with publish(): the segment is complete once this reads true. */
  return __atomic_load_n(&session.ready, __ATOMIC_ACQUIRE) ? &session.segment : NULL;
}

static int publish(int error) {
  if (error == 0) __atomic_store_n(&session.ready, true, __ATOMIC_RELEASE);
  unlock();
  return error;
}

int mp_session_create(uint64_t byte_length, const char **step) {
  lock();
  if (session.ready) return publish(-EALREADY);
  return publish(mp_segment_create(byte_length, &session.segment, step));
}

int mp_session_attach(int fd, const char **step) {
  lock();
  if (session.ready) return publish(-EALREADY);
  return publish(mp_segment_attach(fd, &session.segment, step));
}

int mp_session_attach_sibling(int pid, int fd, const char **step) {
  lock();
  if (session.ready) return publish(-EALREADY);
  return publish(mp_segment_attach_sibling(pid, fd, &session.segment, step));
}

int mp_session_renew(void) {
  const struct mp_segment *segment = mp_session();
  return segment == NULL ? 0 : mp_segment_renew(segment);
}

static uint32_t *word_at(uint64_t index) {
  /* SAFETY: the mapping is page-aligned, so every word in it is aligned. */
  return (uint32_t *)(void *)(session.segment.base + index * sizeof(uint32_t));
}

uint32_t *mp_session_word(uint64_t index) {
  const struct mp_segment *segment = mp_session();
  if (segment == NULL || index >= segment->byte_length / sizeof(uint32_t)) return NULL;
  return word_at(index);
}

/* Whether every word that the layout names is in the mapping. */
static bool layout_fits(const struct mp_layout *layout) {
  uint64_t words = session.segment.byte_length / sizeof(uint32_t);
  uint64_t slots_end =
    layout->slots_word + (uint64_t)layout->slot_words * (uint64_t)layout->slot_count;
  return layout->slot_count > 0 && slots_end <= words && layout->deaths_word < words &&
         layout->state_word < layout->slot_words && layout->pid_word < layout->slot_words &&
         layout->bell_word < layout->slot_words &&
         layout->parked_word < layout->slot_words && layout->gone_state > 0 &&
         layout->gone_state <= 0xff && layout->live_state > 0 && layout->live_state <= 0xff;
}

int mp_session_set_layout(const struct mp_layout *layout) {
  int error = 0;
  lock();
  if (!session.ready) {
    error = -ENOTCONN;
    goto cleanup;
  }
  if (session.described) {
    error = memcmp(layout, &session.layout, sizeof *layout) == 0 ? 0 : -EINVAL;
    goto cleanup;
  }
  if (!layout_fits(layout)) {
    error = -EINVAL;
    goto cleanup;
  }
  session.holders = calloc(layout->slot_count, sizeof *session.holders);
  if (session.holders == NULL) {
    error = -ENOMEM;
    goto cleanup;
  }
  session.layout = *layout;
  /* SYNC: pairs with described(): the layout is complete once that reads true. */
  __atomic_store_n(&session.described, true, __ATOMIC_RELEASE);
cleanup:
  unlock();
  return error;
}

static bool described(void) {
  return __atomic_load_n(&session.described, __ATOMIC_ACQUIRE);
}

static int check_slot(uint32_t slot) {
  if (!described()) return -ENOTCONN;
  return slot < session.layout.slot_count ? 0 : -ERANGE;
}

/* A word of a slot. Only after check_slot(). */
static uint32_t *slot_word(uint32_t slot, uint32_t offset) {
  uint64_t start = session.layout.slots_word + (uint64_t)slot * session.layout.slot_words;
  return word_at(start + offset);
}

int mp_session_ring_all(void) {
  if (!described()) return -ENOTCONN;
  for (uint32_t slot = 0; slot < session.layout.slot_count; slot++) {
    uint32_t *state = slot_word(slot, session.layout.state_word);
    if ((__atomic_load_n(state, __ATOMIC_SEQ_CST) & 0xff) == 0) continue;
    uint32_t *bell = slot_word(slot, session.layout.bell_word);
    __atomic_add_fetch(bell, 1, __ATOMIC_SEQ_CST);
    /* Whether it looks parked or not: its flag may be in the hands of somebody who died. */
    int woken = mp_wake(bell, MP_MASK_ALL);
    if (woken < 0) return woken;
  }
  return 0;
}

void mp_session_wake_set(uint64_t first_word) {
  if (!described()) return;
  for (uint32_t i = 0; i < (session.layout.slot_count + 31) / 32; i++) {
    uint32_t *word = mp_session_word(first_word + i);
    /* SYNC: what was freed before is visible to whoever armed its bit after this read. */
    if (word == NULL || __atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) continue;
    uint32_t bits = __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
    for (; bits != 0; bits &= bits - 1) {
      uint32_t slot = i * 32 + (uint32_t)__builtin_ctz(bits);
      if (slot >= session.layout.slot_count) break;
      uint32_t *bell = slot_word(slot, session.layout.bell_word);
      /* CRASH: dying in between leaves a sleeper asleep; any death rings everybody. */
      __atomic_add_fetch(bell, 1, __ATOMIC_SEQ_CST);
      /* SAFETY: a word of the mapping; waking nobody is no failure. */
      (void)mp_wake(bell, MP_MASK_ALL);
    }
  }
}

void mp_session_announce_death(void) {
  if (!described()) return;
  __atomic_add_fetch(word_at(session.layout.deaths_word), 1, __ATOMIC_SEQ_CST);
  /* SAFETY: a layout is there, and a wake of a mapped, aligned word does not fail. */
  (void)mp_session_ring_all();
}

int mp_session_own(uint32_t slot, const void *agent) {
  int error = check_slot(slot);
  if (error < 0) return error;
  lock();
  struct holder *holder = &session.holders[slot];
  error = holder->owner != NULL || holder->reaper != NULL
            ? -EBUSY
            : mp_live_lock(&session.segment, slot);
  if (error == 0) holder->owner = agent;
  unlock();
  return error;
}

int mp_session_disown(uint32_t slot, const void *agent) {
  int error = check_slot(slot);
  if (error < 0) return error;
  lock();
  struct holder *holder = &session.holders[slot];
  error = holder->owner == agent ? mp_live_unlock(&session.segment, slot) : -EPERM;
  if (error == 0) holder->owner = NULL;
  unlock();
  return error;
}

int mp_session_probe(uint32_t slot) {
  int result = check_slot(slot);
  if (result < 0) return result;
  lock();
  result = session.holders[slot].owner != NULL ? 0 : mp_live_probe(&session.segment, slot);
  unlock();
  return result;
}

int mp_session_claim(uint32_t slot, const void *agent) {
  int error = check_slot(slot);
  if (error < 0) return error;
  lock();
  struct holder *holder = &session.holders[slot];
  error = holder->owner != NULL || holder->reaper != NULL
            ? -EBUSY
            : mp_live_lock(&session.segment, slot);
  if (error == 0) holder->reaper = agent;
  unlock();
  if (error == -EBUSY) return 0;
  return error < 0 ? error : 1;
}

int mp_session_unclaim(uint32_t slot, const void *agent) {
  int error = check_slot(slot);
  if (error < 0) return error;
  lock();
  struct holder *holder = &session.holders[slot];
  error = holder->reaper == agent ? mp_live_unlock(&session.segment, slot) : -EPERM;
  if (error == 0) holder->reaper = NULL;
  unlock();
  return error;
}

/*
 * Whether the byte of a slot that names process `pid` is locked still. After the death of the
 * process that is so while a child that it was just starting has its descriptors, until `exec`.
 */
static bool holds_a_slot(int pid) {
  for (uint32_t slot = 0; slot < session.layout.slot_count; slot++) {
    uint32_t *word = slot_word(slot, session.layout.state_word);
    uint32_t state = __atomic_load_n(word, __ATOMIC_SEQ_CST) & 0xff;
    /* From `gone` on it is known to be dead, and locked by its reaper. */
    if (state == 0 || state >= session.layout.gone_state) continue;
    uint32_t *owner = slot_word(slot, session.layout.pid_word);
    if (__atomic_load_n(owner, __ATOMIC_SEQ_CST) != (uint32_t)pid) continue;
    if (mp_session_probe(slot) == 0) return true;
  }
  return false;
}

/* On the watch thread. */
static bool announce_death_of(int pid) {
  /* SYNC: first the look, then the ring: whoever this wakes finds free what we have found free. */
  bool is_over = !holds_a_slot(pid);
  mp_session_announce_death();
  return is_over;
}

int mp_session_watch(int pid, uint64_t *out) {
  if (!described()) return -ENOTCONN;
  int result = mp_watch_add(pid, announce_death_of, out);
  if (result != -ESRCH) return result;
  mp_session_announce_death();
  *out = 0;
  return 1;
}

/* Stores the gone state under the generation that is there; a free slot stays free. */
static void mark_gone(uint32_t slot) {
  uint32_t *word = slot_word(slot, session.layout.state_word);
  uint32_t state = __atomic_load_n(word, __ATOMIC_SEQ_CST);
  while ((state & 0xff) != 0) {
    uint32_t gone = (state & ~(uint32_t)0xff) | session.layout.gone_state;
    if (__atomic_compare_exchange_n(word, &state, gone, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
      return;
    }
  }
}

bool mp_session_is_alone(const void *agent) {
  if (!described()) return true;
  bool is_alone = true;
  lock();
  for (uint32_t slot = 0; slot < session.layout.slot_count; slot++) {
    const void *owner = session.holders[slot].owner;
    if (owner != NULL && owner != agent) is_alone = false;
  }
  unlock();
  return is_alone;
}

void mp_session_leave(const void *agent) {
  if (!described()) return;
  bool died = false;
  lock();
  for (uint32_t slot = 0; slot < session.layout.slot_count; slot++) {
    struct holder *holder = &session.holders[slot];
    if (holder->owner != agent && holder->reaper != agent) continue;
    if (holder->owner == agent) {
      /* CRASH: dying before the unlock changes nothing: the kernel unlocks, and whoever claims
       * the slot finds it gone or live, and reaps it either way. */
      mark_gone(slot);
      died = true;
    }
    *holder = (struct holder){0};
    /* SAFETY: fails only if somebody closed our descriptor, and then the lock is gone as well. */
    (void)mp_live_unlock(&session.segment, slot);
  }
  unlock();
  /* After the unlock: whoever this wakes must be able to claim. */
  if (died) mp_session_announce_death();
}
