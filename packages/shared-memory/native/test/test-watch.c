/* Hearing of a death at once. */
#include "harness.h"

static void just_sleep(void *argument) {
  (void)argument;
  sleep_forever();
}

static void just_end(void *argument) {
  (void)argument;
}

/* Sleeps on the bell of slot 0 until the session has seen this many deaths. */
static void await_deaths(uint32_t *words, uint32_t count) {
  uint32_t *bell = words + slot_at(0, T_BELL);
  for (;;) {
    uint32_t seen = get(bell);
    if (get(words + T_DEATHS) == count) return;
    CHECK(get(words + T_DEATHS) < count);
    CHECK(mp_park(bell, seen, MP_MASK_SYNC, -1) >= 0);
  }
}

static uint32_t *make_watcher(void) {
  uint32_t *words = make_session(128);
  put(words + slot_at(0, T_STATE), 0x100 | T_LIVE);
  return words;
}

static void a_killed_process_is_heard_of(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_sleep, NULL);
  CHECK(mp_session_watch(pid, 1) == 1);
  CHECK(get(words + T_DEATHS) == 0);
  CHECK(kill(pid, SIGKILL) == 0);
  await_deaths(words, 1); /* while it is a zombie */
  CHECK(reap(pid) == -SIGKILL);
}

static void a_process_that_ends_is_heard_of(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  CHECK(mp_session_watch(pid, 1) == 1);
  await_deaths(words, 1);
  CHECK(reap(pid) == 0);
}

static void a_process_dead_already_counts_at_once(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  CHECK(reap(pid) == 0);
  CHECK(mp_session_watch(pid, 1) == 1);
  CHECK(get(words + T_DEATHS) == 1 && get(words + slot_at(0, T_BELL)) == 1);
}

static void an_ended_watch_is_silent(void) {
  uint32_t *words = make_watcher();
  int before = count_fds();
  pid_t first = start(just_sleep, NULL);
  pid_t second = start(just_sleep, NULL);
  pid_t third = start(just_sleep, NULL);
  CHECK(mp_session_watch(first, 1) == 1 && mp_session_watch(second, 2) == 1);
  CHECK(mp_session_watch(third, 3) == 1);
  CHECK(mp_watch_remove(1, 0) == 0);
  CHECK(mp_watch_remove(2, first) == 0); /* not its process: stays */
  CHECK(mp_watch_remove(3, third) == 0);
  CHECK(mp_watch_remove(99, 0) == 0 && mp_watch_remove(1000000, 0) == 0);
  kill_and_reap(first);
  kill_and_reap(third);
  kill_and_reap(second);
  await_deaths(words, 1);
  CHECK(count_fds() == before + 1); /* the watch thread's epoll */
}

static void a_later_watch_replaces_the_slots_earlier_one(void) {
  uint32_t *words = make_watcher();
  pid_t first = start(just_sleep, NULL);
  pid_t second = start(just_sleep, NULL);
  CHECK(mp_session_watch(first, 1) == 1 && mp_session_watch(second, 1) == 1);
  kill_and_reap(first);
  kill_and_reap(second);
  await_deaths(words, 1);
}

static void many_deaths_at_once_are_all_heard_of(void) {
  uint32_t *words = make_watcher();
  int before = count_fds();
  enum { COUNT = 40 };
  pid_t pids[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) {
    pids[i] = start(just_sleep, NULL);
    CHECK(mp_session_watch(pids[i], i + 1) == 1);
  }
  for (int i = 0; i < COUNT; i++) CHECK(kill(pids[i], SIGKILL) == 0);
  await_deaths(words, COUNT);
  for (int i = 0; i < COUNT; i++) CHECK(reap(pids[i]) == -SIGKILL);
  CHECK(count_fds() == before + 1);
}

static void watches_come_and_go_while_processes_die(void) {
  uint32_t *words = make_watcher();
  int before = count_fds();
  for (uint32_t i = 0; i < 60; i++) {
    pid_t pid = start(just_end, NULL);
    CHECK(mp_session_watch(pid, 1 + i % 3) == 1);
    if (i % 2 == 0) CHECK(mp_watch_remove(1 + i % 3, pid) == 0);
    CHECK(reap(pid) == 0);
  }
  for (uint32_t slot = 1; slot <= 3; slot++) CHECK(mp_watch_remove(slot, 0) == 0);
  CHECK(get(words + T_DEATHS) <= 60);
  CHECK(count_fds() == before + 1);
}

static void a_key_that_is_too_large_is_refused(void) {
  CHECK(mp_session_watch(getpid(), 0) == -ENOTCONN);
  (void)make_watcher();
  CHECK(mp_session_watch(getpid(), 65536) == -ERANGE);
  CHECK(mp_session_watch(-1, 0) == -EINVAL);
}

static void where_pidfds_are_impossible_it_says_so(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  CHECK(mp_session_watch(pid, 1) == 0);
  CHECK(reap(pid) == 0);
  CHECK(get(words + T_DEATHS) == 0);
}

const struct test_case watch_tests[] = {
  {"a killed process is heard of", a_killed_process_is_heard_of, false},
  {"a process that ends is heard of", a_process_that_ends_is_heard_of, false},
  {"a process dead already counts at once", a_process_dead_already_counts_at_once, false},
  {"an ended watch is silent", an_ended_watch_is_silent, false},
  {"a later watch replaces the slot's earlier one", a_later_watch_replaces_the_slots_earlier_one, false},
  {"many deaths at once are all heard of", many_deaths_at_once_are_all_heard_of, false},
  {"watches come and go while processes die", watches_come_and_go_while_processes_die, false},
  {"a watch with a key that is too large is refused", a_key_that_is_too_large_is_refused, false},
  {"a watch where pidfds are impossible says so", where_pidfds_are_impossible_it_says_so, true},
  {0},
};
