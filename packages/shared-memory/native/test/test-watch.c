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

/* Watches a living process; gives the number of the watch. */
static uint64_t watch(pid_t pid) {
  uint64_t id = 0;
  CHECK(mp_session_watch(pid, &id) == 1);
  CHECK(id > 0 && id < (uint64_t)1 << 48);
  return id;
}

static uint32_t *make_watcher(void) {
  uint32_t *words = make_session(128);
  put(words + slot_at(0, T_STATE), 0x100 | T_LIVE);
  return words;
}

static void a_killed_process_is_heard_of(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_sleep, NULL);
  (void)watch(pid);
  CHECK(get(words + T_DEATHS) == 0);
  CHECK(kill(pid, SIGKILL) == 0);
  await_deaths(words, 1); /* while it is a zombie */
  CHECK(reap(pid) == -SIGKILL);
}

static void a_process_that_ends_is_heard_of(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  uint64_t id;
  CHECK(mp_session_watch(pid, &id) == 1);
  await_deaths(words, 1);
  CHECK(reap(pid) == 0);
}

static void a_process_dead_already_counts_at_once(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  CHECK(reap(pid) == 0);
  uint64_t id = 1;
  CHECK(mp_session_watch(pid, &id) == 1 && id == 0);
  CHECK(get(words + T_DEATHS) == 1 && get(words + slot_at(0, T_BELL)) == 1);
}

static void an_ended_watch_is_silent(void) {
  uint32_t *words = make_watcher();
  int before = count_fds();
  pid_t first = start(just_sleep, NULL);
  pid_t second = start(just_sleep, NULL);
  uint64_t ended = watch(first);
  (void)watch(second);
  CHECK(mp_watch_remove(ended) == 0);
  CHECK(mp_watch_remove(ended) == 0 && mp_watch_remove(0) == 0);
  CHECK(mp_watch_remove(((uint64_t)1 << 48) - 1) == 0);
  kill_and_reap(first);
  kill_and_reap(second);
  await_deaths(words, 1);
  CHECK(count_fds() == before + 1); /* the watch thread's epoll */
}

static void ending_a_watch_that_has_ended_leaves_its_successor_alone(void) {
  uint32_t *words = make_watcher();
  pid_t first = start(just_sleep, NULL);
  uint64_t ended = watch(first);
  kill_and_reap(first);
  await_deaths(words, 1);
  pid_t second = start(just_sleep, NULL);
  CHECK(watch(second) != ended);
  CHECK(mp_watch_remove(ended) == 0);
  kill_and_reap(second);
  await_deaths(words, 2);
}

static void two_watches_of_a_process_are_two(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_sleep, NULL);
  uint64_t ended = watch(pid);
  CHECK(watch(pid) != ended);
  CHECK(mp_watch_remove(ended) == 0);
  kill_and_reap(pid);
  await_deaths(words, 1);
}

/* Owns slot 1 of the session that its parent has, starts a process that has its descriptors, and says so. */
static void own_a_slot_and_fork(void *argument) {
  uint32_t *words = argument;
  struct mp_segment segment;
  const char *step;
  CHECK(mp_segment_attach_sibling(getppid(), mp_session()->fd, &segment, &step) == 0);
  CHECK(mp_live_lock(&segment, 1) == 0);
  put(words + slot_at(1, T_PID), (uint32_t)getpid());
  put(words + slot_at(1, T_STATE), 0x100 | T_LIVE);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child > 0) put(words + T_READY, (uint32_t)child);
  sleep_forever();
}

static void a_death_is_heard_of_again_when_the_slot_is_free_at_last(void) {
  static const int reaper;
  uint32_t *words = make_watcher();
  become_subreaper();
  pid_t pid = start(own_a_slot_and_fork, words);
  while (get(words + T_READY) == 0) pause_briefly();
  pid_t holder = (pid_t)get(words + T_READY);
  (void)watch(pid);
  kill_and_reap(pid);
  while (get(words + T_DEATHS) == 0) pause_briefly();
  CHECK(mp_session_claim(1, &reaper) == 0); /* as between fork and exec */
  kill_and_reap(holder);
  uint32_t seen = get(words + T_DEATHS);
  CHECK(mp_session_probe(1) == 1);
  while (get(words + T_DEATHS) == seen) pause_briefly();
  CHECK(mp_session_claim(1, &reaper) == 1);
}

static void many_deaths_at_once_are_all_heard_of(void) {
  uint32_t *words = make_watcher();
  int before = count_fds();
  enum { COUNT = 40 };
  pid_t pids[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) {
    pids[i] = start(just_sleep, NULL);
    (void)watch(pids[i]);
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
    uint64_t id = 0;
    CHECK(mp_session_watch(pid, &id) == 1);
    if (i % 2 == 0) CHECK(mp_watch_remove(id) == 0);
    CHECK(reap(pid) == 0);
  }
  while (count_fds() > before + 1) pause_briefly(); /* the watch thread's epoll stays */
  while (get(words + T_DEATHS) < 30) pause_briefly(); /* a descriptor is closed before its death is told */
  CHECK(get(words + T_DEATHS) <= 60);
}

static void what_is_no_process_is_refused(void) {
  uint64_t id;
  CHECK(mp_session_watch(getpid(), &id) == -ENOTCONN);
  (void)make_watcher();
  CHECK(mp_session_watch(-1, &id) == -EINVAL);
}

static void where_pidfds_are_impossible_it_says_so(void) {
  uint32_t *words = make_watcher();
  pid_t pid = start(just_end, NULL);
  uint64_t id;
  CHECK(mp_session_watch(pid, &id) == 0);
  CHECK(reap(pid) == 0);
  CHECK(get(words + T_DEATHS) == 0);
}

const struct test_case watch_tests[] = {
  {"a killed process is heard of", a_killed_process_is_heard_of, false},
  {"a process that ends is heard of", a_process_that_ends_is_heard_of, false},
  {"a process dead already counts at once", a_process_dead_already_counts_at_once, false},
  {"an ended watch is silent", an_ended_watch_is_silent, false},
  {"ending a watch that has ended leaves its successor alone", ending_a_watch_that_has_ended_leaves_its_successor_alone, false},
  {"two watches of a process are two", two_watches_of_a_process_are_two, false},
  {"a death is heard of again when the slot is free at last", a_death_is_heard_of_again_when_the_slot_is_free_at_last, false},
  {"many deaths at once are all heard of", many_deaths_at_once_are_all_heard_of, false},
  {"watches come and go while processes die", watches_come_and_go_while_processes_die, false},
  {"what is no process is refused", what_is_no_process_is_refused, false},
  {"a watch where pidfds are impossible says so", where_pidfds_are_impossible_it_says_so, true},
  {0},
};
