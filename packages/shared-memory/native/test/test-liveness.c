/* Locks on slots between processes: who is dead, and who alone may reap. */
#include "harness.h"

#include <pthread.h>

/* Joins the session as a process that was not forked would: with a description of its own. */
static struct mp_segment join_session(void) {
  struct mp_segment segment;
  const char *step;
  CHECK(mp_segment_attach_sibling(getppid(), mp_session()->fd, &segment, &step) == 0);
  return segment;
}

static void hold_slot(void *argument) {
  uint32_t slot = *(const uint32_t *)argument;
  struct mp_segment segment = join_session();
  CHECK(mp_live_lock(&segment, slot) == 0);
  put(mp_session_word(T_READY), 1);
  sleep_forever();
}

static pid_t start_holder(uint32_t slot) {
  put(mp_session_word(T_READY), 0);
  pid_t pid = start(hold_slot, &slot);
  AWAIT(get(mp_session_word(T_READY)) == 1);
  return pid;
}

static void a_living_process_keeps_its_slot(void) {
  (void)make_session(8);
  const struct mp_segment *segment = mp_session();
  pid_t pid = start_holder(3);
  CHECK(mp_live_probe(segment, 3) == 0);
  CHECK(mp_live_lock(segment, 3) == -EBUSY);
  CHECK(mp_live_probe(segment, 2) == 1 && mp_live_probe(segment, 4) == 1);
  CHECK(kill(pid, SIGSTOP) == 0); /* stopped is not dead */
  CHECK(mp_live_probe(segment, 3) == 0);
  kill_and_reap(pid);
}

static void a_zombie_is_dead(void) {
  (void)make_session(8);
  const struct mp_segment *segment = mp_session();
  pid_t pid = start_holder(3);
  CHECK(kill(pid, SIGKILL) == 0);
  AWAIT(mp_live_probe(segment, 3) == 1);
  CHECK(mp_live_lock(segment, 3) == 0);
  CHECK(kill(pid, 0) == 0); /* which says that it is alive */
  CHECK(reap(pid) == -SIGKILL);
}

static void unlock_gives_the_slot_to_the_next(void) {
  (void)make_session(8);
  const struct mp_segment *segment = mp_session();
  CHECK(mp_live_lock(segment, 3) == 0);
  CHECK(mp_live_unlock(segment, 3) == 0);
  pid_t pid = start_holder(3);
  CHECK(mp_live_lock(segment, 3) == -EBUSY);
  kill_and_reap(pid);
}

static const uint32_t CONTENDERS = 4;

static void contend(void *argument) {
  (void)argument;
  struct mp_segment segment = join_session();
  uint32_t *words = mp_session_word(0);
  int result;
  AWAIT((result = mp_live_lock(&segment, 3)) != -EBUSY);
  CHECK(result == 0);
  /* The winner is alone, for as long as it lives. */
  put(words + T_READY, (uint32_t)getpid());
  add(words + 9, 1);
  CHECK(get(words + T_READY) == (uint32_t)getpid());
  sleep_forever();
}

static void one_process_claims_and_its_death_hands_the_claim_on(void) {
  uint32_t *words = make_session(8);
  pid_t owner = start_holder(3);
  put(words + T_READY, 0);
  for (uint32_t i = 0; i < CONTENDERS; i++) (void)start(contend, NULL);
  kill_and_reap(owner);
  for (uint32_t winner = 1; winner <= CONTENDERS; winner++) {
    AWAIT(get(words + 9) == winner);
    AWAIT(get(words + T_READY) != 0);
    CHECK(mp_live_probe(mp_session(), 3) == 0);
    pid_t pid = (pid_t)get(words + T_READY);
    put(words + T_READY, 0);
    kill_and_reap(pid);
  }
}

static void *store_for_ever(void *argument) {
  uint32_t *word = argument;
  for (;;) add(word, 1);
  return NULL;
}

static void store_from_threads(void *argument) {
  uint32_t *words = argument;
  struct mp_segment segment = join_session();
  CHECK(mp_live_lock(&segment, 3) == 0);
  pthread_t threads[4];
  for (uint32_t i = 0; i < 4; i++) {
    CHECK(pthread_create(&threads[i], NULL, store_for_ever, words + 16 + i) == 0);
  }
  sleep_forever();
}

static void nobody_stores_after_the_verdict(void) {
  uint32_t *words = make_session(8);
  for (int round = 0; round < 10; round++) {
    for (uint32_t i = 0; i < 4; i++) put(words + 16 + i, 0);
    pid_t pid = start(store_from_threads, words);
    for (uint32_t i = 0; i < 4; i++) AWAIT(get(words + 16 + i) > 0);
    CHECK(kill(pid, SIGKILL) == 0);
    AWAIT(mp_live_lock(mp_session(), 3) == 0);
    uint32_t last[4];
    for (uint32_t i = 0; i < 4; i++) last[i] = get(words + 16 + i);
    CHECK(reap(pid) == -SIGKILL); /* by now it is certain that they are gone */
    for (uint32_t i = 0; i < 4; i++) CHECK(get(words + 16 + i) == last[i]);
    CHECK(mp_live_unlock(mp_session(), 3) == 0);
  }
}

static void closing_another_descriptor_of_the_file_unlocks_nothing(void) {
  (void)make_session(8);
  const struct mp_segment *segment = mp_session();
  CHECK(mp_live_lock(segment, 3) == 0);
  CHECK(close(dup(segment->fd)) == 0); /* what would drop every lock of classic fcntl() */
  struct mp_segment other;
  const char *step;
  CHECK(mp_segment_attach_sibling(getpid(), segment->fd, &other, &step) == 0);
  CHECK(mp_live_lock(&other, 3) == -EBUSY);
  CHECK(close(other.fd) == 0 && close(other.lock_fd) == 0);
  CHECK(mp_segment_attach_sibling(getpid(), segment->fd, &other, &step) == 0);
  CHECK(mp_live_lock(&other, 3) == -EBUSY);
}

const struct test_case liveness_tests[] = {
  {"a living process keeps its slot", a_living_process_keeps_its_slot, false},
  {"a zombie is dead", a_zombie_is_dead, false},
  {"unlock gives the slot to the next", unlock_gives_the_slot_to_the_next, false},
  {"one process claims, and its death hands the claim on",
   one_process_claims_and_its_death_hands_the_claim_on, false},
  {"nobody stores after the verdict", nobody_stores_after_the_verdict, false},
  {"closing another descriptor of the file unlocks nothing",
   closing_another_descriptor_of_the_file_unlocks_nothing, false},
  {0},
};
