/* Agents of one process: the account that the kernel's locks do not keep. */
#include "harness.h"

#include <pthread.h>

/* Agents are compared, never followed. */
static const int alice, bob;

static struct mp_segment other_process(void) {
  struct mp_segment segment;
  const char *step;
  CHECK(mp_segment_attach_sibling(getpid(), mp_session()->fd, &segment, &step) == 0);
  return segment;
}

static void a_slot_has_one_owner(void) {
  (void)make_session(8);
  struct mp_segment other = other_process();
  CHECK(mp_session_own(3, &alice) == 0);
  CHECK(mp_session_own(3, &bob) == -EBUSY && mp_session_own(3, &alice) == -EBUSY);
  CHECK(mp_live_probe(&other, 3) == 0);
  CHECK(mp_session_disown(3, &bob) == -EPERM);
  CHECK(mp_session_disown(3, &alice) == 0);
  CHECK(mp_live_probe(&other, 3) == 1);
  CHECK(mp_session_own(3, &bob) == 0);
  CHECK(mp_live_lock(&other, 4) == 0);
  CHECK(mp_session_own(4, &alice) == -EBUSY);
}

static void a_living_agent_of_this_process_is_not_reaped(void) {
  (void)make_session(8);
  CHECK(mp_session_own(3, &alice) == 0);
  CHECK(mp_session_probe(3) == 0);
  CHECK(mp_session_claim(3, &bob) == 0 && mp_session_claim(3, &alice) == 0);
  CHECK(mp_session_unclaim(3, &bob) == -EPERM);
}

static void a_claim_is_exclusive_until_given_back(void) {
  (void)make_session(8);
  struct mp_segment other = other_process();
  CHECK(mp_session_probe(3) == 1);
  CHECK(mp_session_claim(3, &alice) == 1);
  CHECK(mp_session_claim(3, &bob) == 0 && mp_session_claim(3, &alice) == 0);
  CHECK(mp_session_own(3, &bob) == -EBUSY && mp_live_lock(&other, 3) == -EBUSY);
  CHECK(mp_session_probe(3) == 1); /* its owner is dead, whoever reaps it */
  CHECK(mp_session_unclaim(3, &bob) == -EPERM);
  CHECK(mp_session_unclaim(3, &alice) == 0);
  CHECK(mp_session_claim(3, &bob) == 1);
}

static uint32_t claims;

static void *claim_once(void *argument) {
  CHECK(mp_session_claim(3, argument) >= 0);
  for (int i = 0; i < 1000; i++) {
    int result = mp_session_claim(5, argument);
    CHECK(result >= 0);
    if (result == 0) continue;
    CHECK(add(&claims, 1) == 1); /* alone */
    add(&claims, UINT32_MAX);
    CHECK(mp_session_unclaim(5, argument) == 0);
  }
  return NULL;
}

static void one_thread_claims(void) {
  (void)make_session(8);
  pthread_t threads[4];
  char agents[4];
  for (int i = 0; i < 4; i++) {
    CHECK(pthread_create(&threads[i], NULL, claim_once, &agents[i]) == 0);
  }
  for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  int owners = 0;
  for (int i = 0; i < 4; i++) owners += mp_session_unclaim(3, &agents[i]) == 0;
  CHECK(owners == 1);
}

static void an_agent_that_leaves_is_marked_gone_and_everybody_hears_of_it(void) {
  uint32_t *words = make_session(8);
  struct mp_segment other = other_process();
  CHECK(mp_session_own(1, &alice) == 0 && mp_session_own(3, &alice) == 0);
  CHECK(mp_session_own(5, &bob) == 0);
  put(words + slot_at(1, T_STATE), 0x1234500 | T_LIVE);
  put(words + slot_at(3, T_STATE), 0x700); /* free: it died between taking the byte and joining */
  put(words + slot_at(5, T_STATE), 0x900 | T_LIVE);
  put(words + slot_at(6, T_STATE), 0x900 | T_GONE);

  mp_session_leave(&alice);

  CHECK(get(words + slot_at(1, T_STATE)) == (0x1234500 | T_GONE));
  CHECK(get(words + slot_at(3, T_STATE)) == 0x700);
  CHECK(get(words + slot_at(5, T_STATE)) == (0x900 | T_LIVE));
  CHECK(mp_live_probe(&other, 1) == 1 && mp_live_probe(&other, 3) == 1);
  CHECK(mp_live_probe(&other, 5) == 0);
  CHECK(get(words + T_DEATHS) == 1);
  CHECK(get(words + slot_at(1, T_BELL)) == 1 && get(words + slot_at(5, T_BELL)) == 1);
  CHECK(get(words + slot_at(6, T_BELL)) == 1);
  CHECK(get(words + slot_at(3, T_BELL)) == 0 && get(words + slot_at(0, T_BELL)) == 0);
}

static void a_claim_ends_with_its_agent(void) {
  uint32_t *words = make_session(8);
  struct mp_segment other = other_process();
  put(words + slot_at(3, T_STATE), 0x100 | T_LIVE);
  CHECK(mp_session_claim(3, &alice) == 1);
  mp_session_leave(&alice);
  CHECK(get(words + slot_at(3, T_STATE)) == (0x100 | T_LIVE)); /* it was never hers */
  CHECK(get(words + T_DEATHS) == 0);
  CHECK(mp_live_probe(&other, 3) == 1);
  CHECK(mp_session_claim(3, &bob) == 1);
}

static void leaving_before_there_is_a_session_is_fine(void) {
  mp_session_leave(&alice);
  const char *step;
  CHECK(mp_session_create(4096, &step) == 0);
  mp_session_leave(&alice);
}

static void *park_on_bell(void *argument) {
  CHECK(mp_park(argument, 0, MP_MASK_SYNC, -1) >= 0);
  return NULL;
}

static void a_ring_for_all_wakes_even_who_does_not_look_asleep(void) {
  uint32_t *words = make_session(8);
  put(words + slot_at(2, T_STATE), 0x100 | T_LIVE);
  pthread_t thread;
  /* Its parked word says nothing: the flag may be lost with a dead ringer. */
  CHECK(pthread_create(&thread, NULL, park_on_bell, words + slot_at(2, T_BELL)) == 0);
  CHECK(mp_session_ring_all() == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

const struct test_case agent_tests[] = {
  {"a slot has one owner", a_slot_has_one_owner, false},
  {"a living agent of this process is not reaped", a_living_agent_of_this_process_is_not_reaped, false},
  {"a claim is exclusive until given back", a_claim_is_exclusive_until_given_back, false},
  {"one thread claims", one_thread_claims, false},
  {"an agent that leaves is marked gone, and everybody hears of it",
   an_agent_that_leaves_is_marked_gone_and_everybody_hears_of_it, false},
  {"a claim ends with its agent", a_claim_ends_with_its_agent, false},
  {"leaving before there is a session is fine", leaving_before_there_is_a_session_is_fine, false},
  {"a ring for all wakes even who does not look asleep",
   a_ring_for_all_wakes_even_who_does_not_look_asleep, false},
  {0},
};
