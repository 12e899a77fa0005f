/*
 * The one session of this process, shared by all its agents (Node environments): the mapping, the
 * layout that TypeScript described, and who here owns or reaps which slot. The one thing to know:
 * it knows no Node; an agent is an opaque pointer, compared and never followed.
 */
#ifndef MP_SESSION_H
#define MP_SESSION_H

#include "platform.h"

/* Where things are, in 32-bit words. `layout.ts` is the source; C has no layout of its own. */
struct mp_layout {
  uint32_t slots_word;  /* of slot 0 */
  uint32_t slot_words;  /* from one slot to the next */
  uint32_t slot_count;
  uint32_t state_word;  /* in a slot: generation << 8 | state */
  uint32_t pid_word;    /* in a slot: the process of its agent */
  uint32_t bell_word;   /* in a slot */
  uint32_t parked_word; /* in a slot */
  uint32_t deaths_word; /* of the mapping */
  uint32_t gone_state;  /* this and all higher ones are states of the dead */
  uint32_t live_state;
};

/* Create or attach, as the segment functions do; -EALREADY when this process has a session. */
int mp_session_create(uint64_t byte_length, const char **step);
int mp_session_attach(int fd, const char **step);
int mp_session_attach_sibling(int pid, int fd, const char **step);

/* In a copy of a process that attached and did nothing else: makes its liveness its own. */
int mp_session_renew(void);

/* Whether no other agent of this process has a slot. */
bool mp_session_is_alone(const void *agent);

/* The mapping, or NULL before the above. Lock-free. */
const struct mp_segment *mp_session(void);

/* The address of a word, or NULL when the mapping has no such word. Lock-free. */
uint32_t *mp_session_word(uint64_t index);

/* Describes the slots; -EINVAL when it does not fit the mapping, or differs from an earlier one. */
int mp_session_set_layout(const struct mp_layout *layout);

/* All below need a layout, else -ENOTCONN; a slot that it does not have is -ERANGE. */

/* Rings every slot that is not free, asleep or not. */
int mp_session_ring_all(void);

/* Clears a wait set, from its first word on, and rings those who were in it. */
void mp_session_wake_set(uint64_t first_word);

/* Counts a death and rings everybody. */
void mp_session_announce_death(void);

/* Takes a slot's byte for `agent`; -EBUSY when anybody has it, in this process or another. */
int mp_session_own(uint32_t slot, const void *agent);

/* Gives it back in good order: nobody is told. -EPERM when it is not this agent's. */
int mp_session_disown(uint32_t slot, const void *agent);

/* Returns 1 when no living process owns the slot, else 0. */
int mp_session_probe(uint32_t slot);

/* Returns 1 when the owner is dead and `agent` is from now on its only reaper, else 0. */
int mp_session_claim(uint32_t slot, const void *agent);

/* Ends a claim. -EPERM when it is not this agent's. */
int mp_session_unclaim(uint32_t slot, const void *agent);

/*
 * Watches a process: when it dies, a death is counted and everybody is rung, and again once its
 * slots can be claimed, should that be later. 1 and the watch's number, which is 0 for a process
 * that is dead already (that counts at once); or 0 where it is impossible.
 */
int mp_session_watch(int pid, uint64_t *out);

/* At the end of an agent: marks its slots gone and tells everybody; drops its claims. */
void mp_session_leave(const void *agent);

#endif
